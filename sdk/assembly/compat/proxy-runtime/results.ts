// How hostcalls hand over results and failures.

import { LogLevel, Status } from '../../abi/enums'
import * as host from '../../abi/hostcalls'
import { encode } from '../../memory/bytes'

/** Where hostcalls write address and size of a result, or a number. Static: a result is taken right after its call. */
export const OUT: usize = memory.data(8, 8)
export const OUT_SIZE: usize = OUT + 4

/** The bytes that the host has put where `malloc` said, without copying. */
export function takeBuffer(): ArrayBuffer {
  return load<u32>(OUT_SIZE) ? changetype<ArrayBuffer>(load<usize>(OUT)) : new ArrayBuffer(0)
}

/** As `takeBuffer` when the hostcall has succeeded; else no bytes. */
export function takeBufferIf(status: Status): ArrayBuffer {
  return status == Status.Ok ? takeBuffer() : new ArrayBuffer(0)
}

/** The old package threw on every status but Ok, which ends the VM. Here the failure of a call that answers nothing is logged. */
export function check(hostcall: string, status: Status): void {
  if (status == Status.Ok) return
  const text = encode(`${hostcall}: status ${status}`)
  host.log(LogLevel.Warn, text.ptr, text.length)
}

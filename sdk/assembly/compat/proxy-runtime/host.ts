// Functions of the host that belong to no concept of their own.

import { Status } from '../../abi/enums'
import * as host from '../../abi/hostcalls'
import { clearRouteCache, foreignStatus } from '../../foreign'
import { encode, slot } from '../../memory/bytes'
import { BufferTypeValues, GrpcStatusValues, LogLevelValues, StreamTypeValues, WasmResultValues } from './enums'
import { encodeHeaders, Headers } from './headers'
import { check, OUT, OUT_SIZE, takeBuffer, takeBufferIf } from './results'

export function log(level: LogLevelValues, logMessage: string): void {
  const text = encode(logMessage)
  host.log(level, text.ptr, text.length)
}

class StatusWithData {
  constructor(
    public status: u32,
    public data: ArrayBuffer,
  ) {}
}

/** Code and message that a gRPC call has ended with. */
export function get_status(): StatusWithData {
  const code = changetype<usize>(slot())
  const status = host.get_status(code, OUT, OUT_SIZE)
  check('proxy_get_status', status)
  return status == Status.Ok
    ? new StatusWithData(load<u32>(code), takeBuffer())
    : new StatusWithData(0, new ArrayBuffer(0))
}

export function set_tick_period_milliseconds(millisecond: u32): void {
  check('proxy_set_tick_period_milliseconds', host.set_tick_period_milliseconds(millisecond))
}

export function get_current_time_nanoseconds(): u64 {
  store<u64>(OUT, 0)
  check('proxy_get_current_time_nanoseconds', host.get_current_time_nanoseconds(OUT))
  return load<u64>(OUT)
}

/**
 * The property's value in the host's encoding; no bytes when there is none.
 * Segments of `path` are separated by NUL (`'request\0path'`).
 */
export function get_property(path: string): ArrayBuffer {
  const p = encode(path)
  return takeBufferIf(host.get_property(p.ptr, p.length, OUT, OUT_SIZE))
}

export function set_property(path: string, data: ArrayBuffer): WasmResultValues {
  const p = encode(path)
  return host.set_property(p.ptr, p.length, changetype<usize>(data), data.byteLength)
}

export function continue_request(): WasmResultValues {
  return host.continue_stream(StreamTypeValues.Request)
}

export function continue_response(): WasmResultValues {
  return host.continue_stream(StreamTypeValues.Response)
}

export function send_local_response(
  response_code: u32,
  response_code_details: string,
  body: ArrayBuffer,
  additional_headers: Headers,
  grpc_status: GrpcStatusValues,
): WasmResultValues {
  const details = encode(response_code_details)
  const headers = encodeHeaders(additional_headers)
  return host.send_local_response(
    response_code,
    details.ptr,
    details.length,
    changetype<usize>(body),
    body.byteLength,
    headers.ptr,
    headers.length,
    grpc_status,
  )
}

/** By the host's foreign function of that name: the hostcall that the old package imports for it belongs to ABI 0.1.0. */
export function clear_route_cache(): WasmResultValues {
  clearRouteCache()
  return foreignStatus
}

/** At most `length` bytes from `start` on; none when there is no such buffer now. */
export function get_buffer_bytes(typ: BufferTypeValues, start: u32, length: u32): ArrayBuffer {
  return takeBufferIf(host.get_buffer_bytes(typ, start, length, OUT, OUT_SIZE))
}

class BufferStatusResult {
  result: WasmResultValues = WasmResultValues.Ok
  length: usize = 0
  flags: u32 = 0
}

export function get_buffer_status(typ: BufferTypeValues): BufferStatusResult {
  const answer = new BufferStatusResult()
  answer.result = host.get_buffer_status(typ, OUT, OUT_SIZE)
  if (answer.result == Status.Ok) {
    answer.length = load<u32>(OUT)
    answer.flags = load<u32>(OUT_SIZE)
  }
  return answer
}

/** Ends the wait that `onDone` has asked for by answering false. */
export function done(): WasmResultValues {
  return host.done()
}

/** Makes hostcalls act on another context. It fails when the client of that stream has gone away meanwhile. */
export function proxy_set_effective_context(_id: u32): WasmResultValues {
  return host.set_effective_context(_id)
}

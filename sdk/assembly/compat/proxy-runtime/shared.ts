// Shared data and queues. The old package's functions for both have signatures that can't express what they are for;
// they are kept, made harmless, and given optional parameters by which they work.

import { Status } from '../../abi/enums'
import * as host from '../../abi/hostcalls'
import { encode, slot } from '../../memory/bytes'
import { WasmResultValues } from './enums'
import { OUT, OUT_SIZE, takeBuffer } from './results'

/**
 * Copies the value of `key` to the start of `value`, as much of it as there is room for.
 * (In the old package this overwrote memory at an address that was meant as a size.)
 *
 * @param cas Address of a u32 for the value's version, or 0.
 */
export function get_shared_data(key: string, value: ArrayBuffer, cas: usize = 0): WasmResultValues {
  const k = encode(key)
  const version = changetype<usize>(slot())
  const status = host.get_shared_data(k.ptr, k.length, OUT, OUT_SIZE, version)
  if (status != Status.Ok) return status
  const found = takeBuffer()
  memory.copy(changetype<usize>(value), changetype<usize>(found), min(value.byteLength, found.byteLength))
  if (cas) store<u32>(cas, load<u32>(version))
  return status
}

class SetSharedData {
  value: ArrayBuffer = new ArrayBuffer(0)
  result: WasmResultValues = WasmResultValues.Ok
}

/**
 * Sets `key` to `value`; without one, to no bytes.
 * (In the old package, which has no parameter for a value, this stored whatever lay in memory.)
 *
 * @param cas Version that the key must still have; 0: any.
 */
export function set_shared_data(key: string, value: ArrayBuffer = new ArrayBuffer(0), cas: u32 = 0): SetSharedData {
  const k = encode(key)
  const done = new SetSharedData()
  done.value = value
  done.result = host.set_shared_data(k.ptr, k.length, changetype<usize>(value), value.byteLength, cas)
  return done
}

/** AssemblyScript's static data begins at 8: what is below is a number that was taken for an address. */
function outAddress(token: u32): usize {
  return token < 8 ? OUT : token
}

/** @param token Address of a u32 for the queue's id, e.g. `Reference<u32>.ptr()`. */
export function register_shared_queue(queue_name: string, token: u32): WasmResultValues {
  const name = encode(queue_name)
  return host.register_shared_queue(name.ptr, name.length, outAddress(token))
}

/** @param token Address of a u32 for the queue's id, e.g. `Reference<u32>.ptr()`. */
export function resolve_shared_queue(vm_id: string, queue_name: string, token: u32): WasmResultValues {
  const vm = encode(vm_id)
  const name = encode(queue_name)
  return host.resolve_shared_queue(vm.ptr, vm.length, name.ptr, name.length, outAddress(token))
}

class DequeueSharedQueueResult {
  result: WasmResultValues = WasmResultValues.Ok
  data: ArrayBuffer = new ArrayBuffer(0)
}

export function dequeue_shared_queue(token: u32): DequeueSharedQueueResult {
  const next = new DequeueSharedQueueResult()
  next.result = host.dequeue_shared_queue(token, OUT, OUT_SIZE)
  if (next.result == Status.Ok) next.data = takeBuffer()
  return next
}

export function enqueue_shared_queue(token: u32, data: ArrayBuffer): WasmResultValues {
  return host.enqueue_shared_queue(token, changetype<usize>(data), data.byteLength)
}

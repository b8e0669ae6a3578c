import { BufferType, Status } from './abi/enums'
import * as host from './abi/hostcalls'
import { ByteString, slot, view } from './memory/bytes'

/**
 * The bytes that a body, data or response callback is about: one chunk, or all that is buffered while the filter pauses.
 *
 * Envoy does not adapt `content-length`: a filter that changes a body's length removes that header in the headers callback.
 */
// Like a HeaderMap: an address that stands for the buffer's number plus one.
// @ts-ignore: decorator
@unmanaged
@final
export class Buffer {
  /** The buffer of a type. Contexts have their own by name: `requestBody` and others. */
  // @ts-ignore: decorator
  @inline
  static of(type: BufferType): Buffer {
    return changetype<Buffer>(<usize>type + 1)
  }

  // @ts-ignore: decorator
  @inline
  private get type(): u32 {
    return <u32>changetype<usize>(this) - 1
  }

  /** Number of bytes; 0 when there is no such buffer now. */
  get size(): u32 {
    const out = changetype<usize>(slot())
    return host.get_buffer_status(this.type, out, out + 4) == Status.Ok ? load<u32>(out) : 0
  }

  /** A copy of at most `length` bytes from `start` on. Empty when there are none. Limit it: what is read lands in the VM's memory. */
  read(start: u32 = 0, length: u32 = u32.MAX_VALUE): ByteString {
    const bytes = slot()
    const out = changetype<usize>(bytes)
    host.get_buffer_bytes(this.type, start, length, out, out + offsetof<ByteString>('length'))
    return bytes
  }

  /** Puts `value` in the place of everything. */
  replace<T>(value: T): Status {
    const bytes = view(value)
    return host.set_buffer_bytes(this.type, 0, u32.MAX_VALUE, bytes.ptr, bytes.length)
  }

  /** Puts `value` in the place of the first `length` bytes. */
  replaceStart<T>(length: u32, value: T): Status {
    const bytes = view(value)
    return host.set_buffer_bytes(this.type, 0, length, bytes.ptr, bytes.length)
  }

  /** Puts `value` before everything. */
  prepend<T>(value: T): Status {
    const bytes = view(value)
    return host.set_buffer_bytes(this.type, 0, 0, bytes.ptr, bytes.length)
  }

  /** Puts `value` behind everything. */
  append<T>(value: T): Status {
    const bytes = view(value)
    return host.set_buffer_bytes(this.type, u32.MAX_VALUE, 0, bytes.ptr, bytes.length)
  }

  /** Removes everything. */
  clear(): Status {
    return host.set_buffer_bytes(this.type, 0, u32.MAX_VALUE, 0, 0)
  }
}

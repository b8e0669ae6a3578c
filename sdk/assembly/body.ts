import { BufferType, Status } from './abi/enums'
import * as host from './abi/hostcalls'
import { bodyOffset, noteBodyChange } from './bundle_hooks'
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
    const size = host.get_buffer_status(this.type, out, out + 4) == Status.Ok ? load<u32>(out) : 0
    return size - min(size, this.offset)
  }

  /** A copy of at most `length` bytes from `start` on. Empty when there are none. Limit it: what is read lands in the VM's memory. */
  read(start: u32 = 0, length: u32 = u32.MAX_VALUE): ByteString {
    const bytes = slot()
    const out = changetype<usize>(bytes)
    if (isDefined(MESHSCRIPT_BUNDLE)) {
      const offset = this.offset
      // Hosts refuse a sum that is too large.
      if (offset) length = min(length, u32.MAX_VALUE - offset - start)
      start += offset
    }
    host.get_buffer_bytes(this.type, start, length, out, out + offsetof<ByteString>('length'))
    return bytes
  }

  /** Puts `value` in the place of everything. */
  replace<T>(value: T): Status {
    return this.writeStart(u32.MAX_VALUE, view(value))
  }

  /** Puts `value` in the place of the first `length` bytes. */
  replaceStart<T>(length: u32, value: T): Status {
    return this.writeStart(length, view(value))
  }

  /** Puts `value` before everything. */
  prepend<T>(value: T): Status {
    return this.writeStart(0, view(value))
  }

  /** Puts `value` behind everything. */
  append<T>(value: T): Status {
    const bytes = view(value)
    if (isDefined(MESHSCRIPT_BUNDLE)) noteBodyChange()
    return host.set_buffer_bytes(this.type, u32.MAX_VALUE, 0, bytes.ptr, bytes.length)
  }

  /** Removes everything. */
  clear(): Status {
    return this.writeStart(u32.MAX_VALUE, ByteString.empty)
  }

  // @ts-ignore: decorator
  @inline
  private writeStart(length: u32, value: ByteString): Status {
    if (isDefined(MESHSCRIPT_BUNDLE)) {
      noteBodyChange()
      const offset = this.offset
      if (offset) {
        const bytes = slot()
        const out = changetype<usize>(bytes)
        host.get_buffer_bytes(this.type, 0, offset, out, out + offsetof<ByteString>('length'))
        value = bytes.concat(value)
        length = length > u32.MAX_VALUE - offset ? u32.MAX_VALUE : length + offset
      }
    }
    return host.set_buffer_bytes(this.type, 0, length, value.ptr, value.length)
  }

  /** In a bundle: what stands at the beginning of a body, and is not for the filter that runs. */
  // @ts-ignore: decorator
  @inline
  private get offset(): u32 {
    if (isDefined(MESHSCRIPT_BUNDLE)) return this.type <= <u32>BufferType.HttpResponseBody ? bodyOffset : 0
    return 0
  }
}

import { ByteString } from '@meshscript/sdk'

/** How long a path is without query and fragment. */
export function lengthWithoutQuery(path: ByteString): i32 {
  for (let i = 0; i < path.length; i++) {
    const byte = load<u8>(path.ptr + i)
    if (byte == 0x3f || byte == 0x23) return i
  }
  return path.length
}

/** A path whose first `length` bytes are replaced, or all before the query where `length` is -1. */
export function replaceStart(path: ByteString, length: i32, replacement: ByteString): ByteString {
  return replacement.concat(path.slice(length < 0 ? lengthWithoutQuery(path) : length))
}

import { ByteString } from '../memory/bytes'
import { JsonKind, JsonNode } from './node'

/** The text of a value as it stands in the document; of a string, what it says. */
export function textOf(node: JsonNode): ByteString {
  if (node.kind == JsonKind.String || node.kind == JsonKind.Number) return node.bytes
  if (!node.start) return ByteString.empty
  return ByteString.at(node.start, <i32>(endOf(node.start) - node.start))
}

/** Where the value that begins at `at` ends, in a document that was read without an error. */
function endOf(at: usize): usize {
  let depth = 0
  let isString = false
  while (true) {
    const byte = <u32>load<u8>(at++)
    if (isString) {
      if (byte == 0x5c) at++
      else if (byte == 0x22) isString = false
    } else if (byte == 0x22) {
      isString = true
    } else if (byte == 0x5b || byte == 0x7b) {
      depth++
    } else if (byte == 0x5d || byte == 0x7d) {
      if (--depth == 0) return at
    } else if (!depth && (byte | 0x20) - 0x61 > 25) {
      // The end of `true`, `false` or `null`.
      return at - 1
    }
  }
}

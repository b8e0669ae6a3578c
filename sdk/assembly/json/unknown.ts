import { ByteString, utf8 } from '../memory/bytes'
import { beginErrorAt, endError, write, writeQuoted } from './error'
import { JsonNode } from './node'

/** Reports the first member, in the order of the text, of an object that was asked for others but not for this one. */
export function reportUnknown(node: JsonNode): void {
  // In what was not opened, nobody asked for anything.
  if (!node.opening) return
  for (let i = 0; i < node.length; i++) {
    const item = node.item(i)
    if (node.isOpened && !item.isAsked) return report(item)
    reportUnknown(item)
  }
}

function report(node: JsonNode): void {
  if (!beginErrorAt(node, node.nameStart)) return
  write(utf8('unknown field'))
  let known = node.parent!.first
  while (known && !isNear(node.name, known.name)) known = known.next
  if (known) {
    write(utf8('; did you mean '))
    writeQuoted(known.name)
    write(utf8('?'))
  }
  endError()
}

/** True when the names differ in case, or in one place by up to two letters: `pathh`, `ptah`, `max_size` for `maxSize`. */
function isNear(a: ByteString, b: ByteString): bool {
  if (a.equalsIgnoreCase(b)) return true
  let start = 0
  let aEnd = a.length
  let bEnd = b.length
  while (start < aEnd && start < bEnd && a.byteAt(start) == b.byteAt(start)) start++
  while (aEnd > start && bEnd > start && a.byteAt(aEnd - 1) == b.byteAt(bEnd - 1)) {
    aEnd--
    bEnd--
  }
  const common = start + a.length - aEnd
  return common > 1 && aEnd - start <= 2 && bEnd - start <= 2
}

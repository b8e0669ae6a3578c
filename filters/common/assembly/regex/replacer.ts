import { Bytes, ByteString } from '@meshscript/sdk'
import { Capture } from './capture'
import { Ints } from './ints'
import { Parser } from './parser'

const BACKSLASH: i32 = 0x5c

/**
 * Replaces what an expression matches in a text, all of it, as RE2's GlobalReplace does: `\1` in the substitution stands for what group 1 has matched,
 * `\0` for the whole match and `\\` for a backslash.
 */
@final
export class RegexReplacer {
  /** Why `compile` has answered false, */
  error: string = ''
  /** and whether the substitution is to blame. */
  isOfSubstitution: bool = false
  private capture: Capture | null = null
  private substitution: Bytes = Bytes.from('')
  /** What the substitution is made of: a group, or -1 and the text between two places. */
  private parts: Ints = new Ints(9)

  /** Call it once. */
  compile(expression: ByteString, substitution: ByteString): bool {
    const parser = new Parser()
    parser.keepsGroups = true
    if (!parser.parse(expression)) {
      this.error = parser.error
      return false
    }
    const last = this.readSubstitution(substitution, parser.groupCount)
    if (last < 0) {
      this.isOfSubstitution = true
      return false
    }
    const capture = new Capture(last)
    if (!capture.compile(parser)) {
      this.error = 'it is too large for a rewrite'
      return false
    }
    this.capture = capture
    return true
  }

  /** Answers the last group that is asked for; -1 when the text is wrong. */
  private readSubstitution(text: ByteString, groups: i32): i32 {
    this.substitution = text.persist()
    let last = 0
    let start = 0
    for (let i = 0; i < text.length; i++) {
      if (text.byteAt(i) != BACKSLASH) continue
      this.addText(start, i)
      const next = text.byteAt(++i)
      // The second backslash begins the text that follows.
      start = next == BACKSLASH ? i : i + 1
      if (next == BACKSLASH) continue
      const group = next - 0x30
      if (<u32>group > 9) {
        this.error = 'expected a digit or \\ behind \\'
        return -1
      }
      if (group > groups) {
        this.error = `there is no group ${group}`
        return -1
      }
      last = max(last, group)
      this.parts.push(group)
      this.parts.push(0)
      this.parts.push(0)
    }
    this.addText(start, text.length)
    return last
  }

  private addText(start: i32, end: i32): void {
    if (start == end) return
    this.parts.push(-1)
    this.parts.push(start)
    this.parts.push(end)
  }

  /** The text with its matches replaced; the text itself where there are none. */
  replace(text: ByteString): ByteString {
    const capture = this.capture
    if (!capture) return text
    let result = ByteString.empty
    let count = 0
    let at = 0
    let lastEnd = -1
    while (at <= text.length && capture.find(text, at)) {
      const start = unchecked(capture.slots[0])
      const end = unchecked(capture.slots[1])
      if (start > at) result = result.concat(text.slice(at, start))
      if (start == end && start == lastEnd) {
        // No empty match right behind another one.
        const next = characterEnd(text, start)
        result = result.concat(text.slice(start, next))
        at = next
        lastEnd = -1
        if (start == text.length) break
        continue
      }
      result = this.append(result, text, capture.slots)
      at = end
      lastEnd = end
      count++
    }
    if (!count) return text
    return at < text.length ? result.concat(text.slice(at)) : result
  }

  private append(result: ByteString, text: ByteString, slots: StaticArray<i32>): ByteString {
    const parts = this.parts
    for (let i = 0; i < parts.length; i += 3) {
      const group = parts.at(i)
      if (group < 0) result = result.concat(this.substitution.view.slice(parts.at(i + 1), parts.at(i + 2)))
      else if (unchecked(slots[group * 2]) >= 0 && unchecked(slots[group * 2 + 1]) >= 0) {
        result = result.concat(text.slice(unchecked(slots[group * 2]), unchecked(slots[group * 2 + 1])))
      }
    }
    return result
  }
}

function characterEnd(text: ByteString, at: i32): i32 {
  let end = at + 1
  while (end < text.length && (text.byteAt(end) & 0xc0) == 0x80) end++
  return min(end, text.length)
}

/**
 * Splits one command as a POSIX shell does, with `$'…'` too, which browsers' “Copy as cURL” writes. Nothing is expanded: a
 * `$`, `*` or `&` that a shell would act on stays as it is, since a URL is often pasted without quotes.
 */
import { RequestError } from './request.ts'

const escapes: Record<string, string> = { n: '\n', r: '\r', t: '\t', a: '\x07', b: '\b', e: '\x1b', f: '\f', v: '\v' }

export function splitCommand(text: string): string[] {
  const words: string[] = []
  let word: string | undefined
  let at = 0
  const add = (part: string): void => void (word = (word ?? '') + part)
  const until = (quote: string, from: number): number => {
    const end = text.indexOf(quote, from)
    if (end < 0) throw new RequestError(`the quote ${quote} is not closed`)
    return end
  }
  while (at < text.length) {
    const char = text[at]!
    if (/\s/.test(char)) {
      if (word !== undefined) words.push(word)
      word = undefined
      at++
    } else if (char === '\\') {
      // A backslash at the end of a line joins it with the next.
      const [next = ''] = /^\r?\n|^[^]/.exec(text.slice(at + 1)) ?? []
      if (!/\n/.test(next)) add(next)
      at += 1 + next.length
    } else if (char === "'") {
      const end = until("'", at + 1)
      add(text.slice(at + 1, end))
      at = end + 1
    } else if (char === '"') {
      add('')
      for (at++; text[at] !== '"'; at++) {
        if (at >= text.length) until('"', at)
        if (text[at] === '\\' && /["\\$`\n]/.test(text[at + 1] ?? '')) at++
        if (text[at] !== '\n' || text[at - 1] !== '\\') add(text[at]!)
      }
      at++
    } else if (text.startsWith("$'", at)) {
      const [whole, inner = ''] = /^\$'((?:\\[^]|[^\\'])*)'/.exec(text.slice(at)) ?? []
      if (whole === undefined) throw new RequestError("the quote $' is not closed")
      add(unescape(inner))
      at += whole.length
    } else {
      add(char)
      at++
    }
  }
  if (word !== undefined) words.push(word)
  return words
}

const escape = /\\(?:x([\da-f]{1,2})|u([\da-f]{1,4})|([0-7]{1,3})|([^]))/gi

function unescape(text: string): string {
  return text.replace(escape, (_, hex?: string, unicode?: string, octal?: string, other = '') => {
    const digits = hex ?? unicode
    if (digits !== undefined) return String.fromCharCode(parseInt(digits, 16))
    return octal === undefined ? (escapes[other as string] ?? String(other)) : String.fromCharCode(parseInt(octal, 8))
  })
}

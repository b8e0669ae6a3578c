/** Compares what a page shows with what a command printed. */

/** Sizes depend a little on the compiler and the SDK, and times on the machine. */
const SIZE_TOLERANCE = 0.25

const ELISION = '…'
const SIZE = /^\d+(?:\.\d+)? KB$/
const TIME = /^\d+(?:\.\d+)? ?m?s$/
const PARTS = /(…|\b\d+(?:\.\d+)? KB\b|\b\d+(?:\.\d+)? ?m?s\b)/

/**
 * `…` stands for any part of a line, and as a line of its own for any lines. Times may be any, sizes may differ by a quarter.
 * With `isPart` there may be lines before and after. Answers the number of the line behind what was found, or undefined.
 */
export function find(shown: string, printed: string, isPart = false): number | undefined {
  const wanted = lines(shown)
  const actual = lines(printed)
  for (let start = 0; start <= (isPart ? actual.length : 0); start++) {
    const end = match(wanted, actual, start)
    if (end !== undefined && (isPart || end === actual.length)) return end
  }
  return undefined
}

function lines(text: string): string[] {
  const trimmed = text.replace(/\r/g, '').replace(/^\n+/, '').trimEnd()
  return trimmed === '' ? [] : trimmed.split('\n').map((line) => line.trimEnd())
}

/** `wanted` from line `at` of `actual` on. An elision takes as few lines as will do, at the end all of them. */
function match(wanted: readonly string[], actual: readonly string[], at: number): number | undefined {
  const [first, ...rest] = wanted
  if (first === undefined) return at
  if (first.trim() !== ELISION) {
    return at < actual.length && matchesLine(first, actual[at]!) ? match(rest, actual, at + 1) : undefined
  }
  if (!rest.length) return actual.length
  for (let next = at; next <= actual.length; next++) {
    const end = match(rest, actual, next)
    if (end !== undefined) return end
  }
  return undefined
}

function matchesLine(wanted: string, actual: string): boolean {
  const sizes: number[] = []
  const pattern = wanted.split(PARTS).map((part) => {
    if (part === ELISION) return '.*'
    if (TIME.test(part)) return '\\d+(?:\\.\\d+)? ?m?s'
    if (!SIZE.test(part)) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
    sizes.push(Number.parseFloat(part))
    return '(\\d+(?:\\.\\d+)?) KB'
  })
  const found = new RegExp(`^${pattern.join('')}$`).exec(actual)
  return found !== null && sizes.every((size, i) => Math.abs(Number(found[i + 1]) - size) <= size * SIZE_TOLERANCE)
}

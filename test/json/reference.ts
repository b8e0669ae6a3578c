/** What the SDK's reader must make of a document, by Node's own JSON.parse. */

export type Verdict = { tokens: string[] } | { error: RegExp }

const MAX_DEPTH = 64
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g

export function judge(bytes: Uint8Array): Verdict {
  if (!bytes.length) return { tokens: ['{', '}'] }
  let text
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    JSON.parse(text)
  } catch {
    return { error: /^configuration:\d+:\d+: / }
  }
  return readTokens(text)
}

/** The document is valid JSON: what is left are the rules that JSON.parse does not have. */
function readTokens(text: string): Verdict {
  const tokens: string[] = []
  /** Names of each object that is open; null for an array. */
  const open: (Set<string> | null)[] = []
  const errors: RegExp[] = []
  let isName = false
  for (const [token] of text.matchAll(TOKEN)) {
    if (token === '{' || token === '[') {
      open.push(token === '{' ? new Set() : null)
      if (open.length > MAX_DEPTH) errors.push(/: nested too deeply$/)
      isName = token === '{'
      tokens.push(token)
    } else if (token === '}' || token === ']') {
      open.pop()
      tokens.push(token)
    } else if (token === ',') {
      isName = open.at(-1) !== null
    } else if (token === ':') {
      isName = false
    } else if (token.startsWith('"')) {
      const string = JSON.parse(token) as string
      if (/\p{Surrogate}/u.test(string)) errors.push(/: invalid escape$/)
      if (isName) {
        const names = open.at(-1)!
        if (names.has(string)) errors.push(/: duplicate field$/)
        names.add(string)
      } else {
        tokens.push('"')
      }
      tokens.push(Buffer.from(string).toString('latin1'))
    } else if (/^[-\d]/.test(token)) {
      const number = Number(token)
      if (!Number.isFinite(number)) errors.push(/: expected a number that fits into 64 bits, got /)
      tokens.push(bitsOf(number))
    } else {
      tokens.push(token)
    }
  }
  return errors.length ? { error: new RegExp(errors.map(({ source }) => source).join('|')) } : { tokens }
}

export function bitsOf(number: number): string {
  const view = new DataView(new ArrayBuffer(8))
  view.setFloat64(0, number)
  return view.getBigUint64(0).toString(16)
}

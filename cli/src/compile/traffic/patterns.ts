/** Regular expressions of resources as matchers: those that are plain text cost less as such. */
import type { Matcher } from './model.ts'

const PLAIN = /^[\w/~%-]+$/

/** Of the start of a text: what follows is of no matter. Undefined: it matches every text. */
export function startsWith(regex: string): Matcher | undefined {
  const plain = regex.replace(/^\^/, '').replace(/\.\*$/, '')
  if (plain === '') return undefined
  return PLAIN.test(plain) ? { prefix: plain } : { regex: `(?:${regex})(?s:.*)` }
}

/** Of a whole text. */
export function wholly(regex: string): Matcher {
  const plain = regex.replace(/^\^/, '').replace(/\$$/, '')
  return PLAIN.test(plain) ? { exact: plain } : { regex }
}

export const oneOf = (texts: readonly string[]): Matcher =>
  texts.length === 1 ? { exact: texts[0]! } : { regex: texts.join('|') }

const TOKEN = /\\[pP](?:\{[^}]*\}|.)|\\Q|\\.|\[\^?\]?(?:\[:\^?\w+:\]|\\.|[^\]\\])*\]|[.$]/gs
const OPPOSITES: Record<string, string> = { '\\D': '[^\\d?]', '\\W': '[^\\w?]', '\\S': '[^\\s?]' }

/**
 * An expression of a whole path, to be compared with a path that has its query: what could run over the question mark no longer does.
 * Undefined where that cannot be said.
 */
export function beforeQuery(regex: string): string | undefined {
  let isSure = true
  const bounded = regex.replace(/(?<!\\)\$$/, '').replace(TOKEN, (token) => {
    if (token === '.') return '[^?]'
    if (token.startsWith('[^')) return `[^?${token.slice(2)}`
    if (token in OPPOSITES) return OPPOSITES[token]!
    if (/^(\\[?pPQCx0z]|\$)/.test(token)) isSure = false
    else if (token.startsWith('[') && (token.includes('[:') || new RegExp(token).test('?'))) isSure = false
    return token
  })
  return isSure ? `(?:${bounded})(?s:\\?.*)?` : undefined
}

/** Patterns of names and paths. */

import { checkRegex } from '../resources/regex.ts'

/** Any name of parts with dots between them. */
const ANY = '[-0-9_a-z]+(?:\\.[-0-9_a-z]+)*'

/** What `*` stands for. */
const STAR = '[-.0-9a-z]*'

/** A name with `*` for any part of it, as a regular expression without its ends; undefined is any name. */
export function globPattern(pattern: string | undefined): string {
  if (pattern === undefined) return ANY
  const name = pattern.trim().replace(/\.$/, '').toLowerCase()
  const wrong = /[^-.*_0-9a-z]/.exec(name)
  if (wrong || name === '') throw new RangeError('expected a name of letters, digits, - . _; * stands for any text')
  return name.replaceAll('.', '\\.').replaceAll('*', STAR)
}

/** A regular expression of RE2, as Hubble takes them. */
export function parseRegex(text: string): RegExp {
  const problem = checkRegex(text)
  if (problem) throw new RangeError([problem.message, problem.hint].filter(Boolean).join('; '))
  try {
    return toScript(text)
  } catch {
    throw new RangeError(
      'this form of a regular expression is not supported here; write it without its special classes or groups',
    )
  }
}

const CLASSES: ReadonlyMap<string, string> = new Map(
  Object.entries({
    alnum: '0-9A-Za-z',
    alpha: 'A-Za-z',
    digit: '0-9',
    lower: 'a-z',
    space: '\\t\\n\\v\\f\\r ',
    upper: 'A-Z',
    word: '0-9A-Za-z_',
    xdigit: '0-9A-Fa-f',
    punct: '!-\\/:-@\\[-`{-~',
  }),
)

function classOf(name: string): string {
  const characters = CLASSES.get(name)
  if (characters === undefined) throw new RangeError(`there is no class [:${name}:]`)
  return characters
}

/** What RE2 writes in another way than JavaScript. */
function toScript(text: string): RegExp {
  const [, flags = ''] = /^\(\?([ims]+)\)/.exec(text) ?? []
  const source = text
    .replace(/^\(\?[ims]+\)/, '')
    .replace(/\\Q(.*?)(?:\\E|$)/gs, (_, quoted: string) => quoted.replace(/\W/g, '\\$&'))
    .replace(/\[:(\^?\w+):\]/g, (_, name: string) => classOf(name))
    .replace(/\(\?P</g, '(?<')
    .replace(/\\A/g, '^')
    .replace(/\\z/g, '$')
    .replace(/\\x\{([\da-f]+)\}/gi, '\\u{$1}')
    .replace(/\\([pP])([A-Z])/g, '\\$1{$2}')
  // Only with `u` these mean what they mean to RE2.
  return new RegExp(source, flags + (/\\[pP]\{|\\u\{/.test(source) ? 'u' : ''))
}

/** What of a flow may reach a terminal: records come from anywhere, and a control character could rewrite the screen. */

// eslint-disable-next-line no-control-regex -- they are what is looked for
const CONTROLS = /[\0-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

const SHORT: Readonly<Record<string, string>> = { '\x1b': '^[', '\r': '\\r', '\n': '\\n', '\t': '\\t' }

/** A text in one line, without anything that a terminal obeys. Escape and carriage return as Hubble writes them. */
export const escapeText = (text: string): string =>
  text.replace(CONTROLS, (character) => SHORT[character] ?? `\\u${hexadecimal(character)}`)

const JSON_CONTROLS = /[<>&\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g

/** As Go writes JSON: safe within HTML, too. */
export const jsonLine = (json: unknown): string =>
  `${JSON.stringify(json).replace(JSON_CONTROLS, (character) => `\\u${hexadecimal(character)}`)}\n`

const hexadecimal = (character: string) => character.charCodeAt(0).toString(16).padStart(4, '0')

/**
 * Bytes as strings. Inside the host every name and value is a string with one character for each byte, as Node's
 * `latin1` has it: compact, comparable, and no byte is lost. Specs have UTF-8 text.
 */

// eslint-disable-next-line no-control-regex
const ASCII = /^[\x00-\x7f]*$/

/** Text as bytes. */
export function toBinary(text: string): string {
  return ASCII.test(text) ? text : Buffer.from(text, 'utf8').toString('latin1')
}

/** Bytes as text. What is not UTF-8 stays as it is, a character each. */
export function toText(bytes: string): string {
  if (ASCII.test(bytes)) return bytes
  const text = Buffer.from(bytes, 'latin1').toString('utf8')
  return text.includes('\ufffd') ? bytes : text
}

export function toBuffer(data: string | Uint8Array): Buffer {
  return typeof data === 'string' ? Buffer.from(data, 'utf8') : Buffer.from(data.buffer, data.byteOffset, data.length)
}

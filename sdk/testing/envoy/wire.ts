/**
 * Headers between the form of specs and Node's. On the wire a header is bytes: specs have them as UTF-8 text, Node as
 * Latin-1.
 */
import type { OutgoingHttpHeaders } from 'node:http2'

/** Bytes, each a character, as text. What is not UTF-8 stays as it is. */
export function fromWire(bytes: string): string {
  // eslint-disable-next-line no-control-regex
  if (/^[\x00-\x7f]*$/.test(bytes)) return bytes
  const text = Buffer.from(bytes, 'latin1').toString('utf8')
  return text.includes('\ufffd') ? bytes : text
}

/** Text as bytes, each a character. */
export function toWire(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1')
}

/** Node's flat list of names and values. */
export function rawPairs(raw: readonly string[]): [string, string][] {
  const pairs: [string, string][] = []
  for (let i = 0; i + 1 < raw.length; i += 2) pairs.push([raw[i]!.toLowerCase(), fromWire(raw[i + 1]!)])
  return pairs
}

/** For Node's HTTP/2: names with one value or several. */
export function toHttp2Headers(pairs: readonly (readonly [string, string])[]): OutgoingHttpHeaders {
  const headers: Record<string, string | string[]> = {}
  for (const [name, value] of pairs) {
    const key = name.toLowerCase()
    const old = headers[key]
    const text = toWire(value)
    headers[key] = old === undefined ? text : [...(Array.isArray(old) ? old : [old]), text]
  }
  return headers
}

/** HTTP/1.1 headers as Envoy's own filters see them: the host is a pseudo-header there, and chunks are the codec's affair. */
export function withoutFraming(pairs: readonly [string, string][]): [string, string][] {
  return pairs.filter(([name]) => name !== 'host' && name !== 'transfer-encoding')
}

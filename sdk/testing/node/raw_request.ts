/** A request as bytes of HTTP/1.1, read as Envoy's codec reads it. */
import { type LocalResponse } from './context.ts'
import { plainReply } from './local_reply.ts'
import type { Pair } from './pairs.ts'

export interface RawRequest {
  method: string
  path: string
  authority: string
  headers: Pair[]
  body: Buffer
}

/** One request, its body sized. What the codec refuses is its answer. Throws for what this host has no model of. */
export function parseRequest(raw: string | Uint8Array): RawRequest | LocalResponse {
  const text = Buffer.from(raw as string).toString('latin1')
  const end = text.indexOf('\r\n\r\n')
  if (end < 0) throw new Error('`raw` is not a complete request; that is for real Envoy only')
  const [first = '', ...lines] = text.slice(0, end).split('\r\n')
  const start = /^(\S+) (\S+) HTTP\/1\.([01])$/.exec(first)
  if (!start) return codecError()
  const headers: Pair[] = []
  for (const line of lines) {
    const header = /^([!#$%&'*+.^_`|~\w-]+):[ \t]*(.*?)[ \t]*$/s.exec(line)
    if (!header) return codecError()
    headers.push([header[1]!.toLowerCase(), header[2]!])
  }
  if (start[3] === '0') return plainReply(426, 'Upgrade Required', 'low_version')
  if (headers.some(([name]) => name === 'transfer-encoding')) {
    throw new Error('`raw` with chunks is for real Envoy only')
  }
  const hosts = headers.filter(([name]) => name === 'host').map(([, value]) => value)
  if (hosts.length === 0 && start[2]!.startsWith('/')) return plainReply(400, '', 'missing_host_header')
  return {
    method: start[1]!,
    path: start[2]!,
    authority: hosts.join(','),
    headers: headers.filter(([name]) => name !== 'host'),
    body: Buffer.from(text.slice(end + 4), 'latin1'),
  }
}

/** Path and host of an absolute target, whose host goes before the header. */
export function splitTarget(target: string): { path: string; authority?: string } {
  const absolute = /^https?:\/\/(?:[^/?#@]*@)?([^/?#]+)(.*)$/i.exec(target)
  return absolute ? { authority: absolute[1]!, path: absolute[2] || '/' } : { path: target }
}

export const codecError = () => plainReply(400, 'Bad Request', 'http1.codec_error')

/** What Envoy's codec of HTTP/1.1 knows; other methods are refused. */
const METHODS = new Set(
  `ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE MSEARCH NOTIFY
  OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK
  UNSUBSCRIBE`.split(/\s+/),
)

export const isKnownMethod = (method: string) => METHODS.has(method)

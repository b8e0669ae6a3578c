/** A curl command line → the request that it would send. */
import { parseArgs } from 'node:util'
import { addHeader, emptyRequest, headerValues, RequestError, splitUrl, type PolicyRequest } from './request.ts'
import { splitCommand } from './shell.ts'

const text = (short?: string) => ({ type: 'string' as const, multiple: true as const, ...(short && { short }) })
const flag = (short?: string) => ({ type: 'boolean' as const, ...(short && { short }) })

/** Those that make a difference to the request. */
const meaningful = {
  request: text('X'),
  url: text(),
  header: text('H'),
  data: text('d'),
  'data-raw': text(),
  'data-binary': text(),
  'data-ascii': text(),
  'data-urlencode': text(),
  json: text(),
  form: text('F'),
  'form-string': text(),
  'upload-file': text('T'),
  user: text('u'),
  'oauth2-bearer': text(),
  cookie: text('b'),
  'user-agent': text('A'),
  referer: text('e'),
  range: text('r'),
  get: flag('G'),
  head: flag('I'),
  compressed: flag(),
  'path-as-is': flag(),
} as const

/** Those that make none: how curl connects, what it prints. */
const others = {
  ...Object.fromEntries(
    ['resolve', 'connect-to', 'cacert', 'capath', 'cert-type', 'key', 'key-type', 'pass', 'ciphers', 'tls-max'].map(
      (name) => [name, text()],
    ),
  ),
  ...Object.fromEntries(
    [
      'connect-timeout',
      'retry',
      'retry-delay',
      'interface',
      'unix-socket',
      'noproxy',
      'trace',
      'trace-ascii',
      'stderr',
      'limit-rate',
      'max-redirs',
    ].map((name) => [name, text()]),
  ),
  output: text('o'),
  cert: text('E'),
  proxy: text('x'),
  'max-time': text('m'),
  'write-out': text('w'),
  'cookie-jar': text('c'),
  'dump-header': text('D'),
  insecure: flag('k'),
  silent: flag('s'),
  'show-error': flag('S'),
  location: flag('L'),
  verbose: flag('v'),
  include: flag('i'),
  fail: flag('f'),
  'remote-name': flag('O'),
  'no-buffer': flag('N'),
  ipv4: flag('4'),
  ipv6: flag('6'),
  'http1.0': flag('0'),
  ...Object.fromEntries(
    [
      'http1.1',
      'http2',
      'http2-prior-knowledge',
      'http3',
      'fail-with-body',
      'globoff',
      'no-progress-meter',
      'anyauth',
      'basic',
      'tlsv1.2',
      'tlsv1.3',
      'ssl-no-revoke',
      'no-keepalive',
      'tcp-nodelay',
    ].map((name) => [name, flag()]),
  ),
} as const

export function requestFromCurl(command: string): PolicyRequest {
  const words = splitCommand(command.trim())
  if (words[0] && /(^|\/)curl(\.exe)?$/.test(words[0])) words.shift()
  const { values, positionals } = parse(words)
  const urls = [...(values.url ?? []), ...positionals]
  if (urls.length !== 1) {
    throw new RequestError(
      urls.length ? `the command has ${urls.length} URLs: ${urls.join(' ')}` : 'the command has no URL',
    )
  }
  const { user, host, path } = splitUrl(urls[0]!)
  const request = { ...emptyRequest(), host, path: values['path-as-is'] ? path : squashDots(path) }
  const data = dataOf(values)
  if (values.get && data.length) request.path += (path.includes('?') ? '&' : '?') + data.join('&')
  request.method = last(values.request) ?? methodOf(values, data)
  addHeaders(request, values, user, data)
  return request
}

type Values = ReturnType<typeof parse>['values']

function parse(words: string[]) {
  try {
    return parseArgs({
      args: words,
      options: { ...others, ...meaningful },
      allowPositionals: true,
      strict: true,
    })
  } catch (error) {
    throw new RequestError(
      (error as Error).message.replace(/\. To specify.*$/s, '').replace(/^Unknown/, 'unknown curl'),
    )
  }
}

function dataOf(values: Values): string[] {
  const encoded = (values['data-urlencode'] ?? []).map((each) => {
    const [, name = '', rest = each] = /^([^=]*=)(.*)$/s.exec(each) ?? []
    return name + encodeURIComponent(rest)
  })
  const lists = [values.data, values['data-raw'], values['data-binary'], values['data-ascii'], encoded, values.json]
  return lists.flatMap((list) => list ?? [])
}

function methodOf(values: Values, data: readonly string[]): string {
  if (values.head) return 'HEAD'
  if (values.get) return 'GET'
  if (values['upload-file']) return 'PUT'
  return data.length || values.form || values['form-string'] ? 'POST' : 'GET'
}

/** Those of the command line, and those that curl adds unless they are given; `Name:` takes one away, `Name;` sends it empty. */
function addHeaders(request: PolicyRequest, values: Values, user: string | undefined, data: readonly string[]): void {
  const removed = new Set<string>()
  for (const line of values.header ?? []) {
    if (line.startsWith('@')) throw new RequestError('headers from a file (-H @FILE) are not read')
    const [, name, mark, value = ''] = /^([^:;]+)([:;])(.*)$/s.exec(line) ?? []
    if (name === undefined) throw new RequestError(`${JSON.stringify(line)} is no header: expected NAME: VALUE`)
    if (mark === ':' && value.trim() === '') removed.add(name.trim().toLowerCase())
    else addHeader(request, name, mark === ';' ? '' : value)
  }
  const add = (name: string, value: string | undefined) => {
    if (value === undefined || removed.has(name) || headerValues(request, name).length) return
    request.headers.push([name, value])
  }
  const credentials = last(values.user) ?? user
  const bearer = last(values['oauth2-bearer'])
  add('authorization', bearer === undefined ? undefined : `Bearer ${bearer}`)
  add('authorization', credentials && `Basic ${Buffer.from(withColon(credentials)).toString('base64')}`)
  add('user-agent', last(values['user-agent']) ?? 'curl/8')
  add('accept', values.json ? 'application/json' : '*/*')
  add('referer', last(values.referer))
  add('range', values.range && `bytes=${last(values.range)}`)
  add('accept-encoding', values.compressed ? 'deflate, gzip, br, zstd' : undefined)
  const cookies = values.cookie?.filter((each) => each.includes('='))
  if (cookies && cookies.length < values.cookie!.length)
    throw new RequestError('cookies from a file (-b FILE) are not read')
  add('cookie', cookies?.join('; '))
  if (values.json) add('content-type', 'application/json')
  else if (values.form || values['form-string']) add('content-type', 'multipart/form-data')
  else if (data.length && !values.get) add('content-type', 'application/x-www-form-urlencoded')
}

const last = (list: string[] | undefined): string | undefined => list?.at(-1)
const withColon = (credentials: string): string => (credentials.includes(':') ? credentials : `${credentials}:`)

/** curl itself resolves `/./` and `/../` before it sends. */
function squashDots(path: string): string {
  const mark = path.indexOf('?')
  const plain = mark < 0 ? path : path.slice(0, mark)
  const kept: string[] = []
  const segments = plain.split('/').slice(1)
  for (const [index, segment] of segments.entries()) {
    if (segment === '..') kept.pop()
    else if (segment !== '.') kept.push(segment)
    if (index === segments.length - 1 && /^\.\.?$/.test(segment)) kept.push('')
  }
  return `/${kept.join('/')}${mark < 0 ? '' : path.slice(mark)}`
}

/** Random requests that lean on what the policies name. */

import type { Random } from '../json/documents.ts'
import type { AuthorizationPolicy } from './policy.ts'
import { PEERS, SIGNED, VALUES } from './pools.ts'

/** What all requests of one connection share. */
export interface Connection {
  /** Plaintext if undefined. */
  peer?: readonly string[]
  sni?: string
  /** The client's own address, of 127/8. */
  source: string
  /** What a PROXY protocol header says: the client's and the server's end. */
  proxied?: { from: string; to: string; port: number }
  http2: boolean
}

export interface WireRequest {
  method: string
  /** All text is Latin-1: a byte each. */
  path: string
  authority: string
  headers: [name: string, value: string][]
  body?: string
}

/** Values of the policies by what they are of: `paths`, `request.headers[x]` and so on. */
export type Hints = ReadonlyMap<string, readonly string[]>

export function hintsOf(policies: readonly AuthorizationPolicy[]): Hints {
  const hints = new Map<string, string[]>()
  const add = (key: string, values: readonly string[] = []) =>
    hints.set(key, [...(hints.get(key) ?? []), ...values.map(toBytes)])
  for (const { spec } of policies) {
    for (const { from = [], to = [], when = [] } of spec.rules ?? []) {
      const fields = [...from.map(({ source }) => source), ...to.map(({ operation }) => operation)]
      for (const field of fields) {
        for (const [key, values] of Object.entries(field))
          add(
            key.replace(/^not(.)/, (_, c: string) => c.toLowerCase()),
            values,
          )
      }
      for (const { key, values = [], notValues = [] } of when) add(key, [...values, ...notValues])
    }
  }
  return hints
}

/** UTF-8 as Latin-1 text, as it goes onto the wire. */
export const toBytes = (text: string): string => Buffer.from(text, 'utf8').toString('latin1')

export function makeConnection(random: Random, hints: Hints): Connection {
  const names = hints.get('connection.sni') ?? []
  const isV6 = random.below(4) === 0
  const addresses = [...blocks(hints, 'remoteIpBlocks', 'remote.ip', 'destination.ip'), ...VALUES.addresses]
  const ends = addresses.filter((address) => address.includes(':') === isV6)
  const ports = [...(hints.get('ports') ?? []), ...(hints.get('destination.port') ?? []), '80', '8080', '9090'].map(
    Number,
  )
  const direct = [...blocks(hints, 'ipBlocks', 'source.ip'), '127.0.0.1', '127.0.0.2', '127.0.0.3', '127.1.0.1']
  const sources = direct.filter((address) => /^127\.(?!.*\.0$)/.test(address))
  const tls = random.below(4) !== 0
  return {
    ...(tls && { peer: random.pick(PEERS) }),
    ...(tls && random.below(3) && { sni: mutateName(random, random.pick([...names, ...VALUES.names])) }),
    source: random.pick(sources),
    ...(random.below(2) && {
      proxied: { from: random.pick(ends), to: random.pick(ends), port: random.pick(ports) || 1 },
    }),
    http2: random.below(4) === 0,
  }
}

/** Server names are of letters, digits, dots and hyphens. */
function mutateName(random: Random, name: string): string {
  const plain = name.replaceAll(/[^A-Za-z0-9.-]/g, '').replaceAll(/^\.+|\.+$/g, '') || 'a'
  return random.below(3) ? plain : random.pick([plain.toUpperCase(), `a.${plain}`, `${plain}x`])
}

const blocks = (hints: Hints, ...keys: string[]): string[] =>
  keys.flatMap((key) => hints.get(key) ?? []).map((block) => block.split('/')[0]!)

export function makeRequest(random: Random, hints: Hints): WireRequest {
  const headers = makeHeaders(random, hints)
  if (random.below(2)) headers.push(['authorization', `Bearer ${random.pick(SIGNED)}`])
  const body = random.below(8) === 0 ? 'abc' : undefined
  return {
    method: makeMethod(random, hints),
    path: makePath(random, hints),
    authority: makeAuthority(random, hints),
    headers: shuffle(random, headers),
    ...(body !== undefined && { body }),
  }
}

/** One of the policies' own values, filled in where it has stars; or one of the pool. */
function choose(random: Random, hints: Hints, keys: readonly string[], pool: readonly string[]): string {
  const own = keys.flatMap((key) => hints.get(key) ?? [])
  return own.length > 0 && random.below(4) ? fill(random, random.pick(own)) : toBytes(random.pick(pool))
}

const FILLINGS = ['', 'a', 'x/y', '7', '.', '*']

function fill(random: Random, value: string): string {
  return value.replaceAll(/\{\*\*\}|\{\*\}|^\*|\*$/g, (star) => {
    if (star === '{*}') return random.pick(['a', '7', 'users', '', 'a.b', 'x%20y', 'a/b'])
    if (star === '{**}') return random.pick(['a', 'a/b/c', '', 'v1/users', '/'])
    return random.pick(FILLINGS)
  })
}

function makeMethod(random: Random, hints: Hints): string {
  const method = choose(random, hints, ['methods', 'request.headers[:method]'], ['GET', 'POST', ...VALUES.methods])
  const mutated = random.below(10) ? method : random.pick([method.toLowerCase(), `${method}X`, method.slice(0, -1)])
  const plain = mutated.replaceAll(/[^A-Za-z-]/g, '')
  return plain === 'CONNECT' || plain === '' ? 'GET' : plain
}

function makePath(random: Random, hints: Hints): string {
  let path = choose(random, hints, ['paths', 'request.headers[:path]'], VALUES.paths)
  for (let i = random.pick([0, 0, 1, 1, 2]); i > 0; i--) path = mutatePath(random, path)
  // Spaces and control characters end the request line.
  path = path.replaceAll(/[\0-\x20\x7f]/g, '')
  return path.startsWith('/') || path.startsWith('http://') ? path : `/${path}`
}

function mutatePath(random: Random, path: string): string {
  const at = random.below(path.length + 1)
  const insert = (text: string) => path.slice(0, at) + text + path.slice(at)
  switch (random.below(16)) {
    case 0:
    case 1:
    case 2:
      return `${path}${random.pick(['?', '?x=1', '?a/b', '?/admin', '?x=%2f', '#f', '#/a?b', '?a#b'])}`
    case 3:
      return path.replace('/', random.pick(['//', '/./', '/x/../', '/%2e/', '/%2E%2e/', '\\']))
    case 4:
      return insert(random.pick(['%2f', '%2F', '%5c', '%00', '%', '%zz', '%c3%a4', '%25']))
    case 5:
      return insert(random.pick(['.', '/', ';', ';a=b', '/..;/', '//', '\\', '/../', '/./']))
    case 6:
      return path.replace(/[a-z]/, (letter) => `%${letter.charCodeAt(0).toString(16)}`)
    case 7:
      return random.below(2) ? path.toUpperCase() : path.replace(/[a-z]/, (letter) => letter.toUpperCase())
    case 8:
      return random.pick([
        `${path}/`,
        `${path}/x`,
        `${path}x`,
        `x${path}`,
        `/x${path}`,
        path.slice(0, -1),
        path.slice(1),
      ])
    case 9:
      return insert(random.pick(['ä', '\xff', '\xc0\xaf', '[', ']', '{', '}', '|', '^', '`', '"', '<', '*']))
    case 10:
      return `http://${random.pick(VALUES.hosts)}${path}`
    case 11:
      return `${path}?${'a'.repeat(random.pick([10, 300, 5000]))}`
    default:
      return path
  }
}

function makeAuthority(random: Random, hints: Hints): string {
  const keys = ['hosts', 'request.headers[:authority]', 'request.headers[Host]']
  const host = choose(random, hints, keys, VALUES.hosts).replaceAll(/[^\w.:[\]-]/g, '') || 'a'
  switch (random.below(10)) {
    case 0:
      return `${host}:8080`
    case 1:
      return host.toUpperCase()
    case 2:
      return random.pick([`${host}.`, `a.${host}`, `${host}.evil`, `evil-${host}`])
    default:
      return host
  }
}

function makeHeaders(random: Random, hints: Hints): [string, string][] {
  const headers: [string, string][] = []
  for (const key of hints.keys()) {
    const name = /^request\.headers\[(.+)\]$/.exec(key)?.[1]
    if (name === undefined || PSEUDO.has(name) || random.below(5) === 0) continue
    for (let i = random.pick([1, 1, 1, 2, 3]); i > 0; i--)
      headers.push([makeName(random, name), makeValue(random, hints, key)])
  }
  for (let i = random.below(3); i > 0; i--) {
    const name = random.pick(VALUES.headerNames)
    headers.push([makeName(random, name), makeValue(random, hints, `request.headers[${name}]`)])
  }
  if (random.below(4) === 0 || hints.has('experimental.envoy.filters.http.custom[header]')) {
    headers.push(['x-meta', makeValue(random, hints, 'experimental.envoy.filters.http.custom[header]')])
  }
  if (random.below(4) === 0 || hints.has('remote.ip') || hints.has('remoteIpBlocks'))
    headers.push(['x-forwarded-for', forwarded(random, hints)])
  return headers
}

/** What is not a line of its own, or means something to the framing. */
const PSEUDO = new Set([':path', ':method', ':authority', 'Host', ':scheme', 'content-length'])

const makeName = (random: Random, name: string): string => (random.below(4) ? name : name.toUpperCase())

function makeValue(random: Random, hints: Hints, key: string): string {
  const value = choose(random, hints, [key], [...VALUES.headerValues, ''])
  const mutated = random.below(4)
    ? value
    : random.pick([
        value.toUpperCase(),
        `${value},user`,
        `user, ${value}`,
        `${value}x`,
        ` ${value} `,
        value.slice(1),
        '',
        `${value}\xff`,
      ])
  // No control characters.
  return mutated.replaceAll(/[^\t\x20-\x7e\x80-\xff]/g, '')
}

function forwarded(random: Random, hints: Hints): string {
  const addresses = [...blocks(hints, 'remoteIpBlocks', 'remote.ip', 'source.ip', 'ipBlocks'), ...VALUES.addresses]
  const entry = () => {
    const address = random.pick(addresses)
    return random.below(5)
      ? address
      : random.pick([`${address}:80`, `[${address}]`, 'garbage', '', ` ${address}`, '10.0.0.256'])
  }
  return Array.from({ length: random.pick([1, 1, 2, 3]) }, entry).join(random.pick([',', ', ']))
}

function shuffle<T>(random: Random, items: T[]): T[] {
  for (let i = items.length - 1; i > 0; i--) {
    const j = random.below(i + 1)
    ;[items[i], items[j]] = [items[j]!, items[i]!]
  }
  return items
}

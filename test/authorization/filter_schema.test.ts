/** What `schema.json` refuses the filter refuses too, and the other way round: a document with everything in it, each of whose parts is changed in turn. */
import { expect, test } from 'vitest'
import wasm from '../../filters/authorization/assembly/index.ts?filter'
import { authorization } from '../fuzz/authorization.ts'
import { ReaderModule } from '../json/module.ts'

const TEXTS = [{ exact: 'a' }, { prefix: 'b' }, { suffix: 'c' }, { present: true }, { regex: 'd+' }]
const TEXT = [{ exact: 'a' }]
const BLOCKS = ['10.0.0.0/8', '::1']
const PORTS = [80, { from: 8000, to: 8100 }]
const TOKENS = [{ issuer: { exact: 'i' }, subject: { prefix: 's' } }, { subject: { regex: 't' } }, {}]
const BODY = { maxRequestBytes: 10, allowPartialMessage: true, packAsBytes: false }

const DOCUMENT = {
  $schema: 'schema.json',
  version: 1,
  mode: 'audit',
  record: 'all',
  denial: { status: 404, body: 'no' },
  policies: [
    {
      name: 'p',
      action: 'ALLOW',
      dryRun: false,
      rules: [
        {
          from: [
            { principals: TEXTS, notNamespaces: TEXT, serviceAccounts: TEXT, notTrustDomains: TEXT },
            { requestPrincipals: TOKENS, ipBlocks: BLOCKS, notRemoteIpBlocks: BLOCKS },
          ],
          to: [{ methods: TEXT, notPaths: [...TEXT, { template: '/a/{*}/b/{**}' }], hosts: TEXT, notPorts: PORTS }],
          when: [
            { header: 'x-a', joined: true, values: TEXT, notValues: TEXT },
            { claim: ['a', 'b'], notValues: TEXT },
            { metadata: { filter: 'f', path: ['a'] }, list: true, values: TEXT },
            { attribute: 'source.ip', values: ['::/0'] },
            { attribute: 'destination.port', notValues: [1] },
            { attribute: 'source.principal', values: TEXT },
            { attribute: 'request.principal', values: [{}] },
          ],
          headerActions: [{ header: 'x-b', value: 'v', onMismatch: 'ADD' }],
        },
        {},
      ],
    },
    { name: 'd', action: 'DENY', dryRun: true, rules: [] },
    { name: 'c', action: 'CUSTOM', provider: 'http', rules: [{}] },
  ],
  providers: {
    http: {
      http: {
        cluster: 'c',
        authority: 'a',
        timeoutMs: 1,
        failOpen: true,
        statusOnError: 503,
        includeRequestBodyInCheck: BODY,
        pathPrefix: '/p',
        includeRequestHeadersInCheck: TEXTS.slice(0, 3),
        includeAdditionalHeadersInCheck: { 'x-c': 'v' },
        headersToUpstreamOnAllow: TEXTS.slice(0, 1),
        headersToDownstreamOnDeny: [],
      },
    },
    grpc: { grpc: { cluster: 'c', clearRouteCache: true, includeRequestBodyInCheck: {} } },
  },
}

/** What is put in the place of every value. */
const OTHERS = [
  ...[null, true, false, 0, 1, -1, 1.5, 65535, 65536, 4294967296],
  ...['', 'a', 'A', '/', '(', '::1', '10.0.0.1/33', 'p', 'CUSTOM', 'source.ip', 'audit'],
  ...[
    [],
    [[]],
    ['a'],
    [1],
    {},
    [{}],
    { a: 1 },
    { exact: 'a' },
    [{ exact: '' }],
    [{ prefix: '' }],
    [{ present: false }],
  ],
  ...[[{ regex: '^a$' }], [{ regex: '[' }], { template: '/{*}' }, { from: 2, to: 1 }, { exact: 'a', prefix: 'b' }],
]

/** As JSON: what the changes work on. */
const COMPLETE = JSON.parse(JSON.stringify(DOCUMENT)) as Json

type Json = null | boolean | number | string | Json[] | { [name: string]: Json }
type Path = readonly (string | number)[]

/** All places in a document. */
function* places(json: Json, path: Path = []): Iterable<Path> {
  yield path
  if (typeof json !== 'object' || json === null) return
  for (const [name, value] of Object.entries(json))
    yield* places(value, [...path, Array.isArray(json) ? Number(name) : name])
}

/** A copy of the document with another value at a place; undefined takes it away. */
function changed(json: Json, [name, ...rest]: Path, value: unknown): Json {
  if (name === undefined) return value as Json
  const copy = structuredClone(json) as Record<string | number, Json>
  if (rest.length > 0) copy[name] = changed(copy[name]!, rest, value)
  else if (value !== undefined) copy[name] = value as Json
  else if (Array.isArray(copy)) copy.splice(Number(name), 1)
  else delete copy[name]
  return copy
}

const written = (path: Path) =>
  path.map((name, index) => (typeof name === 'number' ? `[${name}]` : (index ? '.' : '') + name)).join('')

const filter = new ReaderModule(wasm)

/** What the filter says of a document; undefined when it takes it. */
function refusal(document: Json): string | undefined {
  const { accepted, error } = filter.read(JSON.stringify(document))
  return accepted ? undefined : (error ?? 'no message')
}

test('the complete document is taken', () => {
  expect(refusal(COMPLETE)).toBeUndefined()
  expect(authorization.isValid(COMPLETE)).toBe(true)
})

test('each part changed in turn', () => {
  const wrong: object[] = []
  const counted = { taken: 0, refused: 0 }
  for (const path of places(COMPLETE)) {
    const isObject = !Array.isArray(path.reduce((json, name) => (json as never)[name], COMPLETE))
    const changes: [Path, unknown][] = OTHERS.map((value) => [path, value])
    if (path.length > 0) changes.push([path, undefined])
    if (isObject && path.length > 0) changes.push([[...path.slice(0, -1), 'unknown'], 1])
    for (const [place, value] of changes) {
      if (typeof place.at(-1) === 'string' && typeof path.at(-1) === 'number') continue
      const document = changed(COMPLETE, place, value)
      const message = refusal(document)
      counted[message === undefined ? 'taken' : 'refused']++
      if ((message === undefined) !== authorization.isValid(document))
        wrong.push({ place: written(place), value, message })
      if (message !== undefined && !names(message, place)) wrong.push({ place: written(place), value, message })
    }
  }
  expect(wrong).toEqual([])
  expect(Math.min(counted.taken, counted.refused)).toBeGreaterThan(500)
})

/** Whether a message names the place, one around it or within it, or one beside it, which no longer goes with it. */
function names(message: string, place: Path): boolean {
  const found = /^configuration:\d+:\d+: ([^\s:]+): ./.exec(message)?.[1]
  if (found === undefined) return place.length < 2
  return found.startsWith(written(place.slice(0, -1))) || written(place).startsWith(found)
}

const rule = (value: object, action = 'ALLOW') => ({ version: 1, policies: [{ name: 'p', action, rules: [value] }] })

test.each([
  ['version', { version: 2, policies: [] }],
  ['polices', { version: 1, policies: [], polices: [] }],
  ['mode', { version: 1, mode: 'AUDIT', policies: [] }],
  ['denial.status', { version: 1, denial: { status: 200 }, policies: [] }],
  ['policies[0].action', { version: 1, policies: [{ name: 'p', action: 'LOG', rules: [] }] }],
  ['policies[0]', { version: 1, policies: [{ name: 'p', action: 'CUSTOM', rules: [] }] }],
  ['policies[0].dryRun', { version: 1, policies: [{ name: 'p', action: 'AUDIT', dryRun: true, rules: [] }] }],
  ['policies[0].rules[0].headerActions', rule({ headerActions: [] }, 'DENY')],
  ['policies[0].rules[0].headerActions[0].header', rule({ headerActions: [{ header: 'X', onMismatch: 'LOG' }] })],
  ['policies[0].rules[0].from', rule({ from: [] })],
  ['policies[0].rules[0].to[0]', rule({ to: [{}] })],
  ['policies[0].rules[0].to[0].ports[1].to', rule({ to: [{ ports: [1, { from: 2, to: 1 }] }] })],
  ['policies[0].rules[0].to[0].notPaths[0].template', rule({ to: [{ notPaths: [{ template: 'a' }] }] })],
  ['policies[0].rules[0].to[0].hosts[0]', rule({ to: [{ hosts: [{ template: '/a' }] }] })],
  ['policies[0].rules[0].from[0].ipBlocks[0]', rule({ from: [{ ipBlocks: ['10.0.0'] }] })],
  [
    'policies[0].rules[0].from[0].requestPrincipals[0].issuer',
    rule({ from: [{ requestPrincipals: [{ issuer: {} }] }] }),
  ],
  [
    'policies[0].rules[0].from[0].requestPrincipals[0].subject.regex',
    rule({ from: [{ requestPrincipals: [{ subject: { regex: 'a|^b' } }] }] }),
  ],
  ['policies[0].rules[0].when[0]', rule({ when: [{ header: 'a', claim: ['a'], values: [{ exact: 'a' }] }] })],
  ['policies[0].rules[0].when[0].values[0].regex', rule({ when: [{ header: 'a', values: [{ regex: '(?=a)' }] }] })],
  ['policies[0].rules[0].when[0].values[0]', rule({ when: [{ attribute: 'source.ip', values: ['localhost'] }] })],
  ['policies[0].rules[0].when[0].list', rule({ when: [{ header: 'a', list: true, values: [{ exact: 'a' }] }] })],
  ['providers.a', { version: 1, policies: [], providers: { a: {} } }],
  ['providers.a.http', { version: 1, policies: [], providers: { a: { http: {} } } }],
])('%s is named', (place, document) => {
  expect(authorization.isValid(document)).toBe(false)
  expect(refusal(document as Json)).toMatch(/^configuration:\d+:\d+: /)
  expect(
    refusal(document as Json)!
      .replace(/^configuration:\d+:\d+: /, '')
      .split(':')[0],
  ).toBe(place)
})

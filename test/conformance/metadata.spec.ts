/** What filters in front leave: dynamic metadata, filter state, and the addresses of a listener that is somewhere else. */
import type { NodeRequestInit } from '@meshscript/sdk/testing'
import { describe, expect, test } from 'vitest'
import { sharedProbe } from './probe/probe.ts'
import { path } from './probe/script.ts'
import { has } from '../matrix/facts.ts'

/** Only numbers that are exact, and one key in each map: Envoy lists maps in no special order. */
const METADATA = {
  'envoy.filters.http.jwt_authn': { payload: { iss: 'iss@test' } },
  text: { a: 'ü' },
  empty: { a: '' },
  number: { a: 1.5 },
  yes: { a: true },
  nothing: { a: null },
  list: { a: ['x', 2, false, ['y'], { b: 'z' }] },
  struct: { a: { b: { c: 'd' } } },
  none: {},
}
const DIRECT = 'meshscript.direct_remote_address'

/** An address of this process alone. */
const LISTEN = {
  address: `127.${64 + (process.pid >> 16)}.${(process.pid >> 8) & 255}.${process.pid & 255}`,
  port: 8080,
}

const probe = sharedProbe({
  metadata: METADATA,
  listen: LISTEN,
  tls: { permissive: true },
  connectionManager: {
    http_filters: [
      {
        name: 'direct',
        typed_config: {
          '@type': 'type.googleapis.com/envoy.extensions.filters.http.set_filter_state.v3.Config',
          on_request_headers: [
            {
              object_key: DIRECT,
              factory_key: 'envoy.string',
              format_string: {
                text_format_source: { inline_string: '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT%' },
              },
            },
          ],
        },
      },
    ],
  },
})
const property = (...segments: string[]) => ['property', path(...segments)] as const
const of = (...segments: string[]) => property('metadata', 'filter_metadata', ...segments)

/** Lines of the log without what was asked for. */
async function answers(
  operations: readonly (readonly [string, ...(string | number)[]])[],
  init: NodeRequestInit = {},
): Promise<string[]> {
  await probe().request({ request_headers: operations }, init)
  await probe().waitFor((log) => log.length > operations.length)
  return probe()
    .log.slice(1)
    .map((line) => line.replace(/^.*? -> /, ''))
}

describe('dynamic metadata', () => {
  test('by path: text, numbers, lists and structs', async () => {
    expect(
      await answers([
        of('envoy.filters.http.jwt_authn', 'payload', 'iss'),
        of('envoy.filters.http.jwt_authn', 'payload'),
        of('envoy.filters.http.jwt_authn'),
        of('text', 'a'),
        of('empty', 'a'),
        of('number', 'a'),
        of('yes', 'a'),
        of('nothing', 'a'),
        of('nothing'),
        of('list', 'a'),
        of('list', 'a', '0'),
        of('struct', 'a'),
        of('struct', 'a', 'b', 'c'),
        of('none'),
        of('text', 'missing'),
        of('missing'),
        of('missing', 'a'),
      ]),
    ).toMatchInlineSnapshot(`
      [
        "0 "iss@test"",
        "0 "\\x01\\x00\\x00\\x00\\x03\\x00\\x00\\x00\\x08\\x00\\x00\\x00iss\\x00iss@test\\x00"",
        "0 "\\x01\\x00\\x00\\x00\\x07\\x00\\x00\\x00\\x19\\x00\\x00\\x00payload\\x00\\x01\\x00\\x00\\x00\\x03\\x00\\x00\\x00\\x08\\x00\\x00\\x00iss\\x00iss@test\\x00\\x00"",
        "0 "\\xc3\\xbc"",
        "0 null 0",
        "0 "\\x00\\x00\\x00\\x00\\x00\\x00\\xf8?"",
        "0 "\\x01"",
        "3",
        "3",
        "0 "\\x05\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x08\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x0f\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x10\\x00\\x00\\x00\\x00\\x00\\x00\\x00x\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00@\\x00\\x00\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00y\\x00\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x01\\x00\\x00\\x00b\\x00z\\x00\\x00\\x00"",
        "0 "x"",
        "0 "\\x01\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x10\\x00\\x00\\x00b\\x00\\x01\\x00\\x00\\x00\\x01\\x00\\x00\\x00\\x01\\x00\\x00\\x00c\\x00d\\x00\\x00"",
        "0 "d"",
        "0 "\\x00\\x00\\x00\\x00"",
        "1",
        "1",
        "1",
      ]
    `)
  })

  test('as a whole it is the message, with its types', async () => {
    const [line] = await answers([property('metadata')])
    // Entries of a map come in no special order: compared are the bytes of which it consists.
    const bytes = (text: string) => [...text].sort().join('')
    expect(line).toMatch(/^0 /)
    expect(bytes(line!)).toMatchInlineSnapshot(
      `"    """&****+-...0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000011111111111111111111111111111111111111111111111111111111111111112222222222222222222222222222223333333333444444555566777777888888999999<?@@B\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\\_aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaabbbbbccccccccddeeeeeeeeeffghhhiiiiijlllmmnnnnnnnooooppprrrsssssssssttttttttttttttuuuvwxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxyyyyyz"`,
    )
  })
})

test('filter state of native filters is read by its key', async () => {
  const source = '127.0.0.9'
  expect(
    await answers([property('filter_state', DIRECT), property('filter_state', 'missing')], {
      source,
      filterState: { [DIRECT]: source },
    }),
  ).toMatchInlineSnapshot(`
    [
      "0 "127.0.0.9"",
      "1",
    ]
  `)
})

describe('addresses', () => {
  test('of the listener', async () => {
    expect(
      await answers([property('destination', 'address'), ['property_number', path('destination', 'port')]]),
    ).toEqual([`0 "${LISTEN.address}:${LISTEN.port}"`, `0 ${LISTEN.port}`])
  })

  test.for([
    ['10.1.2.3', '0 "10.1.2.3:0"'],
    ['2001:DB8:0:0::1', '0 "[2001:db8::1]:0"'],
    ['::ffff:10.0.0.1', '0 "[::ffff:10.0.0.1]:0"'],
    ['::', '0 "[::]:0"'],
    ['2001:db8::1%01', '0 "[2001:db8::1%1]:0"'],
    ['::ffff:10.0.0.1%7', '0 "[::ffff:10.0.0.1%7]:0"'],
    ['fe80::1%0', '0 "[fe80::1]:0"'],
    [' 10.1.2.3 ', '0 "10.1.2.3:0"'],
  ] as const)('of the client, from X-Forwarded-For: %s', async ([value, expected]) => {
    const headers = { 'x-forwarded-for': `1.1.1.1,${value}` }
    expect(await answers([property('source', 'address')], { headers })).toEqual([expected])
  })

  test.for([
    '10.1.2',
    '010.1.2.3',
    '10.1.2.3:80',
    '[::1]',
    '10.1.2.3/8',
    '',
    'unknown',
    '1.2.3.4;',
    '10.0.0.1%1',
    'fe80::1%',
    'fe80::1%1%1',
    'fe80::1%-1',
    'fe80::1%4294967296',
  ])('not from X-Forwarded-For: %s', async (value) => {
    const headers = { 'x-forwarded-for': `1.1.1.1,${value}` }
    const [line] = await answers([property('source', 'address')], { headers, source: '127.0.0.9' })
    expect(line).toMatch(/^0 "127\.0\.0\.9:\d{2,}"$/)
  })
})

test('the server name is in lower case', async () => {
  const sni = property('connection', 'requested_server_name')
  const peer = 'spiffe://cluster.local/ns/a/sa/b'
  expect(await answers([sni], { sni: 'WWW.Example.com', peer })).toEqual(['0 "www.example.com"'])
  // Empty, so nothing is allocated.
  expect(await answers([sni], { peer })).toEqual(['0 null 0'])
  expect(await answers([sni])).toEqual(['0 null 0'])
})

test('several names in the client’s certificate', async () => {
  const peer = ['spiffe://cluster.local/ns/a/sa/b', 'a.example.com', 'spiffe://cluster.local/ns/a/sa/c']
  const [uri, dns, pem] = await answers(
    [
      property('connection', 'uri_san_peer_certificate'),
      property('connection', 'dns_san_peer_certificate'),
      ['property_known', path('connection', 'peer_certificate')],
    ],
    { peer },
  )
  const known = has('peerCertificate') ? '0 some' : '1'
  expect([uri, dns, pem]).toEqual(['0 "spiffe://cluster.local/ns/a/sa/b"', '0 "a.example.com"', known])
})

describe('raw requests', () => {
  test.for([
    ['GET /a HTTP/1.1\r\nHost: h\r\n\r\n', 'h /a'],
    ['GET http://h.example/a?b HTTP/1.1\r\nHost: other\r\n\r\n', 'h.example /a?b'],
    ['GET HTTP://H.example:81/a HTTP/1.1\r\nHost: o\r\n\r\n', 'H.example:81 /a'],
    ['GET https://u@h.example HTTP/1.1\r\nHost: o\r\n\r\n', 'h.example /'],
    ['GET http://h.example/a HTTP/1.1\r\n\r\n', 'h.example /a'],
    ['GET /a HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n', 'a,b /a'],
    ['POST /a HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\n\r\nok', 'a /a'],
  ] as const)('%j', async ([raw, expected]) => {
    const script = { request_headers: [property('request', 'host'), property('request', 'path')] }
    const { status } = await probe().request(script, { raw })
    const seen = probe()
      .log.slice(1)
      .map((line) => /"(.*)"$/.exec(line)?.[1])
    expect([status, seen.join(' ')]).toEqual([200, expected])
  })

  test.for([
    ['GET /a HTTP/1.0\r\nHost: h\r\n\r\n', 426, 'low_version'],
    ['GET /a HTTP/1.1\r\n\r\n', 400, 'missing_host_header'],
    ['GET /a HTTP/1.1\r\nHost: h\r\nno header\r\n\r\n', 400, 'http1.codec_error'],
    ['GET a HTTP/1.1\r\nHost: h\r\n\r\n', 400, 'http1.codec_error'],
    ['get /a HTTP/1.1\r\nHost: h\r\n\r\n', 400, 'http1.codec_error'],
    ['FOO /a HTTP/1.1\r\nHost: h\r\n\r\n', 400, 'http1.codec_error'],
  ] as const)('refused: %j', async ([raw, status, details]) => {
    expect(await probe().request({ request_headers: [] }, { raw })).toMatchObject({ status, details })
    expect(probe().log).toEqual([])
  })
})

describe('normalized paths', () => {
  const host = sharedProbe({ connectionManager: { normalize_path: true } })
  test.for([
    ...[...'!"$&\'()*+,-.:;<=>@[]^_`{|}~'].map((character) => `/a${character}b`),
    '/a\\b',
    '/%zz',
    '/a%',
    '/%7b%22%5E',
    '/a?{"}',
    '/%61/%2e%2E/%2f',
  ])('%s', async (sent) => {
    const { upstream } = await host().host.request({ path: sent })
    // As a browser writes it: Envoy uses the same library.
    const unreserved = sent.replace(/%(61|2e)/gi, (escape) => decodeURIComponent(escape))
    const { pathname, search } = new URL(`http://h${unreserved}`)
    const expected = pathname.replace(/[\^|]/g, (character) => `%${character.charCodeAt(0).toString(16).toUpperCase()}`)
    expect(upstream?.path).toBe(sent.includes('?') ? sent.replace(/^[^?]*/, pathname) : `${expected}${search}`)
  })

  test('with a zero byte are refused', async () => {
    const refused = await host().host.request({ path: '/a%00b' })
    expect(refused).toMatchObject({ status: 400, details: 'path_normalization_failed' })
    expect(await host().host.request({ path: '/a?%00' })).toMatchObject({ status: 200 })
  })
})

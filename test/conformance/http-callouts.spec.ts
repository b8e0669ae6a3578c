/** HTTP callouts: abi.md 3.3. */
import { cluster } from '@meshscript/sdk/testing'
import { describe, expect, test } from 'vitest'
import { sharedProbe } from './probe/probe.ts'
import {
  ALL,
  CALL_BODY,
  CALL_HEADERS,
  CALL_TRAILERS,
  type Operation,
  pairs,
  REQUEST,
  REQUEST_BODY,
  REQUEST_HEADERS,
  RESPONSE,
} from './probe/script.ts'
import { has } from '../matrix/facts.ts'

const probe = sharedProbe({
  clusters: {
    auth: cluster.http(({ body }) => ({
      status: 401,
      headers: { 'x-reason': 'none' },
      body: `re: ${body.toString()}`,
    })),
    empty: cluster.http(() => 204),
    trailers: cluster.http(() => ({ body: 'b', trailers: { 'x-t': '1' } }), { protocol: 'http2' }),
    refused: cluster.refused(),
    hang: cluster.hang(),
    reset: cluster.reset(),
    broken: cluster.reset({ afterHeaders: true }),
  },
})

const headers = pairs({ ':method': 'POST', ':path': '/check', ':authority': 'auth' })
const call = (to: string, { timeout = 1000, body = '', name = 'c' } = {}): Operation => [
  'http_call',
  name,
  to,
  timeout,
  headers,
  body,
  '',
]
const hold = ['return', 1] as const
const resume = [
  ['effective', '$stream'],
  ['continue', REQUEST],
] as const
const answer = [
  ['get', CALL_HEADERS, ':status'],
  ['get_buffer', CALL_BODY, 0, ALL],
  ['get', CALL_TRAILERS, 'x-t'],
  ['status'],
] as const

describe('an answer', () => {
  test('comes to the root context, with its own maps and buffer', async () => {
    await probe().request({
      request_headers: [call('auth', { body: 'question' }), hold],
      http_call_response: [
        ...answer,
        ['get', CALL_HEADERS, 'x-reason'],
        ['get', REQUEST_HEADERS, ':path'],
        ...resume,
        ['get', REQUEST_HEADERS, ':path'],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'http_call c auth 1000 <70 bytes> question  -> 0',
      'http_call_response c 4 12 0',
      'get 6 :status -> 0 "401"',
      'get_buffer 4 0 4294967295 -> 0 "re: question"',
      'get 7 x-t -> 2',
      'status -> 0 0 ""',
      'get 6 x-reason -> 0 "none"',
      'get 0 :path -> 2',
      'effective $stream -> 0',
      'continue 0 -> 0',
      'get 0 :path -> 2',
    ])
    expect(probe().host.callouts.at(-1)).toMatchObject({
      cluster: 'auth',
      method: 'POST',
      path: '/check',
      authority: 'auth',
    })
    expect(probe().host.callouts.at(-1)!.body.toString()).toBe('question')
  })

  test('without body', async () => {
    await probe().request({ request_headers: [call('empty'), hold], http_call_response: [...answer, ...resume] })
    await probe().expectLog([
      'request_headers 6 1',
      'http_call c empty 1000 <70 bytes>   -> 0',
      'http_call_response c 2 0 0',
      'get 6 :status -> 0 "204"',
      'get_buffer 4 0 4294967295 -> 0 null 0',
      'get 7 x-t -> 2',
      'status -> 0 0 ""',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })

  test('with trailers', async () => {
    await probe().request({
      request_headers: [call('trailers'), hold],
      http_call_response: [...answer, ['pairs', CALL_TRAILERS], ...resume],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'http_call c trailers 1000 <70 bytes>   -> 0',
      'http_call_response c 2 1 1',
      'get 6 :status -> 0 "200"',
      'get_buffer 4 0 4294967295 -> 0 "b"',
      'get 7 x-t -> 0 "1"',
      'status -> 0 0 ""',
      'pairs 7 -> 0 {x-t=1}',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })

  test('headers that are sent: a content-length is added, x-forwarded-for is not', async () => {
    const before = probe().host.callouts.length
    const own = pairs([
      [':method', 'POST'],
      [':path', '/check?a=b'],
      [':authority', 'auth.test'],
      ['x-a', '1'],
      ['x-a', '2'],
      ['x-envoy-max-retries', '0'],
    ])
    await probe().request({
      request_headers: [['http_call', 'c', 'auth', 1000, own, 'text', ''], hold],
      http_call_response: resume,
    })
    const seen = probe().host.callouts[before]!
    expect(seen).toMatchObject({ path: '/check?a=b', authority: 'auth.test' })
    expect(seen.headers.getAll('x-a')).toEqual(['1', '2'])
    expect(seen.headers.get('content-length')).toBe('4')
    expect(seen.headers.has('x-forwarded-for')).toBe(false)
    expect(seen.headers.has('x-envoy-expected-rq-timeout-ms')).toBe(true)
  })

  test('trailers are not sent', async () => {
    const before = probe().host.callouts.length
    await probe().request({
      request_headers: [['http_call', 'c', 'trailers', 1000, headers, 'x', pairs({ 'x-sum': '1' })], hold],
      http_call_response: resume,
    })
    expect(probe().host.callouts[before]!.trailers.has('x-sum')).toBe(false)
  })
})

describe('a failure', () => {
  test('refused: looks like a 503', async () => {
    await probe().request({
      request_headers: [call('refused'), hold],
      http_call_response: [['get', CALL_HEADERS, ':status'], ...resume],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'http_call c refused 1000 <70 bytes>   -> 0',
      `http_call_response c 3 ${has('shortConnectError') ? 98 : 167} 0`,
      'get 6 :status -> 0 "503"',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })

  test('the body of the 503 says why', async () => {
    await probe().request({
      request_headers: [call('refused'), hold],
      http_call_response: [['get_buffer', CALL_BODY, 0, 22], ...resume],
    })
    expect(probe().log).toContain('get_buffer 4 0 22 -> 0 "upstream connect error"')
  })

  test('timeout: looks like a 504', async () => {
    await probe().request({
      request_headers: [call('hang', { timeout: 50 }), hold],
      http_call_response: [...answer, ...resume],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'http_call c hang 50 <70 bytes>   -> 0',
      'http_call_response c 3 24 0',
      'get 6 :status -> 0 "504"',
      'get_buffer 4 0 4294967295 -> 0 "upstream request timeout"',
      'get 7 x-t -> 2',
      'status -> 0 0 ""',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })

  test('reset before the headers: looks like a 503', async () => {
    await probe().request({
      request_headers: [call('reset'), hold],
      http_call_response: [['get', CALL_HEADERS, ':status'], ...resume],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'http_call c reset 1000 <70 bytes>   -> 0',
      'http_call_response c 3 95 0',
      'get 6 :status -> 0 "503"',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })

  test('reset in the middle: no headers, no body, a status', async () => {
    await probe().request({
      request_headers: [call('broken'), hold],
      http_call_response: [...answer, ['pairs', CALL_HEADERS], ...resume],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'http_call c broken 1000 <70 bytes>   -> 0',
      'http_call_response c 0 0 0',
      'get 6 :status -> 2',
      'get_buffer 4 0 4294967295 -> 1',
      'get 7 x-t -> 2',
      'status -> 0 11 "reset"',
      'pairs 6 -> 0 null',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })
})

describe('a call that is refused at once', () => {
  test('an unknown cluster', async () => {
    await probe().request({ request_headers: [call('nowhere')], http_call_response: [] })
    await probe().expectLog(['request_headers 6 1', 'http_call c nowhere 1000 <70 bytes>   -> 2 and wrote 0'])
  })

  test.for([':method', ':path', ':authority'])('without %s', async (missing) => {
    const all = Object.entries({ ':method': 'GET', ':path': '/', ':authority': 'a' })
    const block = pairs(all.filter(([name]) => name !== missing))
    await probe().request({
      request_headers: [['http_call', 'c', 'auth', 1000, block, '', '']],
      http_call_response: [],
    })
    await probe().expectLog([`request_headers 6 1`, `http_call c auth 1000 <${block.length} bytes>   -> 2 and wrote 0`])
  })

  test('a negative timeout', async () => {
    await probe().request({ request_headers: [call('auth', { timeout: -1 })], http_call_response: [] })
    await probe().expectLog(['request_headers 6 1', 'http_call c auth -1 <70 bytes>   -> 2 and wrote 0'])
  })

  test('no timeout is no error', async () => {
    await probe().request({ request_headers: [call('auth', { timeout: 0 }), hold], http_call_response: resume })
    await probe().expectLog([
      'request_headers 6 1',
      'http_call c auth 0 <70 bytes>   -> 0',
      'http_call_response c 4 4 0',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })
})

describe('from different places', () => {
  test('headers of the held request can be changed in the answer', async () => {
    const { upstream } = await probe().request({
      request_headers: [call('auth'), hold],
      http_call_response: [
        ['effective', '$stream'],
        ['replace', REQUEST_HEADERS, 'x-user', 'bob'],
        ['continue', REQUEST],
      ],
    })
    expect(upstream!.headers.get('x-user')).toBe('bob')
  })

  test('a held body can be read and replaced, headers cannot', async () => {
    const { upstream } = await probe().request(
      {
        request_headers: [['remove', REQUEST_HEADERS, 'content-length']],
        'request_body#2': [call('auth'), hold],
        request_body: [hold],
        http_call_response: [
          ['effective', '$stream'],
          ['get_buffer', REQUEST_BODY, 0, ALL],
          ['set_buffer', REQUEST_BODY, 0, ALL, 'replaced'],
          ['get', REQUEST_HEADERS, ':path'],
          ['continue', REQUEST],
        ],
      },
      { method: 'POST', body: 'hello' },
    )
    await probe().expectLog([
      'request_headers 7 0',
      'remove 0 content-length -> 0',
      'request_body 5 0',
      'request_body 5 1',
      'http_call c auth 1000 <70 bytes>   -> 0',
      'http_call_response c 4 4 0',
      'effective $stream -> 0',
      'get_buffer 0 0 4294967295 -> 0 "hello"',
      'set_buffer 0 0 4294967295 replaced -> 0',
      'get 0 :path -> 2',
      'continue 0 -> 0',
    ])
    expect(upstream!.body.toString()).toBe('replaced')
  })

  test('the response phase', async () => {
    const response = await probe().request({
      response_headers: [call('auth'), hold],
      http_call_response: [
        ['effective', '$stream'],
        ['add', 2, 'x-checked', '1'],
        ['continue', RESPONSE],
      ],
    })
    expect(response.headers.get('x-checked')).toBe('1')
  })

  test('two calls at once, each with its own answer', async () => {
    await probe().request({
      request_headers: [call('auth', { name: 'a', body: '1' }), call('hang', { name: 'b', timeout: 1000 }), hold],
      'http_call_response#1': [['get', CALL_HEADERS, ':status']],
      'http_call_response#2': [['get', CALL_HEADERS, ':status'], ...resume],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'http_call a auth 1000 <70 bytes> 1  -> 0',
      'http_call b hang 1000 <70 bytes>   -> 0',
      'http_call_response a 4 5 0',
      'get 6 :status -> 0 "401"',
      'http_call_response b 3 24 0',
      'get 6 :status -> 0 "504"',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })

  test('a call out of the answer to a call', async () => {
    await probe().request({
      request_headers: [call('auth', { name: 'a' }), hold],
      'http_call_response#1': [call('empty', { name: 'b' }), ['get', CALL_HEADERS, ':status']],
      'http_call_response#2': [['get', CALL_HEADERS, ':status'], ...resume],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'http_call a auth 1000 <70 bytes>   -> 0',
      'http_call_response a 4 4 0',
      'http_call b empty 1000 <70 bytes>   -> 0',
      'get 6 :status -> 0 "401"',
      'http_call_response b 2 0 0',
      'get 6 :status -> 0 "204"',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })

  test('a tick', async () => {
    await probe().request({
      request_headers: [['tick', 20]],
      tick: [['tick', 0], call('auth')],
      http_call_response: [['get', CALL_HEADERS, ':status']],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'tick 20 -> 0',
      'tick',
      'tick 0 -> 0',
      'http_call c auth 1000 <70 bytes>   -> 0',
      'http_call_response c 4 4 0',
      'get 6 :status -> 0 "401"',
    ])
  })

  test('the stream has ended before the answer: it still comes, if the root context asked', async () => {
    await probe().request({
      request_headers: [['effective', '$root'], call('hang', { timeout: 80 })],
      http_call_response: [
        ['effective', '$stream'],
        ['get', REQUEST_HEADERS, ':path'],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'effective $root -> 0',
      'http_call c hang 80 <70 bytes>   -> 0',
      'http_call_response c 3 24 0',
      'effective $stream -> 2',
      'get 0 :path -> 2',
    ])
  })

  test('the stream has ended before the answer, which the stream asked for', async () => {
    await probe().request({
      request_headers: [call('hang', { timeout: 80 })],
      http_call_response: [['effective', '$stream']],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'http_call c hang 80 <70 bytes>   -> 0',
      'http_call_response c 3 24 0',
      'effective $stream -> 2',
    ])
  })

  test('log', async () => {
    await probe().request({ log: [call('auth')], http_call_response: [['get', CALL_HEADERS, ':status']] })
    await probe().expectLog([
      'log',
      'http_call c auth 1000 <70 bytes>   -> 0',
      'http_call_response c 4 4 0',
      'get 6 :status -> 0 "401"',
    ])
  })

  test('the maps of a call are gone after its callback', async () => {
    await probe().request({
      request_headers: [call('auth'), hold],
      http_call_response: resume,
      response_headers: [...answer],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'http_call c auth 1000 <70 bytes>   -> 0',
      'http_call_response c 4 4 0',
      'effective $stream -> 0',
      'continue 0 -> 0',
      'response_headers 3 0',
      'get 6 :status -> 2',
      'get_buffer 4 0 4294967295 -> 1',
      'get 7 x-t -> 2',
      'status -> 0 0 ""',
    ])
  })
})

test('ids of HTTP calls are multiples of 4', async () => {
  await probe().request({
    request_headers: [
      call('auth', { name: 'a' }),
      call('auth', { name: 'b' }),
      ['id_kind', '$a'],
      ['id_step', '$a', '$b'],
    ],
  })
  await probe().expectLog([
    'request_headers 6 1',
    'http_call a auth 1000 <70 bytes>   -> 0',
    'http_call b auth 1000 <70 bytes>   -> 0',
    'id_kind $a -> 0',
    'id_step $a $b -> 4',
  ])
})

/** What callbacks' results do to a stream, and how it is continued or closed: abi.md 3.2. */
import { describe, expect, test } from 'vitest'
import { compileProbe } from './compile.ts'
import { Probe, sharedProbe } from './probe/probe.ts'
import {
  ALL,
  DOWNSTREAM,
  encodeScript,
  REQUEST,
  REQUEST_BODY,
  REQUEST_HEADERS,
  RESPONSE,
  UPSTREAM,
} from './probe/script.ts'

const probe = sharedProbe({
  upstream: { kind: 'http', protocol: 'http2', handler: () => ({ body: 'ok', trailers: { t: '1' } }) },
})

/** A tick of the root context lets the stream go on. */
const continued = [
  ['effective', '$stream'],
  ['continue', REQUEST],
  ['tick', 0],
] as const
const post = { method: 'POST', body: 'abc' }
const HELD = 300

/** Resolves with the error of a request that is held for good. */
const held = (request: Promise<unknown>) =>
  request.then(
    () => 'answered',
    (error: Error) => error.message,
  )

describe('results of a headers callback', () => {
  test('0 goes on', async () => {
    const response = await probe().request({ request_headers: [['return', 0]], request_body: [] }, post)
    await probe().expectLog(['request_headers 7 0', 'request_body 3 0', 'request_body 0 1'])
    expect(response.status).toBe(200)
  })

  test('1 holds the body back too, until the stream is continued', async () => {
    const script = {
      request_headers: [
        ['tick', 50],
        ['return', 1],
      ],
      request_body: [],
      tick: continued,
    } as const
    const response = await probe().request(script, post)
    await probe().expectLog([
      'request_headers 7 0',
      'tick 50 -> 0',
      'tick',
      'effective $stream -> 0',
      'continue 0 -> 0',
      'tick 0 -> 0',
      'request_body 3 1',
    ])
    expect(response.status).toBe(200)
  })

  test('1 without continue holds the request for good; its body is never shown', async () => {
    const request = probe().request({ request_headers: [['return', 1]], request_body: [] }, { ...post, timeout: HELD })
    expect(await held(request)).toContain('POST / is not complete')
    await probe().expectLog(['request_headers 7 0'])
  })

  test('2 is as 0', async () => {
    const response = await probe().request({ request_headers: [['return', 2]], request_body: [] }, post)
    await probe().expectLog(['request_headers 7 0', 'request_body 3 0', 'request_body 0 1'])
    expect(response.status).toBe(200)
  })

  test.for([3, 4, 5, 99])('%i holds all, as 1', async (result) => {
    const script = {
      request_headers: [
        ['tick', 50],
        ['return', result],
      ],
      request_body: [],
      tick: continued,
    } as const
    const response = await probe().request(script, post)
    await probe().expectLog([
      'request_headers 7 0',
      'tick 50 -> 0',
      'tick',
      'effective $stream -> 0',
      'continue 0 -> 0',
      'tick 0 -> 0',
      'request_body 3 1',
    ])
    expect(response.status).toBe(200)
  })

  test('99 without continue holds the request for good', async () => {
    const request = probe().request({ request_headers: [['return', 99]] }, { ...post, timeout: HELD })
    expect(await held(request)).toContain('POST / is not complete')
  })

  test('1 for the response holds it until the stream is continued', async () => {
    const response = await probe().request({
      response_headers: [
        ['tick', 50],
        ['return', 1],
      ],
      response_body: [],
      response_trailers: [],
      tick: [
        ['effective', '$stream'],
        ['continue', RESPONSE],
        ['tick', 0],
      ],
    })
    await probe().expectLog([
      'response_headers 2 0',
      'tick 50 -> 0',
      'tick',
      'effective $stream -> 0',
      'continue 1 -> 0',
      'tick 0 -> 0',
      'response_body 2 0',
      'response_trailers 1',
    ])
    expect(response).toMatchObject({ status: 200, text: 'ok' })
  })
})

describe('with allow_on_headers_stop_iteration', () => {
  const allowing = sharedProbe({ allowOnHeadersStopIteration: true })

  test('1 shows the body while headers are held, and they can still be changed', async () => {
    const response = await allowing().request(
      {
        request_headers: [['return', 1]],
        request_body: [
          ['get', REQUEST_HEADERS, 'x-user'],
          ['replace', REQUEST_HEADERS, 'x-user', 'eve'],
        ],
      },
      { ...post, headers: { 'x-user': 'bob' } },
    )
    await allowing().expectLog([
      'request_headers 8 0',
      'request_body 3 0',
      'get 0 x-user -> 0 "bob"',
      'replace 0 x-user eve -> 0',
      'request_body 0 1',
      'get 0 x-user -> 0 "eve"',
      'replace 0 x-user eve -> 0',
    ])
    expect(response.upstream!.headers.get('x-user')).toBe('eve')
  })

  test('1 for a request without body holds it', async () => {
    const request = allowing().request({ request_headers: [['return', 1]] }, { timeout: HELD })
    expect(await held(request)).toContain('GET / is not complete')
  })
})

describe('results of a body callback', () => {
  const chunks = { method: 'POST', body: ['abc', 'defg', 'hi'] }

  test('0 shows each chunk by itself', async () => {
    await probe().request({ request_body: [['get_buffer', REQUEST_BODY, 0, ALL]] }, chunks)
    await probe().expectLog([
      'request_body 3 0',
      'get_buffer 0 0 4294967295 -> 0 "abc"',
      'request_body 4 0',
      'get_buffer 0 0 4294967295 -> 0 "defg"',
      'request_body 2 0',
      'get_buffer 0 0 4294967295 -> 0 "hi"',
      'request_body 0 1',
      'get_buffer 0 0 4294967295 -> 0 null 0',
    ])
  })

  test('1 collects: the size is that of all so far', async () => {
    const { upstream } = await probe().request(
      {
        'request_body#1': [
          ['get_buffer', REQUEST_BODY, 0, ALL],
          ['return', 1],
        ],
        'request_body#2': [
          ['get_buffer', REQUEST_BODY, 0, ALL],
          ['return', 1],
        ],
        request_body: [['get_buffer', REQUEST_BODY, 0, ALL]],
      },
      chunks,
    )
    await probe().expectLog([
      'request_body 3 0',
      'get_buffer 0 0 4294967295 -> 0 "abc"',
      'request_body 7 0',
      'get_buffer 0 0 4294967295 -> 0 "abcdefg"',
      'request_body 9 0',
      'get_buffer 0 0 4294967295 -> 0 "abcdefghi"',
      'request_body 0 1',
      'get_buffer 0 0 4294967295 -> 0 null 0',
    ])
    expect(upstream!.body.toString()).toBe('abcdefghi')
  })

  test('after 0 counting starts anew', async () => {
    await probe().request(
      { 'request_body#1': [['return', 1]], 'request_body#2': [['return', 0]], request_body: [] },
      chunks,
    )
    await probe().expectLog(['request_body 3 0', 'request_body 7 0', 'request_body 2 0', 'request_body 0 1'])
  })

  test('1 at the end holds the request until it is continued', async () => {
    const response = await probe().request(
      {
        request_body: [['return', 1]],
        'request_body#4': [
          ['tick', 50],
          ['return', 1],
        ],
        tick: [
          ['effective', '$stream'],
          ['get_buffer', REQUEST_BODY, 0, ALL],
          ['continue', REQUEST],
          ['tick', 0],
        ],
      },
      chunks,
    )
    await probe().expectLog([
      'request_body 3 0',
      'request_body 7 0',
      'request_body 9 0',
      'request_body 9 1',
      'tick 50 -> 0',
      'tick',
      'effective $stream -> 0',
      'get_buffer 0 0 4294967295 -> 0 "abcdefghi"',
      'continue 0 -> 0',
      'tick 0 -> 0',
    ])
    expect(response.upstream!.body.toString()).toBe('abcdefghi')
  })

  test('2 collects too', async () => {
    const watermark = await probe().request({ 'request_body#1': [['return', 2]], request_body: [] }, chunks)
    await probe().expectLog(['request_body 3 0', 'request_body 4 0', 'request_body 2 0', 'request_body 0 1'])
    expect(watermark.upstream!.body.toString()).toBe('abcdefghi')
  })

  test('3 drops the chunk', async () => {
    const { upstream } = await probe().request({ 'request_body#1': [['return', 3]], request_body: [] }, chunks)
    await probe().expectLog(['request_body 3 0', 'request_body 4 0', 'request_body 2 0', 'request_body 0 1'])
    expect(upstream!.body.toString()).toBe('defghi')
  })
})

describe('trailers', () => {
  const trailers = { method: 'POST', body: 'abc', trailers: { 'x-sum': '1' } }

  test('are shown after the body, which does not end the stream', async () => {
    const { upstream } = await probe().request(
      {
        request_headers: [],
        request_body: [],
        request_trailers: [
          ['pairs', 1],
          ['get', 1, 'x-sum'],
          ['replace', 1, 'x-sum', '2'],
          ['add', 1, 'x-more', '3'],
          ['get', 0, ':path'],
        ],
        response_trailers: [
          ['pairs', 3],
          ['add', 3, 'u', '2'],
        ],
      },
      trailers,
    )
    await probe().expectLog([
      'request_headers 6 0',
      'request_body 3 0',
      'request_trailers 1',
      'pairs 1 -> 0 {x-sum=1}',
      'get 1 x-sum -> 0 "1"',
      'replace 1 x-sum 2 -> 0',
      'add 1 x-more 3 -> 0',
      'get 0 :path -> 2',
      'response_trailers 1',
      'pairs 3 -> 0 {t=1}',
      'add 3 u 2 -> 0',
    ])
    expect(upstream!.trailers.toJSON()).toEqual({ 'x-sum': '2', 'x-more': '3' })
  })

  test('of the response reach the client as the filter left them', async () => {
    const response = await probe().request({ response_trailers: [['add', 3, 'u', '2']] }, { protocol: 'http2' })
    expect(response.trailers.toJSON()).toEqual({ t: '1', u: '2' })
  })

  test('1 holds them until the stream is continued', async () => {
    const response = await probe().request(
      {
        request_trailers: [
          ['tick', 50],
          ['return', 1],
        ],
        tick: continued,
      },
      trailers,
    )
    await probe().expectLog([
      'request_trailers 1',
      'tick 50 -> 0',
      'tick',
      'effective $stream -> 0',
      'continue 0 -> 0',
      'tick 0 -> 0',
    ])
    expect(response.upstream!.trailers.get('x-sum')).toBe('1')
  })

  test('can be made by the body callback that ends the stream', async () => {
    const { upstream } = await probe().request(
      {
        request_body: [
          ['add', 1, 'x-new', '1'],
          ['get', 1, 'x-new'],
        ],
        request_trailers: [],
      },
      { ...post, protocol: 'http2' },
    )
    await probe().expectLog(['request_body 3 1', 'add 1 x-new 1 -> 0', 'get 1 x-new -> 0 "1"'])
    expect(upstream!.trailers.get('x-new')).toBe('1')
  })
})

describe('continue_stream', () => {
  test('in the callback that then pauses: a request without body goes on', async () => {
    const response = await probe().request({
      request_headers: [
        ['continue', REQUEST],
        ['return', 1],
      ],
    })
    await probe().expectLog(['request_headers 6 1', 'continue 0 -> 0'])
    expect(response.status).toBe(200)
  })

  test('in the callback that then pauses: the headers go on before they are held, the body is held for good', async () => {
    const request = probe().request(
      {
        request_headers: [
          ['continue', REQUEST],
          ['return', 1],
        ],
        request_body: [],
      },
      { ...post, timeout: HELD },
    )
    expect(await held(request)).toContain('POST / is not complete')
    await probe().expectLog(['request_headers 7 0', 'continue 0 -> 0'])
  })

  test('of an unknown kind', async () => {
    await probe().request({ request_headers: [['continue', 9]] })
    await probe().expectLog(['request_headers 6 1', 'continue 9 -> 2'])
  })

  test('UPSTREAM is not implemented; DOWNSTREAM is not for HTTP', async () => {
    await probe().request({
      request_headers: [
        ['continue', UPSTREAM],
        ['continue', DOWNSTREAM],
      ],
    })
    await probe().expectLog(['request_headers 6 1', 'continue 3 -> 12', 'continue 2 -> 0'])
  })

  test('in a root context', async () => {
    await probe().request({
      request_headers: [['~tick', 20]],
      tick: [
        ['~tick', 0],
        ['continue', REQUEST],
        ['close', REQUEST],
      ],
    })
    await probe().expectLog(['request_headers 6 1', 'tick', 'continue 0 -> 0', 'close 0 -> 0'])
  })
})

describe('close_stream', () => {
  test('of the request resets the stream', async () => {
    const response = await probe().request({
      request_headers: [['close', REQUEST]],
      log: [['property', 'response\0code_details']],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'close 0 -> 0',
      'log',
      'property response.code_details -> 0 "wasm_close_stream"',
    ])
    expect(response).toMatchObject({ status: 0, reset: true, details: 'wasm_close_stream' })
    expect(response.upstream).toBeUndefined()
  })

  test('of the response resets the stream', async () => {
    const response = await probe().request({ response_headers: [['close', RESPONSE]] })
    await probe().expectLog(['response_headers 2 0', 'close 1 -> 0'])
    expect(response).toMatchObject({ status: 0, reset: true, details: 'via_upstream' })
  })

  test('takes place after the callback', async () => {
    await probe().request({
      request_headers: [
        ['close', REQUEST],
        ['get', REQUEST_HEADERS, ':path'],
        ['say', 'still here'],
      ],
    })
    await probe().expectLog(['request_headers 6 1', 'close 0 -> 0', 'get 0 :path -> 0 "/"', 'still here'])
  })

  test('of other streams', async () => {
    await probe().request({
      request_headers: [
        ['close', DOWNSTREAM],
        ['close', UPSTREAM],
        ['close', 9],
      ],
    })
    await probe().expectLog(['request_headers 6 1', 'close 2 -> 0', 'close 3 -> 0', 'close 9 -> 2'])
  })
})

describe('the client goes away', () => {
  test('while the request is held: log, done, delete', async () => {
    await probe().run({ request_headers: [['return', 1]], log: [], done: [], delete: [] })
    const stream = await probe().host.stream({ method: 'POST' })
    await stream.abort()
    await probe().expectLog(['request_headers 6 0', 'log', 'done', 'delete'])
  })

  test('its context cannot be made effective any more', async () => {
    await probe().run({
      request_headers: [['return', 1]],
      delete: [['tick', 30]],
      tick: [
        ['effective', '$stream'],
        ['get', REQUEST_HEADERS, ':path'],
        ['tick', 0],
      ],
    })
    const stream = await probe().host.stream({ method: 'POST' })
    await stream.abort()
    await probe().host.advance(100)
    await probe().expectLog([
      'request_headers 6 0',
      'delete',
      'tick 30 -> 0',
      'tick',
      'effective $stream -> 2',
      'get 0 :path -> 2',
      'tick 0 -> 0',
    ])
  })
})

describe('several filters', () => {
  test('each sees what the one before left, the response in reverse order', async () => {
    const wasm = await compileProbe()
    const change = (name: string) => ({
      request_headers: [
        ['add', REQUEST_HEADERS, 'x-by', name],
        ['size', REQUEST_HEADERS],
      ] as const,
      response_headers: [['add', 2, 'x-by', name]] as const,
    })
    const chain = await Probe.start({
      filters: ['one', 'two'].map((name) => ({ wasm, name, configuration: encodeScript(change(name)) })),
    })
    const response = await chain.host.request()
    expect(response.upstream!.headers.getAll('x-by')).toEqual(['one', 'two'])
    expect(response.headers.getAll('x-by')).toEqual(['two', 'one'])
    await chain.host.close()
  })
})

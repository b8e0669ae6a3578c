/** Reading and rewriting bodies: abi.md 3.2. */
import { describe, expect, test } from 'vitest'
import { sharedProbe } from './probe/probe.ts'
import {
  ALL,
  CALL_BODY,
  GRPC_MESSAGE,
  PLUGIN_CONFIGURATION,
  REQUEST_BODY,
  REQUEST_HEADERS,
  RESPONSE_BODY,
  RESPONSE_HEADERS,
  VM_CONFIGURATION,
} from './probe/script.ts'

const probe = sharedProbe({ upstream: () => ({ body: 'answer' }) })
const post = { method: 'POST', body: 'hello' }
/** The filter changes the length, so the header that tells it must go while headers are there. */
const unsized = [['remove', REQUEST_HEADERS, 'content-length']] as const

/** What the upstream gets when the filter does this to the body `hello`. */
async function rewritten(start: number, size: number, data: string): Promise<string> {
  const { upstream } = await probe().request(
    { request_headers: unsized, 'request_body#1': [['set_buffer', REQUEST_BODY, start, size, data]] },
    post,
  )
  return upstream!.body.toString()
}

describe('set_buffer_bytes', () => {
  test('at 0 with everything: replaces', async () => {
    expect(await rewritten(0, ALL, 'bye')).toBe('bye')
  })
  test('at 0 with nothing: puts in front', async () => {
    expect(await rewritten(0, 0, 'oh ')).toBe('oh hello')
  })
  test('at 0 with a part: replaces the part', async () => {
    expect(await rewritten(0, 2, 'J')).toBe('Jllo')
  })
  test('at 0 without data: drops', async () => {
    expect(await rewritten(0, 2, '')).toBe('llo')
    expect(await rewritten(0, ALL, '')).toBe('')
  })
  test('at the end, or beyond: appends', async () => {
    expect(await rewritten(5, 0, '!')).toBe('hello!')
    expect(await rewritten(99, 3, '!')).toBe('hello!')
    expect(await rewritten(ALL, 0, '!')).toBe('hello!')
  })

  test('in the middle is refused', async () => {
    const { upstream } = await probe().request({ 'request_body#1': [['set_buffer', REQUEST_BODY, 2, 1, 'x']] }, post)
    await probe().expectLog(['request_body 5 0', 'set_buffer 0 2 1 x -> 2'])
    expect(upstream!.body.toString()).toBe('hello')
  })

  test('of the response', async () => {
    const response = await probe().request({
      response_headers: [['remove', RESPONSE_HEADERS, 'content-length']],
      'response_body#1': [
        ['get_buffer', RESPONSE_BODY, 0, ALL],
        ['set_buffer', RESPONSE_BODY, 0, ALL, 'a longer answer'],
      ],
    })
    await probe().expectLog([
      'response_headers 3 0',
      'remove 2 content-length -> 0',
      'response_body 6 0',
      'get_buffer 1 0 4294967295 -> 0 "answer"',
      'set_buffer 1 0 4294967295 a longer answer -> 0',
    ])
    expect(response.text).toBe('a longer answer')
  })

  test('on an empty body with the end of the stream adds bytes', async () => {
    const { upstream } = await probe().request(
      { request_headers: unsized, request_body: [['set_buffer', REQUEST_BODY, 0, ALL, 'x']] },
      post,
    )
    await probe().expectLog([
      'request_headers 7 0',
      'remove 0 content-length -> 0',
      'request_body 5 0',
      'set_buffer 0 0 4294967295 x -> 0',
      'request_body 0 1',
      'set_buffer 0 0 4294967295 x -> 0',
    ])
    expect(upstream!.body.toString()).toBe('xx')
  })

  test('of a collected body', async () => {
    const { upstream } = await probe().request(
      {
        request_headers: unsized,
        request_body: [['return', 1]],
        'request_body#3': [
          ['get_buffer', REQUEST_BODY, 0, ALL],
          ['set_buffer', REQUEST_BODY, 0, ALL, 'all new'],
        ],
      },
      { method: 'POST', body: ['abc', 'def'] },
    )
    await probe().expectLog([
      'request_headers 6 0',
      'remove 0 content-length -> 0',
      'request_body 3 0',
      'request_body 6 0',
      'request_body 6 1',
      'get_buffer 0 0 4294967295 -> 0 "abcdef"',
      'set_buffer 0 0 4294967295 all new -> 0',
    ])
    expect(upstream!.body.toString()).toBe('all new')
  })

  test('content-length is the filter’s affair: a longer body breaks the request', async () => {
    const response = await probe().request(
      { 'request_body#1': [['set_buffer', REQUEST_BODY, 0, ALL, 'much longer']] },
      post,
    )
    expect(response.status).toBe(400)
  })

  test('content-length is the filter’s affair: a longer body is cut off for the client', async () => {
    const response = await probe().request({
      'response_body#1': [['set_buffer', RESPONSE_BODY, 0, ALL, 'much longer than that']],
    })
    expect(response.text).toBe('much l')
  })
})

describe('get_buffer_bytes', () => {
  test('a part, beyond the end, nothing', async () => {
    await probe().request(
      {
        'request_body#1': [
          ['get_buffer', REQUEST_BODY, 1, 3],
          ['get_buffer', REQUEST_BODY, 3, 100],
          ['get_buffer', REQUEST_BODY, 5, 1],
          ['get_buffer', REQUEST_BODY, 6, 1],
          ['get_buffer', REQUEST_BODY, 0, 0],
          ['get_buffer', REQUEST_BODY, ALL, ALL],
          ['buffer_status', REQUEST_BODY],
        ],
      },
      post,
    )
    await probe().expectLog([
      'request_body 5 0',
      'get_buffer 0 1 3 -> 0 "ell"',
      'get_buffer 0 3 100 -> 0 "lo"',
      'get_buffer 0 5 1 -> 0 null 0',
      'get_buffer 0 6 1 -> 0 null 0',
      'get_buffer 0 0 0 -> 0 null 0',
      'get_buffer 0 4294967295 4294967295 -> 0 null 0',
      'buffer_status 0 -> 0 size=5 flags=0',
    ])
  })

  test('buffers that are not there', async () => {
    await probe().request({
      request_headers: [REQUEST_BODY, RESPONSE_BODY, 2, 3, CALL_BODY, GRPC_MESSAGE, 8, 9].flatMap((buffer) => [
        ['get_buffer', buffer, 0, ALL] as const,
        ['buffer_status', buffer] as const,
        ['set_buffer', buffer, 0, ALL, 'x'] as const,
      ]),
    })
    await probe().expectLog([
      'request_headers 6 1',
      'get_buffer 0 0 4294967295 -> 0 null 0',
      'buffer_status 0 -> 0 size=0 flags=0',
      'set_buffer 0 0 4294967295 x -> 2',
      'get_buffer 1 0 4294967295 -> 0 null 0',
      'buffer_status 1 -> 0 size=0 flags=0',
      'set_buffer 1 0 4294967295 x -> 2',
      'get_buffer 2 0 4294967295 -> 0 null 0',
      'buffer_status 2 -> 0 size=0 flags=0',
      'set_buffer 2 0 4294967295 x -> 2',
      'get_buffer 3 0 4294967295 -> 0 null 0',
      'buffer_status 3 -> 0 size=0 flags=0',
      'set_buffer 3 0 4294967295 x -> 2',
      'get_buffer 4 0 4294967295 -> 1',
      'buffer_status 4 -> 1',
      'set_buffer 4 0 4294967295 x -> 1',
      'get_buffer 5 0 4294967295 -> 0 null 0',
      'buffer_status 5 -> 0 size=0 flags=0',
      'set_buffer 5 0 4294967295 x -> 2',
      'get_buffer 8 0 4294967295 -> 0 null 0',
      'buffer_status 8 -> 0 size=0 flags=0',
      'set_buffer 8 0 4294967295 x -> 2',
      'get_buffer 9 0 4294967295 -> 2',
      'buffer_status 9 -> 2',
      'set_buffer 9 0 4294967295 x -> 2',
    ])
  })

  test('the body of the other direction', async () => {
    await probe().request({ response_body: [['get_buffer', REQUEST_BODY, 0, ALL]] }, post)
    await probe().expectLog([
      'response_body 6 0',
      'get_buffer 0 0 4294967295 -> 0 null 0',
      'response_body 0 1',
      'get_buffer 0 0 4294967295 -> 0 null 0',
    ])
  })

  test('the configurations, outside of configure', async () => {
    await probe().request({
      request_headers: [
        ['tick', 20],
        ['get_buffer', PLUGIN_CONFIGURATION, 0, 4],
        ['get_buffer', VM_CONFIGURATION, 0, 4],
      ],
      tick: [
        ['get_buffer', PLUGIN_CONFIGURATION, 0, 4],
        ['tick', 0],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'tick 20 -> 0',
      'get_buffer 7 0 4 -> 1',
      'get_buffer 6 0 4 -> 0 null 0',
      'tick',
      'get_buffer 7 0 4 -> 1',
      'tick 0 -> 0',
    ])
  })
})

describe('how bodies arrive', () => {
  test('a request without body ends with its headers', async () => {
    await probe().request({ request_headers: [], request_body: [] })
    await probe().expectLog(['request_headers 6 1'])
  })

  test('HTTP/1.1: the end comes by itself', async () => {
    await probe().request({ request_headers: [], request_body: [], response_headers: [], response_body: [] }, post)
    await probe().expectLog([
      'request_headers 7 0',
      'request_body 5 0',
      'request_body 0 1',
      'response_headers 3 0',
      'response_body 6 0',
      'response_body 0 1',
    ])
  })

  test('HTTP/2: the end comes with the last piece', async () => {
    await probe().request({ request_headers: [], request_body: [] }, { ...post, protocol: 'http2' })
    await probe().expectLog(['request_headers 6 0', 'request_body 5 1'])
  })

  test('piece by piece, as the client sends', async () => {
    await probe().run({ request_headers: [], request_body: [['get_buffer', REQUEST_BODY, 0, ALL]], log: [] })
    const stream = await probe().host.stream({ method: 'POST' })
    await stream.write('one')
    await probe().expectLog(['request_headers 6 0', 'request_body 3 0', 'get_buffer 0 0 4294967295 -> 0 "one"'])
    await stream.write('two')
    await probe().waitFor((log) => log.length >= 5)
    await stream.end({ body: 'three' })
    await probe().expectLog([
      'request_headers 6 0',
      'request_body 3 0',
      'get_buffer 0 0 4294967295 -> 0 "one"',
      'request_body 3 0',
      'get_buffer 0 0 4294967295 -> 0 "two"',
      'request_body 5 0',
      'get_buffer 0 0 4294967295 -> 0 "three"',
      'request_body 0 1',
      'get_buffer 0 0 4294967295 -> 0 null 0',
      'log',
    ])
    expect((await stream.response()).upstream!.body.toString()).toBe('onetwothree')
  })

  test('HEAD: the response ends with its headers', async () => {
    await probe().request({ response_headers: [], response_body: [] }, { method: 'HEAD' })
    await probe().expectLog(['response_headers 3 1'])
  })
})

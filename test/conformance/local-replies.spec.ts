/** Answers that the filter gives by itself: abi.md 3.2. */
import { describe, expect, test } from 'vitest'
import { sharedProbe } from './probe/probe.ts'
import { NO_GRPC, pairs, REQUEST, REQUEST_HEADERS, RESPONSE_HEADERS } from './probe/script.ts'

const probe = sharedProbe()
const deny = ['reply', 403, 'why', 'no entry', pairs({ 'x-policy': 'p1' }), NO_GRPC] as const
const plain = (status: number) => ['reply', status, '', '', '', NO_GRPC] as const

describe('send_local_response', () => {
  test('status, details, body and headers reach the client, not the upstream', async () => {
    const response = await probe().request({ request_headers: [deny] })
    await probe().expectLog(['request_headers 6 1', 'reply 403 why no entry <24 bytes> -1 -> 0'])
    expect(response).toMatchObject({ status: 403, text: 'no entry', localReply: { details: 'why' }, details: 'why' })
    expect(response.headers.get('x-policy')).toBe('p1')
    expect(response.headers.get('content-type')).toBe('text/plain')
    expect(response.headers.get('content-length')).toBe('8')
    expect(response.upstream).toBeUndefined()
  })

  test('without body there is no content-type, without details there are none', async () => {
    const response = await probe().request({ request_headers: [plain(401)] })
    expect(response).toMatchObject({ status: 401, text: '' })
    expect(response.headers.has('content-type')).toBe(false)
    expect(response.details).toBe('')
  })

  test('blanks in the details become underscores', async () => {
    const response = await probe().request({ request_headers: [['reply', 403, 'with some blanks', '', '', NO_GRPC]] })
    expect(response.details).toBe('with_some_blanks')
  })

  test('the same filter’s response callbacks run for it', async () => {
    const response = await probe().request({
      request_headers: [deny],
      response_headers: [
        ['get', RESPONSE_HEADERS, ':status'],
        ['get', RESPONSE_HEADERS, 'x-policy'],
        ['add', RESPONSE_HEADERS, 'x-seen', '1'],
      ],
      response_body: [],
      log: [],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'reply 403 why no entry <24 bytes> -1 -> 0',
      'response_headers 4 0',
      'get 2 :status -> 0 "403"',
      'get 2 x-policy -> 0 "p1"',
      'add 2 x-seen 1 -> 0',
      'response_body 8 1',
      'log',
    ])
    expect(response.headers.get('x-seen')).toBe('1')
  })

  test('what the callback answers does not matter any more', async () => {
    for (const result of [0, 1, 3]) {
      const response = await probe().request({ request_headers: [deny, ['return', result]] })
      expect(response).toMatchObject({ status: 403, text: 'no entry' })
    }
  })

  test('the first of two wins, the second answers OK', async () => {
    const response = await probe().request({ request_headers: [deny, ['reply', 500, '', 'second', '', NO_GRPC]] })
    await probe().expectLog([
      'request_headers 6 1',
      'reply 403 why no entry <24 bytes> -1 -> 0',
      'reply 500  second  -1 -> 0',
    ])
    expect(response).toMatchObject({ status: 403, text: 'no entry' })
  })

  test('takes place after the callback', async () => {
    await probe().request({
      request_headers: [deny, ['get', REQUEST_HEADERS, ':path'], ['continue', REQUEST], ['say', 'end']],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'reply 403 why no entry <24 bytes> -1 -> 0',
      'get 0 :path -> 0 "/"',
      'continue 0 -> 0',
      'end',
    ])
  })

  test('names that stand twice are both kept', async () => {
    const headers = pairs([
      ['x-a', '1'],
      ['x-a', '2'],
      ['set-cookie', 'a=1'],
      ['set-cookie', 'b=2'],
    ])
    const response = await probe().request({ request_headers: [['reply', 200, '', '', headers, NO_GRPC]] })
    expect(response.headers.getAll('x-a')).toEqual(['1', '2'])
    expect(response.headers.getAll('set-cookie')).toEqual(['a=1', 'b=2'])
  })

  test('a content-type of one’s own', async () => {
    const headers = pairs({ 'Content-Type': 'application/json' })
    const response = await probe().request({ request_headers: [['reply', 200, '', '{}', headers, NO_GRPC]] })
    expect(response.headers.getAll('content-type')).toEqual(['application/json'])
  })

  test('malformed headers are left out, and it is no error', async () => {
    const block = pairs({ 'x-a': '1' }).subarray(0, -2)
    const response = await probe().request({ request_headers: [['reply', 403, '', 'body', block, NO_GRPC]] })
    await probe().expectLog(['request_headers 6 1', 'reply 403  body <16 bytes> -1 -> 0'])
    expect(response).toMatchObject({ status: 403, text: 'body' })
    expect(response.headers.has('x-a')).toBe(false)
  })

  test('bodies are bytes', async () => {
    const body = Buffer.from([0, 255, 10, 195])
    const response = await probe().request({ request_headers: [['reply', 200, '', body, '', NO_GRPC]] })
    expect(response.body).toEqual(body)
  })

  test('in the body phase', async () => {
    const response = await probe().request({ request_body: [deny] }, { method: 'POST', body: 'a' })
    await probe().expectLog(['request_body 1 0', 'reply 403 why no entry <24 bytes> -1 -> 0'])
    expect(response).toMatchObject({ status: 403, text: 'no entry' })
  })

  test('in the response phase replaces the upstream’s answer', async () => {
    const response = await probe().request({ response_headers: [deny], response_body: [] })
    await probe().expectLog(['response_headers 3 0', 'reply 403 why no entry <24 bytes> -1 -> 0'])
    expect(response).toMatchObject({ status: 403, text: 'no entry' })
    expect(response.upstream).toBeDefined()
  })

  test('once the response is under way it cannot be replaced: the client sees a broken one', async () => {
    const response = await probe().request({ 'response_body#1': [deny] })
    await probe().expectLog(['response_body 2 0', 'reply 403 why no entry <24 bytes> -1 -> 0'])
    expect(response.reset).toBe(true)
  })

  test('from a root context for a stream that is held', async () => {
    const response = await probe().request({
      request_headers: [
        ['tick', 20],
        ['return', 1],
      ],
      tick: [['effective', '$stream'], deny, ['tick', 0]],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'tick 20 -> 0',
      'tick',
      'effective $stream -> 0',
      'reply 403 why no entry <24 bytes> -1 -> 0',
      'tick 0 -> 0',
    ])
    expect(response).toMatchObject({ status: 403, text: 'no entry' })
  })

  test('from a root context without a stream does nothing', async () => {
    const response = await probe().request({ request_headers: [['tick', 20]], tick: [deny, ['tick', 0]] })
    await probe().expectLog([
      'request_headers 6 1',
      'tick 20 -> 0',
      'tick',
      'reply 403 why no entry <24 bytes> -1 -> 0',
      'tick 0 -> 0',
    ])
    expect(response.status).toBe(200)
  })
})

describe('gRPC', () => {
  const grpc = {
    method: 'POST',
    protocol: 'http2',
    headers: { 'content-type': 'application/grpc', te: 'trailers' },
    body: Buffer.from([0, 0, 0, 0, 0]),
  } as const

  test('a gRPC request gets a trailers-only answer with the status given', async () => {
    const response = await probe().request({ request_headers: [['reply', 200, '', 'no entry', '', 7]] }, grpc)
    expect(response).toMatchObject({ status: 200, grpcStatus: 7, grpcMessage: 'no entry', text: '' })
    expect(response.headers.get('content-type')).toBe('application/grpc')
  })

  test('without one the HTTP status is translated', async () => {
    const statuses: Record<number, number | undefined> = {}
    for (const status of [200, 400, 401, 403, 404, 429, 500, 503]) {
      statuses[status] = (await probe().request({ request_headers: [plain(status)] }, grpc)).grpcStatus
    }
    expect(statuses).toEqual({ 200: 2, 400: 13, 401: 16, 403: 7, 404: 12, 429: 14, 500: 2, 503: 14 })
  })

  test('an HTTP request does not see it', async () => {
    const response = await probe().request({ request_headers: [['reply', 403, '', 'no entry', '', 7]] })
    expect(response).toMatchObject({ status: 403, text: 'no entry' })
    expect(response.grpcStatus).toBeUndefined()
  })
})

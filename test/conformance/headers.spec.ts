/** Header maps: what the functions give, and when: abi.md 2.2, 2.3, 3.2. */
import { describe, expect, test } from 'vitest'
import { sharedProbe } from './probe/probe.ts'
import {
  CALL_HEADERS,
  GRPC_INITIAL,
  pairs,
  path,
  REQUEST_HEADERS,
  REQUEST_TRAILERS,
  RESPONSE_HEADERS,
  RESPONSE_TRAILERS,
  u32,
} from './probe/script.ts'

const probe = sharedProbe({
  upstream: () => ({ status: 200, headers: { 'x-up': ['1', '2'] }, body: 'ok' }),
})

describe('reading', () => {
  test('a value, an empty one and a missing one', async () => {
    await probe().request(
      {
        request_headers: [
          ['get', REQUEST_HEADERS, 'x-user'],
          ['get', REQUEST_HEADERS, 'x-empty'],
          ['get', REQUEST_HEADERS, 'x-missing'],
        ],
      },
      { headers: { 'x-user': 'bob', 'x-empty': '' } },
    )
    await probe().expectLog([
      'request_headers 8 1',
      'get 0 x-user -> 0 "bob"',
      'get 0 x-empty -> 0 null 0',
      'get 0 x-missing -> 1',
    ])
  })

  test('names are compared without case', async () => {
    await probe().request({ request_headers: [['get', REQUEST_HEADERS, 'X-USER']] }, { headers: { 'x-user': 'bob' } })
    await probe().expectLog(['request_headers 7 1', 'get 0 X-USER -> 0 "bob"'])
  })

  test('get gives the first of several values, pairs all, the property joins them', async () => {
    await probe().request(
      {
        request_headers: [
          ['get', REQUEST_HEADERS, 'x-a'],
          ['property', path('request', 'headers', 'x-a')],
          ['size', REQUEST_HEADERS],
          ['~remove', REQUEST_HEADERS, 'x-request-id'],
          ['pairs', REQUEST_HEADERS],
        ],
      },
      { headers: { 'x-a': ['1', '2'] } },
    )
    await probe().expectLog([
      'request_headers 8 1',
      'get 0 x-a -> 0 "1"',
      'property request.headers.x-a -> 0 "1,2"',
      'size 0 -> 0 123',
      'pairs 0 -> 0 {:authority=localhost, :path=/, :method=GET, :scheme=http, x-a=1, x-a=2, x-forwarded-proto=http}',
    ])
  })

  test('pseudo-headers are headers', async () => {
    await probe().request(
      {
        request_headers: [
          ['get', REQUEST_HEADERS, ':path'],
          ['get', REQUEST_HEADERS, ':authority'],
          ['get', REQUEST_HEADERS, ':method'],
          ['get', REQUEST_HEADERS, ':scheme'],
        ],
        response_headers: [['get', RESPONSE_HEADERS, ':status']],
      },
      { method: 'DELETE', path: '/a?b=1', authority: 'shop.test' },
    )
    await probe().expectLog([
      'request_headers 6 1',
      'get 0 :path -> 0 "/a?b=1"',
      'get 0 :authority -> 0 "shop.test"',
      'get 0 :method -> 0 "DELETE"',
      'get 0 :scheme -> 0 "http"',
      'response_headers 5 0',
      'get 2 :status -> 0 "200"',
    ])
  })

  test('of the response', async () => {
    await probe().request({
      response_headers: [
        ['get', RESPONSE_HEADERS, 'x-up'],
        ['~remove', RESPONSE_HEADERS, 'date'],
        ['~remove', RESPONSE_HEADERS, 'x-envoy-upstream-service-time'],
        ['pairs', RESPONSE_HEADERS],
      ],
    })
    await probe().expectLog([
      'response_headers 5 0',
      'get 2 x-up -> 0 "1"',
      'pairs 2 -> 0 {:status=200, x-up=1, x-up=2, content-length=2}',
    ])
  })

  test('values are bytes, not text', async () => {
    await probe().request({ request_headers: [['get', REQUEST_HEADERS, 'x-name']] }, { headers: { 'x-name': 'grün' } })
    await probe().expectLog(['request_headers 7 1', 'get 0 x-name -> 0 "gr\\xc3\\xbcn"'])
  })
})

describe('changing', () => {
  test('add keeps what is there, replace does not, and adds what is not there', async () => {
    const { upstream } = await probe().request(
      {
        request_headers: [
          ['add', REQUEST_HEADERS, 'x-a', '2'],
          ['replace', REQUEST_HEADERS, 'x-b', 'new'],
          ['replace', REQUEST_HEADERS, 'x-c', 'made'],
          ['remove', REQUEST_HEADERS, 'x-d'],
          ['remove', REQUEST_HEADERS, 'x-missing'],
        ],
      },
      { headers: { 'x-a': '1', 'x-b': ['1', '2'], 'x-d': ['1', '2'] } },
    )
    await probe().expectLog([
      'request_headers 11 1',
      'add 0 x-a 2 -> 0',
      'replace 0 x-b new -> 0',
      'replace 0 x-c made -> 0',
      'remove 0 x-d -> 0',
      'remove 0 x-missing -> 0',
    ])
    expect(upstream!.headers.getAll('x-a')).toEqual(['1', '2'])
    expect(upstream!.headers.getAll('x-b')).toEqual(['new'])
    expect(upstream!.headers.get('x-c')).toBe('made')
    expect(upstream!.headers.has('x-d')).toBe(false)
  })

  test('names are made lower case', async () => {
    const { upstream } = await probe().request({
      request_headers: [
        ['add', REQUEST_HEADERS, 'X-Mixed', '1'],
        ['get', REQUEST_HEADERS, 'x-mixed'],
        ['~remove', REQUEST_HEADERS, 'x-request-id'],
        ['pairs', REQUEST_HEADERS],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'add 0 X-Mixed 1 -> 0',
      'get 0 x-mixed -> 0 "1"',
      'pairs 0 -> 0 {:authority=localhost, :path=/, :method=GET, :scheme=http, x-forwarded-proto=http, x-mixed=1}',
    ])
    expect(upstream!.headers.get('x-mixed')).toBe('1')
  })

  test('an added empty value is a header', async () => {
    const { upstream } = await probe().request({
      request_headers: [
        ['add', REQUEST_HEADERS, 'x-e', ''],
        ['get', REQUEST_HEADERS, 'x-e'],
      ],
    })
    await probe().expectLog(['request_headers 6 1', 'add 0 x-e  -> 0', 'get 0 x-e -> 0 null 0'])
    expect(upstream!.headers.get('x-e')).toBe('')
  })

  test('set_pairs replaces all, pseudo-headers too', async () => {
    const response = await probe().request(
      {
        request_headers: [
          [
            'set_pairs',
            REQUEST_HEADERS,
            pairs([
              [':method', 'GET'],
              [':path', '/new'],
              [':authority', 'other'],
              [':scheme', 'http'],
              ['x-1', 'a'],
              ['x-1', 'b'],
              ['x-forwarded-proto', 'http'],
            ]),
          ],
          ['pairs', REQUEST_HEADERS],
        ],
      },
      { headers: { 'x-old': '1' } },
    )
    await probe().expectLog([
      'request_headers 7 1',
      'set_pairs 0 <148 bytes> -> 0',
      'pairs 0 -> 0 {:method=GET, :path=/new, :authority=other, :scheme=http, x-1=a, x-1=b, x-forwarded-proto=http}',
    ])
    expect(response).toMatchObject({ status: 200, upstream: { path: '/new', authority: 'other' } })
    expect(response.upstream!.headers.has('x-old')).toBe(false)
    expect(response.upstream!.headers.getAll('x-1')).toEqual(['a', 'b'])
  })

  test('set_pairs without x-forwarded-proto leaves a request that has no route', async () => {
    const block = pairs({ ':method': 'GET', ':path': '/', ':authority': 'localhost', ':scheme': 'http' })
    const response = await probe().request({ request_headers: [['set_pairs', REQUEST_HEADERS, block]] })
    expect(response).toMatchObject({ status: 404, details: 'route_not_found' })
  })

  test('set_pairs without pseudo-headers leaves a request that is refused', async () => {
    const response = await probe().request({
      request_headers: [
        ['set_pairs', REQUEST_HEADERS, pairs({ 'x-1': 'a' })],
        ['size', REQUEST_HEADERS],
      ],
    })
    await probe().expectLog(['request_headers 6 1', 'set_pairs 0 <18 bytes> -> 0', 'size 0 -> 0 4'])
    expect(response).toMatchObject({ status: 404, details: 'route_not_found' })
  })

  test('without pairs the map is emptied: no bytes, or a count of 0', async () => {
    await probe().request({
      response_headers: [
        ['set_pairs', RESPONSE_HEADERS, ''],
        ['size', RESPONSE_HEADERS],
        ['pairs', RESPONSE_HEADERS],
        ['add', RESPONSE_HEADERS, 'x', 'y'],
        ['set_pairs', RESPONSE_HEADERS, u32(0)],
        ['size', RESPONSE_HEADERS],
        ['set_pairs', RESPONSE_HEADERS, pairs({ ':status': '200' })],
      ],
    })
    await probe().expectLog([
      'response_headers 5 0',
      'set_pairs 2  -> 0',
      'size 2 -> 0 0',
      'pairs 2 -> 0 null',
      'add 2 x y -> 0',
      'set_pairs 2 <4 bytes> -> 0',
      'size 2 -> 0 0',
      'set_pairs 2 <24 bytes> -> 0',
    ])
  })

  test('a malformed block of pairs empties the map and is no error', async () => {
    await probe().request({
      response_headers: [
        ['set_pairs', RESPONSE_HEADERS, Buffer.concat([pairs({ a: 'b' }), Buffer.from([7])])],
        ['size', RESPONSE_HEADERS],
        ['set_pairs', RESPONSE_HEADERS, pairs({ a: 'b' }).subarray(0, -1)],
        ['size', RESPONSE_HEADERS],
        ['set_pairs', RESPONSE_HEADERS, pairs({ ':status': '200' })],
      ],
    })
    await probe().expectLog([
      'response_headers 5 0',
      'set_pairs 2 <17 bytes> -> 0',
      'size 2 -> 0 0',
      'set_pairs 2 <15 bytes> -> 0',
      'size 2 -> 0 0',
      'set_pairs 2 <24 bytes> -> 0',
    ])
  })

  test('more than 1024 pairs, or 1 MiB, count as malformed', async () => {
    const many = (n: number) => pairs(Array.from({ length: n }, (_, i) => ['x', String(i)] as const))
    await probe().request({
      response_headers: [
        ['set_pairs', RESPONSE_HEADERS, many(1024)],
        ['size', RESPONSE_HEADERS],
        ['set_pairs', RESPONSE_HEADERS, many(1025)],
        ['size', RESPONSE_HEADERS],
        ['set_pairs', RESPONSE_HEADERS, pairs({ x: 'y'.repeat(1 << 20) })],
        ['size', RESPONSE_HEADERS],
        ['set_pairs', RESPONSE_HEADERS, pairs({ ':status': '200' })],
      ],
    })
    await probe().expectLog([
      'response_headers 5 0',
      'set_pairs 2 <14254 bytes> -> 0',
      'size 2 -> 0 4010',
      'set_pairs 2 <14269 bytes> -> 0',
      'size 2 -> 0 0',
      'set_pairs 2 <1048591 bytes> -> 0',
      'size 2 -> 0 0',
      'set_pairs 2 <24 bytes> -> 0',
    ])
  })

  test('of the response reaches the client', async () => {
    const response = await probe().request({
      response_headers: [
        ['replace', RESPONSE_HEADERS, ':status', '418'],
        ['add', RESPONSE_HEADERS, 'x-added', '1'],
        ['remove', RESPONSE_HEADERS, 'x-up'],
      ],
    })
    expect(response.status).toBe(418)
    expect(response.headers.get('x-added')).toBe('1')
    expect(response.headers.has('x-up')).toBe(false)
  })
})

describe('outside their phase', () => {
  const reads = (map: number) =>
    [
      ['get', map, 'x-user'],
      ['size', map],
      ['pairs', map],
    ] as const
  const all = (map: number) =>
    [
      ...reads(map),
      ['add', map, 'x', 'y'],
      ['replace', map, 'x', 'y'],
      ['remove', map, 'x'],
      ['set_pairs', map, pairs({ x: 'y' })],
    ] as const

  test('request headers are gone in the body phase', async () => {
    const { upstream } = await probe().request(
      { request_body: [...all(REQUEST_HEADERS), ['property', path('request', 'headers', 'x-user')]] },
      { method: 'POST', headers: { 'x-user': 'bob' }, body: 'text' },
    )
    await probe().expectLog([
      'request_body 4 0',
      'get 0 x-user -> 2',
      'size 0 -> 2',
      'pairs 0 -> 0 null',
      'add 0 x y -> 2',
      'replace 0 x y -> 2',
      'remove 0 x -> 2',
      'set_pairs 0 <16 bytes> -> 2',
      'property request.headers.x-user -> 1',
      'request_body 0 1',
      'get 0 x-user -> 2',
      'size 0 -> 2',
      'pairs 0 -> 0 null',
      'add 0 x y -> 2',
      'replace 0 x y -> 2',
      'remove 0 x -> 2',
      'set_pairs 0 <16 bytes> -> 2',
      'property request.headers.x-user -> 1',
    ])
    expect(upstream!.headers.get('x')).toBeUndefined()
  })

  test('request headers are gone in the response phase, and so are the properties that come from them', async () => {
    await probe().request(
      {
        response_headers: [
          ...reads(REQUEST_HEADERS),
          ['replace', REQUEST_HEADERS, 'x', 'y'],
          ['property', path('request', 'headers', 'x-user')],
          ['property', path('request', 'path')],
        ],
      },
      { path: '/p', headers: { 'x-user': 'bob' } },
    )
    await probe().expectLog([
      'response_headers 5 0',
      'get 0 x-user -> 2',
      'size 0 -> 2',
      'pairs 0 -> 0 null',
      'replace 0 x y -> 2',
      'property request.headers.x-user -> 1',
      'property request.path -> 1',
    ])
  })

  test('response headers are not there in the request phase', async () => {
    await probe().request({ request_headers: all(RESPONSE_HEADERS) })
    await probe().expectLog([
      'request_headers 6 1',
      'get 2 x-user -> 2',
      'size 2 -> 2',
      'pairs 2 -> 0 null',
      'add 2 x y -> 2',
      'replace 2 x y -> 2',
      'remove 2 x -> 2',
      'set_pairs 2 <16 bytes> -> 2',
    ])
  })

  test('response headers are gone in the phase of the response body', async () => {
    await probe().request({ response_body: all(RESPONSE_HEADERS) })
    await probe().expectLog([
      'response_body 2 0',
      'get 2 x-user -> 2',
      'size 2 -> 2',
      'pairs 2 -> 0 null',
      'add 2 x y -> 2',
      'replace 2 x y -> 2',
      'remove 2 x -> 2',
      'set_pairs 2 <16 bytes> -> 2',
      'response_body 0 1',
      'get 2 x-user -> 2',
      'size 2 -> 2',
      'pairs 2 -> 0 null',
      'add 2 x y -> 2',
      'replace 2 x y -> 2',
      'remove 2 x -> 2',
      'set_pairs 2 <16 bytes> -> 2',
    ])
  })

  test('trailers that are not there', async () => {
    await probe().request({ request_headers: reads(REQUEST_TRAILERS), response_headers: all(RESPONSE_TRAILERS) })
    await probe().expectLog([
      'request_headers 6 1',
      'get 1 x-user -> 2',
      'size 1 -> 2',
      'pairs 1 -> 0 null',
      'response_headers 5 0',
      'get 3 x-user -> 2',
      'size 3 -> 2',
      'pairs 3 -> 0 null',
      'add 3 x y -> 2',
      'replace 3 x y -> 2',
      'remove 3 x -> 2',
      'set_pairs 3 <16 bytes> -> 2',
    ])
  })

  test('maps of calls, and no map at all', async () => {
    await probe().request({
      request_headers: [
        ...reads(CALL_HEADERS),
        ['add', CALL_HEADERS, 'x', 'y'],
        ...reads(GRPC_INITIAL),
        ...reads(8),
        ['add', 8, 'x', 'y'],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'get 6 x-user -> 2',
      'size 6 -> 2',
      'pairs 6 -> 0 null',
      'add 6 x y -> 2',
      'get 4 x-user -> 2',
      'size 4 -> 2',
      'pairs 4 -> 0 null',
      'get 8 x-user -> 2',
      'size 8 -> 2',
      'pairs 8 -> 2',
      'add 8 x y -> 2',
    ])
  })

  test('in the log phase headers of request and response and trailers of the response', async () => {
    await probe().request(
      {
        log: [
          ['get', REQUEST_HEADERS, 'x-user'],
          ['get', RESPONSE_HEADERS, 'x-up'],
          ['get', RESPONSE_TRAILERS, 'x'],
          ['size', RESPONSE_TRAILERS],
          ['get', REQUEST_TRAILERS, 'x'],
          ['size', REQUEST_TRAILERS],
          ['add', REQUEST_HEADERS, 'x', 'y'],
          ['property', path('response', 'code_details')],
        ],
        done: [['get', REQUEST_HEADERS, 'x-user']],
        delete: [['get', REQUEST_HEADERS, 'x-user']],
      },
      { headers: { 'x-user': 'bob' } },
    )
    await probe().expectLog([
      'log',
      'get 0 x-user -> 0 "bob"',
      'get 2 x-up -> 0 "1"',
      'get 3 x -> 1',
      'size 3 -> 2',
      'get 1 x -> 1',
      'size 1 -> 2',
      'add 0 x y -> 2',
      'property response.code_details -> 0 "via_upstream"',
      'done',
      'get 0 x-user -> 2',
      'delete',
      'get 0 x-user -> 2',
    ])
  })

  test('of a root context', async () => {
    await probe().request({ request_headers: [['~tick', 20]], tick: [['~tick', 0], ...reads(REQUEST_HEADERS)] })
    await probe().expectLog(['request_headers 6 1', 'tick', 'get 0 x-user -> 2', 'size 0 -> 2', 'pairs 0 -> 0 null'])
  })
})

describe('memory', () => {
  test('an empty value needs none, every other one allocates its size', async () => {
    await probe().request(
      {
        request_headers: [
          ['trace_allocations', 1],
          ['get', REQUEST_HEADERS, 'x-user'],
          ['get', REQUEST_HEADERS, 'x-empty'],
          ['get', REQUEST_HEADERS, 'x-missing'],
          ['trace_allocations', 0],
        ],
      },
      { headers: { 'x-user': 'bob', 'x-empty': '' } },
    )
    await probe().expectLog([
      'request_headers 8 1',
      'allocate 3',
      'get 0 x-user -> 0 "bob"',
      'get 0 x-empty -> 0 null 0',
      'get 0 x-missing -> 1',
    ])
  })

  test('pointers outside of it are an error, not a trap', async () => {
    await probe().request({ request_headers: [['bad_pointer'], ['bad_out_pointer']] })
    await probe().expectLog(['request_headers 6 1', 'bad_pointer -> 6', 'bad_out_pointer -> 6'])
  })
})

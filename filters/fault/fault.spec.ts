/** What is done to requests and responses. Source of what is compared: Envoy 1.40's filter `fault`. */
import { cluster, createHost, type Host, type HostOptions, type RequestInit } from '@meshscript/sdk/testing'
import { NodeHost } from '@meshscript/sdk/testing/node/index'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import responses from '../fault-responses/assembly/index.ts?filter'
import filter from './assembly/index.ts?filter'

/** By virtual or real time. */
const now = (host: Host) => (host instanceof NodeHost ? host.now : performance.now())
const faults = (routes: object[], more: object = {}) => ({
  version: 1,
  virtualHosts: [{ domains: ['known.test'], routes }],
  ...more,
})
const at = (path: string) => ({ name: path, match: [{ path: { prefix: path } }] })
const delay = (fixed: string, percentage = 100) => ({ delay: { percentage, fixed } })
const abort = (httpStatus: number, percentage = 100) => ({ abort: { percentage, httpStatus } })

/** One host for a list of routes; what comes of a request, and the milliseconds that it took. */
function withRoutes(routes: object[], more: object = {}, options: HostOptions = {}) {
  let host: Host
  beforeAll(async () => {
    host = await createHost({
      wasm: filter,
      configuration: faults(routes, more),
      filterState: ['fault.delay'],
      ...options,
    })
  })
  afterAll(() => host?.close())
  const ask = async (path: string, init: RequestInit = {}) => {
    const start = now(host)
    const response = await host.request(path, { authority: 'known.test', ...init })
    return { ...response, took: now(host) - start }
  }
  return { ask, host: () => host }
}

const grpc: RequestInit = { method: 'POST', headers: { 'content-type': 'application/grpc', te: 'trailers' } }

describe('requests', () => {
  const upstream = cluster.http(() => 'ok', { protocol: 'http2' })
  const { ask, host } = withRoutes(
    [
      { ...at('/slow/but'), fault: undefined },
      { ...at('/slow'), fault: delay('150ms') },
      { ...at('/zero'), fault: delay('0s') },
      { ...at('/abort'), fault: abort(418) },
      { ...at('/200'), fault: { abort: { percentage: 100, httpStatus: 200, body: '' } } },
      { ...at('/body'), fault: { abort: { percentage: 100, httpStatus: 503, body: 'grün' } } },
      { ...at('/grpc'), fault: { abort: { percentage: 100, grpcStatus: 'UNAVAILABLE' } } },
      { ...at('/both'), fault: { ...delay('150ms'), ...abort(503) } },
      { ...at('/never'), fault: { ...delay('9s', 0), ...abort(503, 0) } },
      { match: [{ headers: { 'x-user': { exact: 'jason' } } }], fault: abort(500) },
    ],
    {},
    { upstream },
  )

  test('a delay: never shorter than said, and the request goes on whole', async () => {
    for (const body of [undefined, 'a body', ['a', 'b', 'c']]) {
      const { took, status, upstream, filterState } = await ask('/slow', { method: 'POST', body })
      expect(status).toBe(200)
      expect(took).toBeGreaterThanOrEqual(150)
      if (host().name === 'node') expect(took).toBeLessThanOrEqual(151)
      expect(upstream?.body.toString()).toBe([body ?? []].flat().join(''))
      expect(filterState['fault.delay']).toBe('150')
    }
  })

  test('trailers wait with their request', async () => {
    const { took, upstream } = await ask('/slow', { method: 'POST', body: 'a', trailers: { 'x-trailer': 't' } })
    expect(took).toBeGreaterThanOrEqual(150)
    expect(upstream?.trailers.get('x-trailer')).toBe('t')
  })

  test('one of 0 is none', async () => {
    const { status, filterState } = await ask('/zero')
    expect([status, filterState['fault.delay']]).toEqual([200, undefined])
  })

  test('an abort', async () => {
    const { status, text, headers, details, upstream } = await ask('/abort')
    expect([status, text, headers.get('content-type')]).toEqual([418, 'fault filter abort', 'text/plain'])
    expect(details).toBe('fault_filter_abort')
    expect(upstream).toBeUndefined()
    expect(await ask('/200')).toMatchObject({ status: 200, text: '', details: 'fault_filter_abort' })
    expect(await ask('/body')).toMatchObject({ status: 503, text: 'grün' })
  })

  test('an abort by a gRPC status', async () => {
    expect(await ask('/grpc', grpc)).toMatchObject({ status: 200, grpcStatus: 14, grpcMessage: 'fault filter abort' })
    // As by Envoy's own filter.
    expect(await ask('/grpc')).toMatchObject({ status: 200, text: 'fault filter abort', details: 'fault_filter_abort' })
  })

  test('an HTTP status for a client of gRPC', async () => {
    expect(await ask('/body', grpc)).toMatchObject({ status: 200, grpcStatus: 14 })
  })

  test('a delay and then an abort', async () => {
    const { took, status, upstream } = await ask('/both', { method: 'POST', body: 'a body' })
    expect([status, upstream]).toEqual([503, undefined])
    expect(took).toBeGreaterThanOrEqual(150)
  })

  test('the first route that matches counts, even without a fault', async () => {
    expect((await ask('/slow/but')).filterState['fault.delay']).toBeUndefined()
    expect((await ask('/other', { headers: { 'x-user': 'jason' } })).status).toBe(500)
    expect((await ask('/zero', { headers: { 'x-user': 'jason' } })).status).toBe(200)
    expect((await ask('/never')).status).toBe(200)
  })

  test('other hosts have none', async () => {
    expect((await ask('/abort', { authority: 'other.test' })).status).toBe(200)
    expect((await ask('/abort', { authority: 'KNOWN.test:8080' })).status).toBe(418)
  })

  test('metrics', async () => {
    const before = await host().metrics()
    await ask('/both')
    await ask('/never')
    const after = await host().metrics()
    const grown = Object.entries(after).filter(([name, value]) => value !== (before[name] ?? 0))
    expect(grown.map(([name]) => name).sort()).toEqual([
      'fault_requests_total.fault=.=abort;.;.route=.=/both;.;',
      'fault_requests_total.fault=.=delay;.;.route=.=/both;.;',
    ])
    expect(grown.every(([name, value]) => Number(value) === Number(before[name] ?? 0) + 1)).toBe(true)
  })
})

describe('responses', () => {
  const body = 'The quick brown fox jumps over the lazy dog. '.repeat(100)
  const upstream = cluster.http(
    ({ path }) => {
      if (path.includes('empty')) return 204
      return { body: path.includes('chunks') ? [body, body, body] : body, trailers: { 'x-trailer': 't' } }
    },
    { protocol: 'http2' },
  )
  const response = (response: object) => ({ fault: { response } })
  const chunkDelay = { percentage: 100, fixed: '100ms' }
  const { ask, host } = withRoutes(
    [
      { ...at('/corrupt/all'), ...response({ corrupt: { percentage: 100, bytes: 65536 } }) },
      { ...at('/corrupt'), ...response({ corrupt: { percentage: 100, bytes: 7 } }) },
      { ...at('/slow'), ...response({ chunkDelay }) },
      { ...at('/both'), ...response({ chunkDelay, corrupt: { percentage: 100, bytes: 7 } }) },
      { ...at('/aborted'), fault: { ...abort(503), response: { chunkDelay, corrupt: { percentage: 100 } } } },
      { ...at('/late'), fault: { ...delay('100ms'), response: { corrupt: { percentage: 100, bytes: 7 } } } },
    ],
    {},
    { upstream, wasm: responses },
  )
  const differing = (a: Buffer, b: string) => [...a].filter((byte, i) => byte !== b.charCodeAt(i)).length

  test.each(['/corrupt', '/both', '/late'])('%s: so many bytes are changed, and none is lost', async (path) => {
    for (let i = 0; i < 5; i++) {
      const { status, body: got } = await ask(path)
      expect([status, got.length]).toEqual([200, body.length])
      expect(differing(got, body)).toBe(7)
    }
  })

  test('of several chunks too, and of short bodies all', async () => {
    const { body: got } = await ask('/corrupt/chunks')
    expect([got.length, differing(got, body.repeat(3))]).toEqual([3 * body.length, 7])
    const all = await ask('/corrupt/all')
    expect(differing(all.body, body)).toBe(body.length)
    expect((await ask('/corrupt/empty')).status).toBe(204)
  })

  test('chunks come late, and trailers behind them', async () => {
    for (const [path, expected] of [
      ['/slow', body],
      ['/slow/chunks', body.repeat(3)],
    ] as const) {
      const { took, text, trailers } = await ask(path, { protocol: 'http2' })
      expect(text).toBe(expected)
      expect(trailers.get('x-trailer')).toBe('t')
      expect(took).toBeGreaterThanOrEqual(100)
    }
    expect((await ask('/slow/empty')).status).toBe(204)
  })

  test('an abort is as it is', async () => {
    const { status, text } = await ask('/aborted')
    expect([status, text]).toEqual([503, 'fault filter abort'])
  })

  test('are counted once', async () => {
    const name = 'fault_requests_total.fault=.=chunk_delay;.;.route=.=/slow;.;'
    const before = Number((await host().metrics())[name])
    await ask('/slow/chunks')
    await ask('/slow/empty')
    expect((await host().metrics())[name]).toBe(before + 1)
  })
})

describe('requests that ask by headers', () => {
  const trigger = {
    headers: {
      delay: 'x-fault-delay',
      abort: 'x-fault-abort',
      allow: [{ headers: { 'x-tester': { exact: 'yes' } } }],
      maxDelay: '200ms',
    },
  }
  const { ask } = withRoutes([{ ...at('/route'), fault: { ...delay('1ms'), ...abort(500) } }], trigger)
  const tester = (headers: Record<string, string>) => ({ headers: { 'x-tester': 'yes', ...headers } })

  test.each<[string, string]>([
    ['120ms', '120'],
    ['120', '120'],
    ['0.15s', '150'],
    // No more than may be.
    ['1h', '200'],
    ['99999999999999999999h', '200'],
  ])('a delay of %s', async (text, expected) => {
    const { status, took, filterState, upstream } = await ask('/', tester({ 'x-fault-delay': text }))
    expect([status, filterState['fault.delay']]).toEqual([200, expected])
    expect(took).toBeGreaterThanOrEqual(Number(expected))
    expect(upstream?.headers.has('x-fault-delay')).toBe(false)
  })

  test('an abort', async () => {
    expect((await ask('/', tester({ 'x-fault-abort': '418' }))).status).toBe(418)
    const { headers } = tester({ 'x-fault-abort': 'NOT_FOUND' })
    expect((await ask('/', { ...grpc, headers: { ...grpc.headers, ...headers } })).grpcStatus).toBe(5)
  })

  test('both, and instead of those of the route', async () => {
    const response = await ask('/route', tester({ 'x-fault-abort': '418', 'x-fault-delay': '100ms' }))
    expect([response.status, response.filterState['fault.delay']]).toEqual([418, '100'])
    expect((await ask('/route', tester({}))).status).toBe(500)
  })

  test.each(['', '-1', 'soon', '1', '600', 'unavailable', '4e2', '1e3ms', '99999999999999999999'])(
    '%j is no request',
    async (text) => {
      const { status, filterState, details } = await ask(
        '/',
        tester({ 'x-fault-abort': text, 'x-fault-delay': text === '1' || text === '600' ? '' : text }),
      )
      expect([status, details]).toEqual([200, 'via_upstream'])
      expect(filterState['fault.delay']).toBeUndefined()
    },
  )

  test('those who may not ask change nothing, and what they say does not go on', async () => {
    const headers = { 'x-fault-abort': '418', 'x-fault-delay': '100ms', 'x-tester': 'no' }
    const { status, filterState, upstream } = await ask('/', { headers })
    expect([status, filterState['fault.delay']]).toEqual([200, undefined])
    expect(upstream?.headers.has('x-fault-abort')).toBe(false)
    expect(upstream?.headers.has('x-fault-delay')).toBe(false)
  })
})

describe('switched off', () => {
  const headers = { abort: 'x-fault-abort', allow: [{ path: { prefix: '/' } }] }
  const off = withRoutes([{ fault: abort(500) }], { enabled: false, headers })
  test('enabled: false', async () => {
    const { status, upstream } = await off.ask('/', { headers: { 'x-fault-abort': '418' } })
    expect([status, upstream?.headers.has('x-fault-abort')]).toEqual([200, false])
  })

  const over = withRoutes(
    [
      { ...at('/past'), fault: { ...abort(500), until: '2024-02-29T23:59:59.5+02:00' } },
      { ...at('/future'), fault: { ...abort(500), until: '2999-12-31T00:00:00Z' } },
    ],
    { headers: { ...headers, until: '1999-12-31T00:00:00Z' } },
  )
  test('until', async () => {
    expect((await over.ask('/past')).status).toBe(200)
    expect((await over.ask('/future')).status).toBe(500)
    expect((await over.ask('/', { headers: { 'x-fault-abort': '418' } })).status).toBe(200)
  })
})

describe('the same user', () => {
  const users = Array.from({ length: 300 }, (_, i) => `user-${i}`)
  const by = { by: { header: 'x-user' } }
  const { ask } = withRoutes([
    { ...at('/10'), fault: { ...abort(500, 10), ...by } },
    { ...at('/30'), fault: { ...abort(500, 30), ...by } },
    { ...at('/delay'), fault: { delay: { percentage: 30, fixed: '1ms' }, ...by } },
  ])
  const hitBy = async (path: string) => {
    const answers = await Promise.all(users.map((user) => ask(path, { headers: { 'x-user': user } })))
    return users.filter((_, i) => answers[i]!.status === 500 || answers[i]!.filterState['fault.delay'] !== undefined)
  }

  test('has the fault always, or never; more get it as the percentage grows', async () => {
    const few = await hitBy('/10')
    const many = await hitBy('/30')
    expect(await hitBy('/10')).toEqual(few)
    expect(many).toEqual(expect.arrayContaining(few))
    // Not by chance: these users are always the same.
    expect(few.length).toBeGreaterThan(15)
    expect(few.length).toBeLessThan(45)
    expect(many.length).toBeGreaterThan(65)
    expect(many.length).toBeLessThan(115)
    // Another fault is drawn anew.
    expect(await hitBy('/delay')).not.toEqual(many)
  })
})

/** The author's API for HTTP, part by part, on both hosts. */

import { cluster, createHost } from '@meshscript/sdk/testing'
import type { Host } from '@meshscript/sdk/testing'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import filter from './assembly/http.ts?filter'

let host: Host
/** How many log lines there were before the test. */
let seen = 0
const lines = (): string[] => host.logs.slice(seen).map(({ message }) => message)

beforeAll(async () => {
  host = await createHost({
    wasm: filter,
    name: 'parts',
    configuration: { greeting: 'hi' },
    environment: { COLOR: 'blue' },
    filterState: ['verdict'],
    clusters: {
      auth: cluster.http(({ headers, body }) =>
        headers.get('x-user') === 'bob'
          ? { headers: { 'x-auth': 'yes' }, body: `for ${body.toString()}` }
          : { status: 401, body: 'no' },
      ),
      dead: cluster.refused(),
      slow: cluster.hang(),
      broken: cluster.reset({ afterHeaders: true }),
      grpc: cluster.grpc({
        'pkg.Service/Method': ([question]) => ({ messages: [Buffer.from(`${Buffer.from(question!).toString()}?`)] }),
        'pkg.Service/Chat': (messages) => ({ messages, trailingMetadata: { 'x-end': 'e' } }),
      }),
      other: cluster.http(() => 'other'),
    },
    routes: [{ headers: { 'x-route': 'other' }, cluster: 'other' }, { cluster: 'upstream' }],
  })
})
afterAll(() => host?.close())
beforeEach(() => {
  seen = host.logs.length
})

describe('start', () => {
  it('gives environment variables and configuration', async () => {
    expect(host.logs.map(({ message }) => message)).toContain('color blue')
    const { headers } = await host.request('/')
    expect(headers.get('x-greeting')).toBe('hi')
  })
})

describe('headers', () => {
  it('reads, adds, sets and removes', async () => {
    const headers = { 'x-user': 'BOB', 'x-gone': '1', 'x-empty': '' }
    const { upstream } = await host.request('/headers', { headers })
    expect(upstream?.headers.getAll('x-many')).toEqual(['one', 'two ü'])
    expect(upstream?.headers.get('x-user')).toBe('bob')
    expect(upstream?.headers.has('x-gone')).toBe(false)
    expect(lines()).toEqual(['true true BOB', 'true true true'])
  })

  it('changes the route', async () => {
    expect((await host.request('/route')).text).toBe('other')
  })
})

describe('bodies', () => {
  it('buffers, replaces, prepends and appends', async () => {
    const { upstream, text } = await host.request('/body', {
      method: 'POST',
      body: ['he', 'llo'],
      headers: { 'x-user': 'bob' },
    })
    expect(upstream?.body.toString()).toBe('<hello!>')
    expect(text).toBe('ok and more')
    expect(lines()).toEqual([
      'body of 5: hello',
      expect.stringMatching(/^headers are open in their own callback only/) as string,
      'true',
    ])
  })

  it('reads and writes trailers of both directions', async () => {
    const upstream = cluster.http(() => ({ body: 'ok', trailers: { 'x-up': '1' } }), { protocol: 'http2' })
    const other = await createHost({ wasm: filter, upstream })
    try {
      const trailers = { 'x-sum': '42' }
      const response = await other.request('/', { method: 'POST', protocol: 'http2', body: 'x', trailers })
      expect(response.upstream?.trailers.toJSON()).toEqual({ 'x-sum': '42', 'x-seen': '42' })
      expect(response.trailers.toJSON()).toEqual({ 'x-up': '1', 'x-end': 'seen' })
    } finally {
      await other.close()
    }
  })
})

describe('local responses', () => {
  it('sends status, headers, body and details', async () => {
    const response = await host.request('/local')
    expect(response.status).toBe(418)
    expect(response.headers.getAll('x-a')).toEqual(['1', '2'])
    expect(response.text).toBe('short and stout')
    expect(response.localReply?.details).toBe('a_teapot')
    expect(response.upstream).toBeUndefined()
  })

  it('sends a gRPC status to a gRPC client', async () => {
    const headers = { 'content-type': 'application/grpc' }
    const response = await host.request('/local', { method: 'POST', protocol: 'http2', headers })
    expect(response.grpcStatus).toBe(8)
  })

  it('resets', async () => {
    expect((await host.request('/reset')).reset).toBe(true)
  })
})

describe('callouts', () => {
  const call = (user: string, to: string) =>
    host.request('/callout', { headers: { 'x-user': user, 'x-cluster': to }, timeout: 3000 })

  it('goes on with the answer', async () => {
    const { upstream } = await call('bob', 'auth')
    expect(upstream?.headers.get('x-auth')).toBe('yes')
    expect(lines()).toEqual(['answer 200 for who?'])
    expect(host.callouts.at(-1)).toMatchObject({ cluster: 'auth', method: 'POST', path: '/check' })
  })

  it('refuses by the answer', async () => {
    const { status, text, upstream } = await call('eve', 'auth')
    expect({ status, text, upstream }).toEqual({ status: 403, text: 'denied', upstream: undefined })
  })

  it('sees a refused connection as 503, and a timeout as 504', async () => {
    await call('bob', 'dead')
    await call('bob', 'slow')
    expect(lines().map((line) => line.slice(0, 10))).toEqual(['answer 503', 'answer 504'])
  })

  it('fails when the answer breaks off', async () => {
    expect(await call('bob', 'broken')).toMatchObject({ status: 502, text: 'failed' })
  })

  it('is not sent to an unknown cluster', async () => {
    expect(await call('bob', 'nobody')).toMatchObject({ status: 500, text: 'not sent: 2' })
  })
})

describe('gRPC', () => {
  const call = (to: string) => host.request('/grpc', { headers: { 'x-cluster': to }, timeout: 3000 })

  it('gets the answer of a unary call', async () => {
    expect((await call('grpc')).status).toBe(200)
    expect(lines()).toEqual(['grpc 0 question?'])
  })

  it('gets the status of one that fails', async () => {
    await call('dead')
    expect(lines()[0]).toMatch(/^grpc 14 /)
  })

  it('is not sent to an unknown cluster', async () => {
    expect(await call('nobody')).toMatchObject({ status: 500, text: 'not sent: 4' })
  })

  it('streams', async () => {
    expect((await host.request('/chat')).status).toBe(200)
    expect(lines()).toEqual([
      'initial application/grpc',
      'message a',
      'message b',
      'trailing e',
      'close 0 via_upstream',
    ])
  })
})

describe('shared state', () => {
  it('compares and swaps', async () => {
    await host.request('/shared')
    expect(lines()).toEqual(['0 8 one+ true'])
  })

  it('delivers messages of a queue', async () => {
    await host.request('/queue')
    await host.advance(50)
    await expect.poll(lines, { timeout: 10_000 }).toContain('dequeued from a stream')
  })

  it('ticks', async () => {
    await host.advance(120)
    expect((await host.request('/ticks')).upstream?.headers.get('x-ticks')).toBe('some')
  })
})

describe('metrics', () => {
  it('counts by labels, which are in the name', async () => {
    await host.request('/metrics', { headers: { 'x-tenant': 'a;.;b' } })
    const metrics = await host.metrics()
    expect(metrics['parts_total.part=.=metrics;.;.tenant=.=a_._b;.;']).toBe(2)
    expect(metrics['plain_total']).toBe(1)
    expect(metrics['level']).toBe(5)
    expect(metrics['sizes.part=.=request;.;']).toMatchObject({ count: 1, sum: 12 })
    expect(lines()).toEqual(['1 5'])
  })
})

describe('properties', () => {
  it('reads attributes, and writes filter state', async () => {
    const { filterState } = await host.request('/properties')
    expect(filterState).toEqual({ verdict: 'seen' })
    await host.advance(20)
    expect(lines()).toEqual(['GET /properties HTTP/1.1', 'false parts true', 'true true', 'seen', 'logged 200'])
  })

  it('calls foreign functions', async () => {
    await host.request('/foreign')
    expect(lines()).toEqual(['true 24', '/foreign!', 'true', 'false 1', 'true'])
  })
})

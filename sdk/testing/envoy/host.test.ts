import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { compileRaw, HTTP_FILTER, TCP_FILTER } from './fixtures/raw.ts'
import { createEnvoyHost, type EnvoyHost } from './index.ts'
import { HostStartError, type HostOptions } from '../types.ts'
import { grpcFrame, grpcMessages } from '../grpc_frames.ts'

let http: Uint8Array
let tcp: Uint8Array
beforeAll(async () => {
  http = await compileRaw(HTTP_FILTER)
  tcp = await compileRaw(TCP_FILTER)
})

let host: EnvoyHost | undefined
afterEach(() => host?.close())

async function start(options: HostOptions = {}): Promise<EnvoyHost> {
  return (host = await createEnvoyHost({ wasm: http, name: 'test', ...options }))
}

describe('HTTP/1.1', () => {
  test('sends header lines in order and gives what the upstream saw', async () => {
    const host = await start({ upstream: () => ({ status: 201, headers: { 'x-a': ['1', '2'] }, body: 'made' }) })
    const response = await host.request('/p?q=1', {
      method: 'PUT',
      authority: 'shop.test',
      headers: [
        ['X-One', 'a'],
        ['x-two', 'grün'],
        ['x-one', 'b'],
      ],
      body: 'text',
    })
    expect(response).toMatchObject({ status: 201, text: 'made', reset: false, details: 'via_upstream' })
    expect(response.localReply).toBeUndefined()
    expect(response.headers.getAll('x-a')).toEqual(['1', '2'])
    const upstream = response.upstream!
    expect(upstream).toMatchObject({ cluster: 'upstream', method: 'PUT', path: '/p?q=1', authority: 'shop.test' })
    expect(upstream.body.toString()).toBe('text')
    expect(upstream.headers.getAll('x-one')).toEqual(['a', 'b'])
    expect(upstream.headers.get('x-two')).toBe('grün')
  })

  test('sends a body chunk by chunk, at once or step by step', async () => {
    const host = await start()
    const response = await host.request({ method: 'POST', body: ['abc', 'de'] })
    expect(response.upstream!.body.toString()).toBe('abcde')
    expect(host.logs.map(({ message }) => message).slice(-3)).toEqual(['body 3', 'body 2', 'body 0 end'])

    const stream = await host.stream({ method: 'POST' })
    await stream.write('one')
    expect(host.logs.at(-1)).toEqual({ level: 'info', message: 'body 3', plugin: 'test' })
    await stream.end({ body: 'last' })
    expect((await stream.response()).upstream!.body.toString()).toBe('onelast')
  })

  test('several requests at once each find their own', async () => {
    const host = await start({ workers: 2, upstream: ({ path }) => ({ body: path, delay: 10 }) })
    const paths = Array.from({ length: 40 }, (_, i) => `/${i}`)
    const responses = await Promise.all(paths.map((path) => host.request(path)))
    expect(responses.map(({ text }) => text)).toEqual(paths)
    expect(responses.map(({ upstream }) => upstream?.path)).toEqual(paths)
  })

  test('HEAD, no content, raw bytes and a source address', async () => {
    const host = await start({ upstream: ({ method }) => (method === 'HEAD' ? 'body' : 204) })
    expect(await host.request({ method: 'HEAD' })).toMatchObject({ status: 200, text: '' })
    expect(await host.request({ method: 'DELETE' })).toMatchObject({ status: 204, text: '' })
    const raw = 'GET /raw HTTP/1.1\r\nHost: a\r\nhost: b\r\n\r\n'
    expect(await host.request({ raw })).toMatchObject({ status: 204, upstream: { path: '/raw' } })
    const response = await host.request({ source: '127.9.8.7' })
    expect(response.upstream).toBeDefined()
  })
})

describe('HTTP/2', () => {
  test('trailers of both directions', async () => {
    const upstream = {
      kind: 'http' as const,
      protocol: 'http2' as const,
      handler: () => ({ body: ['a', 'b'], trailers: { 'x-end': 'yes' } }),
    }
    const host = await start({ upstream })
    const response = await host.request({ method: 'POST', body: ['1', '2'], trailers: { 'x-sum': '12' } })
    expect(response).toMatchObject({ status: 200, text: 'ab' })
    expect(response.trailers.get('x-end')).toBe('yes')
    expect(response.upstream!.trailers.get('x-sum')).toBe('12')
    expect(host.logs.at(-1)!.message).toBe('trailers 12')
  })

  test('a request without body ends with its headers', async () => {
    const host = await start()
    const response = await host.request({ protocol: 'http2', headers: { 'x-a': ['1', '2'] } })
    expect(response.status).toBe(200)
    expect(response.upstream!.headers.getAll('x-a')).toEqual(['1', '2'])
    expect(host.logs.some(({ message }) => message.startsWith('body'))).toBe(false)
  })

  test('gRPC', async () => {
    const methods = {
      'pkg.Svc/Echo': (messages: readonly Uint8Array[]) => ({ messages, trailingMetadata: { 'x-t': '1' } }),
      'pkg.Svc/Fail': () => ({ status: 5, message: 'not here' }),
    }
    const host = await start({ upstream: { kind: 'grpc', methods } })
    const call = (path: string) =>
      host.request(path, {
        method: 'POST',
        headers: { 'content-type': 'application/grpc', te: 'trailers' },
        body: grpcFrame(Buffer.from('hi')),
        trailers: [],
      })
    const echo = await call('/pkg.Svc/Echo')
    expect(echo).toMatchObject({ status: 200, grpcStatus: 0 })
    expect(grpcMessages(echo.body).map(String)).toEqual(['hi'])
    expect(echo.trailers.get('x-t')).toBe('1')
    expect(await call('/pkg.Svc/Fail')).toMatchObject({ grpcStatus: 5, grpcMessage: 'not%20here' })
    expect(await call('/pkg.Svc/None')).toMatchObject({ grpcStatus: 12 })
  })

  test('abort', async () => {
    const host = await start()
    const stream = await host.stream({ protocol: 'http2', method: 'POST' })
    await stream.write('a')
    await stream.abort()
    expect(await stream.response()).toMatchObject({ status: 0, reset: true, details: 'downstream_remote_disconnect' })
  })
})

describe('TCP', () => {
  test('data through the filter, and a connection that the filter closes', async () => {
    const host = await start({ wasm: tcp, type: 'network' })
    const connection = await host.connect()
    await connection.write('one')
    expect((await connection.read()).toString()).toBe('> one')
    await connection.write('two')
    expect((await connection.read(10)).toString()).toBe('> one> two')
    expect(connection.closed).toBe(false)
    await connection.write('bye')
    await connection.whenClosed()
    expect(connection.closed).toBe(true)
    await host.advance(0)
    expect(host.logs.map(({ message }) => message)).toContain('data bye')
    await host.reconfigure('again')
  })
})

describe('TLS', () => {
  const peer = 'spiffe://cluster.local/ns/foo/sa/web'

  test('the identity reaches the upstream; others are refused', async () => {
    const host = await start({ tls: { identity: 'spiffe://cluster.local/ns/bar/sa/pay' } })
    for (const protocol of ['http1', 'http2'] as const) {
      const { upstream } = await host.request({ peer, protocol, sni: 'pay.bar' })
      expect(upstream!.headers.get('x-forwarded-client-cert')).toContain(`URI=${peer}`)
      expect(upstream!.headers.get('x-forwarded-client-cert')).toContain('By=spiffe://cluster.local/ns/bar/sa/pay')
    }
    const several = await host.request({ peer: [peer, 'spiffe://cluster.local/x', 'web.foo'] })
    const xfcc = several.upstream!.headers.get('x-forwarded-client-cert')
    expect(xfcc).toContain(`URI=${peer};URI=spiffe://cluster.local/x;DNS=web.foo`)
    const refused = { status: 0, reset: true, upstream: undefined }
    expect(await host.request({ peer: 'spiffe://other/ns/foo/sa/web' })).toMatchObject(refused)
    expect(await host.request({ peer: [] })).toMatchObject(refused)
    expect(await host.request()).toMatchObject(refused)
  })

  test('permissive takes plaintext, other trust domains by name', async () => {
    const host = await start({ tls: { permissive: true, trustDomain: ['cluster.local', 'old'] } })
    expect(await host.request()).toMatchObject({ status: 200 })
    expect(await host.request({ peer: 'spiffe://old/ns/foo/sa/web' })).toMatchObject({ status: 200 })
    expect(await host.request({ peer: 'spiffe://new/ns/foo/sa/web' })).toMatchObject({ status: 0 })
  })

  test('TCP', async () => {
    const host = await start({ wasm: tcp, type: 'network', tls: {} })
    const connection = await host.connect({ peer })
    await connection.write('x')
    expect((await connection.read()).toString()).toBe('> x')
  })
})

describe('what the filter does', () => {
  test('local reply, reset, filter state', async () => {
    const host = await start({ configuration: 'no entry', filterState: ['who', 'missing'] })
    const denied = await host.request('/deny')
    expect(denied).toMatchObject({ status: 403, text: 'no entry', localReply: { details: 'denied_by_test' } })
    expect(denied.upstream).toBeUndefined()
    expect(await host.request('/close')).toMatchObject({ status: 0, reset: true, details: 'wasm_close_stream' })
    expect((await host.request('/state')).filterState).toEqual({ who: 'bob' })
  })

  test('a held request is reported', async () => {
    const host = await start()
    const held = host.request('/hold', { timeout: 200 })
    await expect(held).rejects.toThrow(
      'GET /hold is not complete after 200 ms: no response headers came; the upstream did not',
    )
  })

  test('callouts and gRPC calls', async () => {
    const host = await start({
      clusters: {
        auth: { kind: 'http', handler: ({ body }) => ({ status: 401, body: `re: ${body.toString()}` }) },
        grpc: { kind: 'grpc', methods: { 'pkg.Svc/Do': () => ({ messages: [Buffer.from('pong')] }) } },
      },
    })
    expect((await host.request('/call')).text).toBe('401 re: question')
    expect(host.callouts).toMatchObject([{ cluster: 'auth', method: 'POST', path: '/check', authority: 'auth' }])
    expect((await host.request('/grpc')).text).toBe('pong')
    expect(host.callouts).toHaveLength(2)
  })

  test('failing clusters', async () => {
    const call = async (auth: NonNullable<HostOptions['clusters']>[string]) => {
      const host = await start({ clusters: { auth } })
      const { text } = await host.request('/call')
      await host.close()
      return text
    }
    expect(await call({ kind: 'refused' })).toMatch(/^503 upstream connect error/)
    expect(await call({ kind: 'http', handler: () => ({ hang: true }) })).toBe('504 upstream request timeout')
    expect(await call({ kind: 'http', handler: () => ({ reset: true }) })).toMatch(/^503 upstream connect error/)
    // Headers alone are a failure without status.
    expect(await call({ kind: 'http', handler: () => ({ reset: true, afterHeaders: true }) })).toBe(' ')
  })

  test('metrics are right at once', async () => {
    const host = await start()
    expect(await host.metrics()).toEqual({})
    await host.request('/metrics')
    expect(await host.metrics()).toEqual({ 'seen.total': 2, level: 7, size: { count: 2, sum: 43 } })
    await host.request('/metrics')
    expect(await host.metrics()).toEqual({ 'seen.total': 4, level: 7, size: { count: 4, sum: 86 } })
  })

  test('logs from the level asked for, as they were written', async () => {
    const host = await start({ logLevel: 'warn' })
    await host.request('/log')
    expect(host.logs).toEqual([
      { level: 'warn', message: 'two\nlines: é "quoted"', plugin: 'test' },
      { level: 'error', message: 'error', plugin: 'test' },
    ])
  })

  test('time passes', async () => {
    const host = await start({ configuration: 'tick' })
    await host.advance('0.1s')
    await expect.poll(() => host.logs.some(({ message }) => message === 'tick 2'), { timeout: 10_000 }).toBe(true)
  })

  test('a trap closes, and FAIL_RELOAD opens again', async () => {
    const closed = await start()
    expect(await closed.request('/trap')).toMatchObject({ status: 503 })
    expect(await closed.request('/')).toMatchObject({ status: 503 })
    await closed.close()
    const reloaded = await start({ failurePolicy: 'FAIL_RELOAD' })
    expect(await reloaded.request('/trap')).toMatchObject({ status: 503 })
    await reloaded.advance('2s')
    expect(await reloaded.request('/')).toMatchObject({ status: 200 })
  })
})

describe('configuration', () => {
  test('an update is taken by all workers; a refused one leaves the old', async () => {
    const host = await start({ configuration: 'old', workers: 2 })
    await host.reconfigure('new')
    const texts = async () => {
      const responses = await Promise.all(Array.from({ length: 10 }, () => host.request('/deny')))
      return [...new Set(responses.map(({ text }) => text))]
    }
    expect(await texts()).toEqual(['new'])
    await expect(host.reconfigure('refuse')).rejects.toThrow('Failed to configure base Wasm plugin')
    expect(host.logs.at(-1)).toMatchObject({ level: 'error', message: 'this configuration is refused' })
    expect(await texts()).toEqual(['new'])
    await host.reconfigure({ json: true })
    expect(await texts()).toEqual(['{"json":true}'])
    await host.reconfigure({ struct: { a: 1 } })
    expect((await texts())[0]!.slice(0, 5)).toBe('\n\x0e\n\x01a')
    await host.reconfigure(undefined)
    expect(await texts()).toEqual([''])
  })

  test('several filters in order, with routes and environment', async () => {
    const host = await start({
      filters: [
        { wasm: http, name: 'one', configuration: 'first' },
        { wasm: http, name: 'two', configuration: 'second' },
      ],
      clusters: { other: { kind: 'http', handler: () => 'from other' } },
      routes: [{ prefix: '/other', cluster: 'other' }, { path: '/here', directResponse: { status: 418 } }, {}],
    })
    expect(await host.request('/other/x')).toMatchObject({ text: 'from other' })
    expect(await host.request('/here')).toMatchObject({ status: 418, localReply: { details: 'direct_response' } })
    expect(await host.request('/')).toMatchObject({ text: 'ok' })
    await host.reconfigure('third', 1)
    await host.request('/log')
    expect(host.logs.filter(({ message }) => message === 'error').map(({ plugin }) => plugin)).toEqual(['one', 'two'])
  })

  test('bootstrap and connection manager can be extended', async () => {
    const host = await start({
      bootstrap: { layered_runtime: { layers: [{ name: 'static', static_layer: { 'my.key': 1 } }] } },
      connectionManager: { server_name: 'mesh', normalize_path: true },
    })
    const response = await host.request('/a/../b')
    expect(response.upstream!.path).toBe('/b')
    expect(response.headers.get('server')).toBe('mesh')
    expect((await host.envoy.admin('/runtime')).text).toContain('my.key')
    expect(await host.envoy.configDump()).toHaveProperty('configs')
  })
})

describe('a start that fails', () => {
  const failure = (options: HostOptions) =>
    createEnvoyHost(options).then(
      () => undefined,
      (error: unknown) => error,
    )

  test.for<[string, HostOptions, string]>([
    ['no module', { wasm: '/nowhere/x.wasm' }, 'Invalid path: /nowhere/x.wasm'],
    ['no Wasm', { wasm: Buffer.from('text') }, 'Missing or unknown Proxy-Wasm ABI version'],
    ['bad bootstrap', { bootstrap: { nonsense: 1 } }, "no such field: 'nonsense'"],
  ])('%s', async ([, options, message]) => {
    const error = await failure(options)
    expect(error).toBeInstanceOf(HostStartError)
    expect((error as Error).message).toContain(message)
  })

  test('a configuration that the filter refuses, with its log', async () => {
    const error = (await failure({ wasm: http, name: 'test', configuration: 'refuse' })) as HostStartError
    expect(error.message).toBe('Unable to create Wasm plugin test; Failed to configure base Wasm plugin')
    expect(error.logs.at(-1)).toMatchObject({ message: 'this configuration is refused' })
  })

  test('a host function that does not exist', async () => {
    const source = `@external("env", "proxy_nothing") declare function nothing(): void
      export function proxy_on_tick(id: i32): void { nothing() }`
    const error = (await failure({ wasm: await compileRaw(source) })) as HostStartError
    expect(error.message).toContain('Failed to load Wasm module due to a missing import: env.proxy_nothing')
  })
})

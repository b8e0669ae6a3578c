/**
 * Filters for `@solo-io/proxy-runtime` 0.1.8, built by that package and by this SDK from one source. What they do is written down once:
 * on every host for this SDK's build, and in real Envoy, where the old one was made to run, for both.
 */

import { cluster, createHost } from '@meshscript/sdk/testing'
import type { Host, HostOptions } from '@meshscript/sdk/testing'
import { readFileSync } from 'node:fs'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { buildOld } from './old.ts'
import addheader from './filters/assembly/addheader.ts?filter'
import auth from './filters/assembly/auth.ts?filter'
import bodies from './filters/assembly/bodies.ts?filter'
import grpc from './filters/assembly/grpc.ts?filter'
import repaired from './filters/assembly/repaired.ts?filter'
import sharedData from './filters/assembly/shared-data.ts?filter'
import tcp from './filters/assembly/tcp.ts?filter'

const inEnvoy = ['envoy', 'docker'].includes(process.env['HOST'] ?? '')
const sources = { addheader, auth, bodies, 'shared-data': sharedData }
const builders = inEnvoy ? ['this SDK', 'proxy-runtime 0.1.8'] : ['this SDK']

let host: Host | undefined
afterEach(() => host?.close())

/** Lets time pass until it is as wanted, or long enough for a busy machine. */
async function until(host: Host, done: () => boolean): Promise<void> {
  for (let waited = 0; !done() && waited < 10_000; waited += 10) await host.advance(10)
}

describe.each(builders)('built by %s', (builder) => {
  const modules: Record<string, string> = { ...sources }
  beforeAll(async () => {
    if (builder === 'this SDK') return
    for (const name of Object.keys(sources)) modules[name] = await buildOld(name)
  }, 120_000)

  const start = async (name: keyof typeof sources, options: HostOptions): Promise<Host> =>
    (host = await createHost({ wasm: modules[name]!, name, ...options }))
  const messages = (host: Host): string[] =>
    host.logs.filter(({ level }) => level !== 'debug').map(({ message }) => message)

  describe('addheader', () => {
    const options = {
      rootId: 'greeter',
      configuration: 'Grüße',
      upstream: () => ({ headers: { server: 'upstream', 'x-internal': 'secret' }, body: 'ok' }),
    }

    it('reads, adds, replaces and removes headers in both directions', async () => {
      const host = await start('addheader', options)
      const response = await host.request({
        method: 'POST',
        path: '/a?b=c',
        headers: { 'x-name': 'bob', 'x-list': ['one', 'two'], 'x-replaced': 'old', 'x-removed': ['1', '2'] },
        body: ['abc', 'de'],
      })
      const upstream = response.upstream!
      expect(upstream.headers.getAll('x-list').join()).toBe('one,two,added')
      expect(upstream.headers.getAll('x-replaced')).toEqual(['bob ✓'])
      expect(upstream.headers.has('x-removed')).toBe(false)
      expect(upstream.headers.get('x-seen')).toBe('true more')
      expect(upstream.headers.get('x-path')).toBe('/a?b=c')
      expect(upstream.headers.get('x-missing')).toBe('[]')
      expect(upstream.body.toString()).toBe('abcde')
      expect(response).toMatchObject({ status: 200, text: 'ok' })
      expect(response.headers.toJSON()).toMatchObject({
        hello: 'Grüße',
        'x-body-bytes': '5',
        'x-greeted': 'bob',
      })
      expect(response.headers.has('x-internal')).toBe(false)
      expect(messages(host)).toEqual(['greeting bob'])
      expect(await host.metrics()).toEqual({ greetings: 1 })
    })

    it('sees all header lines', async () => {
      const host = await start('addheader', options)
      const headers = { 'x-name': 'wild', 'x-wild-a': '1', 'x-tame': 'yes', 'x-wild-b': '' }
      const { upstream } = await host.request({ headers })
      expect(upstream!.headers.toJSON()).toMatchObject({ 'x-tame': 'yes', 'x-seen': 'true end' })
      expect(upstream!.headers.has('x-wild-a')).toBe(false)
      expect(upstream!.headers.has('x-wild-b')).toBe(false)
      expect(messages(host)).toEqual(['tamed x-wild-a=1', 'tamed x-wild-b=', 'greeting wild'])
    })

    it('answers by itself', async () => {
      const host = await start('addheader', options)
      const response = await host.request({ headers: { 'x-name': 'mallory' } })
      expect(response).toMatchObject({ status: 403, text: 'no Grüße', details: 'not_greeted' })
      expect(response.headers.get('x-refused')).toBe('yes')
      expect(response.upstream).toBeUndefined()
    })

    it('refuses a configuration', async () => {
      await expect(start('addheader', { ...options, configuration: 'refuse' })).rejects.toThrow()
    })
  })

  describe('auth', () => {
    const options: HostOptions = {
      rootId: 'auth',
      configuration: 'auth',
      clusters: {
        auth: cluster.http(({ headers, body, path }) =>
          headers.get('x-user') === 'bob'
            ? { headers: { 'x-identity': 'Bob' }, body: `${path} ${body.toString()}` }
            : { status: 403, body: 'no' },
        ),
        dead: cluster.refused(),
        slow: cluster.hang(),
        broken: cluster.reset({ afterHeaders: true }),
      },
    }

    it('lets a request pass that the service allows, with what it said', async () => {
      const host = await start('auth', options)
      for (const count of ['1', '2']) {
        const { status, upstream } = await host.request({ path: '/p', headers: { 'x-user': 'bob' } })
        expect(status).toBe(200)
        const { headers } = upstream!
        expect(headers.toJSON()).toMatchObject({
          'x-auth': 'Bob',
          'x-auth-body': '/check/p may I?',
          'x-answers': count,
        })
      }
      expect(host.callouts.map(({ method, authority }) => `${method} ${authority}`)).toEqual([
        'POST auth.test',
        'POST auth.test',
      ])
    })

    it('answers requests at once, each by its own answer', async () => {
      const host = await start('auth', options)
      const users = ['bob', 'eve', 'bob', 'eve', 'bob', 'eve', 'bob', 'eve']
      const responses = await Promise.all(users.map((user) => host.request({ headers: { 'x-user': user } })))
      expect(responses.map(({ status }) => status)).toEqual([200, 401, 200, 401, 200, 401, 200, 401])
    })

    it.each([
      ['a refusal', { 'x-user': 'eve' }, 401, 'answer 403'],
      ['a dead service', { 'x-cluster': 'dead' }, 401, 'answer 503'],
      ['a time-out', { 'x-cluster': 'slow' }, 401, 'answer 504'],
      ['an answer that breaks off', { 'x-cluster': 'broken' }, 500, 'no answer'],
      ['an unknown cluster', { 'x-cluster': 'nowhere' }, 503, 'not sent'],
    ])('denies after %s', async (_, headers, status, text) => {
      const host = await start('auth', options)
      const response = await host.request({ headers: headers as Record<string, string> })
      expect(response).toMatchObject({ status, text, details: 'ext_auth' })
      expect(response.headers.get('x-auth')).toBe('denied')
      // The filter is still in order.
      expect((await host.request({ headers: { 'x-user': 'bob' } })).status).toBe(200)
    })
  })

  it('auth gets over a client that goes away while it asks', async () => {
    const host = await start('auth', {
      rootId: 'auth',
      configuration: 'auth',
      clusters: { auth: cluster.http(() => ({ delay: 100, headers: { 'x-identity': 'Late' } })) },
    })
    const stream = await host.stream()
    await stream.abort()
    await until(host, () => host.callouts.length > 0)
    await host.advance(200)
    // Its callback has run: this is the second answer.
    const { status, upstream } = await host.request('/')
    expect([status, upstream!.headers.get('x-auth'), upstream!.headers.get('x-answers')]).toEqual([200, 'Late', '2'])
  })

  it('bodies is called in order, with the arguments that count', async () => {
    const host = await start('bodies', {
      rootId: 'bodies',
      configuration: 'text',
      upstream: {
        kind: 'http',
        protocol: 'http2',
        handler: () => ({ body: 'answer', trailers: { 'x-private': '1', 'x-public': '2' } }),
      },
    })
    // Each VM says it, the last ones maybe later than the request.
    const starting = new Set(['start 0', 'configure text'])
    expect(new Set(messages(host))).toEqual(starting)
    const stream = await host.stream({ method: 'POST', protocol: 'http2' })
    await stream.write('first ')
    await stream.end({ body: 'second', trailers: { 'x-sum': '12' } })
    const response = await stream.response()
    expect(response).toMatchObject({ status: 200, text: 'answer' })
    expect(response.trailers.toJSON()).toEqual({ 'x-public': '2' })
    expect(response.upstream!.trailers.toJSON()).toEqual({ 'x-sum': 'checked', 'x-more': 'yes' })
    await until(host, () => messages(host).includes('delete'))
    expect(messages(host).filter((message) => !starting.has(message))).toEqual([
      'request body true irs',
      'request body true irs',
      'request trailers 1 12',
      'response headers false',
      'resume',
      'response trailers 2',
      'log 200',
      'done',
      'delete',
    ])
  })

  it('shared-data counts, sees changes by others and passes notes', async () => {
    const host = await start('shared-data', { rootId: 'count', configuration: 'notes' })
    const counts: (string | undefined)[] = []
    for (const path of ['/a', '/a', '/b', '/a']) counts.push((await host.request(path)).headers.get('x-count'))
    // Number, status of the write (Ok), status of the write with a version that is not there (CasMismatch).
    expect(counts).toEqual(['1 0 -', '2 0 8', '1 0 -', '3 0 8'])
    await until(host, () => messages(host).length >= counts.length)
    expect(messages(host)).toEqual(['/a=1', '/a=2', '/b=1', '/a=3'].map((note) => `note ${note} true`))
  })
})

describe('where 0.1.8 fails', () => {
  const startOther = async (options: HostOptions): Promise<Host> => (host = await createHost(options))
  const start = (options: HostOptions = {}): Promise<Host> =>
    startOther({ wasm: repaired, name: 'repaired', rootId: 'main', ...options })

  it.each([
    ['/configuration', 'takes no configuration for an empty one', '[]'],
    ['/shared', 'reads and writes shared data', '1 0 8 0 hello'],
    ['/queue', 'takes messages from a queue', '0 note 7 0'],
    ['/metric', 'reads a metric', '0 2 true'],
  ])('%s %s', async (path, _, text) => {
    const host = await start()
    expect(await host.request(path)).toMatchObject({ status: 200, text })
  })

  it('goes on after hostcalls that fail', async () => {
    const host = await start()
    expect((await host.request('/failures')).status).toBe(200)
    expect((await host.request('/configuration')).text).toBe('[]')
    expect(host.logs.map(({ level, message }) => `${level} ${message}`)).toContain(
      'warn proxy_replace_header_map_value: status 2',
    )
  })

  it('replaces all headers', async () => {
    const host = await start()
    const { upstream } = await host.request('/set-headers', { headers: { 'x-kept': 'yes' } })
    expect(upstream!.headers.toJSON()).toMatchObject({ 'x-set': 'all', 'x-kept': 'yes' })
    expect(host.logs.at(-1)?.message).toBe('x-set:all')
  })

  it('calls TCP callbacks', async () => {
    const host = await startOther({ wasm: tcp, rootId: 'tcp', type: 'network', configuration: 'any' })
    const connection = await host.connect()
    await connection.write('hello')
    expect((await connection.read(5)).toString()).toBe('hello')
    await connection.end()
    await connection.whenClosed()
    await until(host, () => host.logs.some(({ message }) => message.startsWith('closed')))
    expect(host.logs.map(({ message }) => message)).toEqual([
      'new connection',
      'from the client: hello',
      'from the service: hello',
      // What Envoy calls a close after the service's end has come back.
      'closed by the proxy',
    ])
  })

  it('makes gRPC calls', async () => {
    const host = await startOther({
      wasm: grpc,
      clusters: {
        grpc: cluster.grpc({
          'pkg.Service/Ask': () => ({ status: 5, message: 'nobody' }),
          'pkg.Service/Chat': (messages) => ({ messages, trailingMetadata: { 'x-end': 'e' } }),
        }),
      },
    })
    expect((await host.request('/')).status).toBe(200)
    const isClosed = (status: number) => host.logs.some(({ message }) => message.startsWith(`closed ${status}`))
    await until(host, () => isClosed(0) && isClosed(5))
    const lines = host.logs.map(({ message }) => message)
    expect(lines[0]).toBe('sent 0 0 0')
    expect(lines).toContainEqual(expect.stringMatching(/^closed 5 5 nobody/))
    expect(lines.filter((line) => !line.startsWith('closed 5')).slice(1)).toEqual([
      'message hello',
      'trailers',
      // Envoy's own details are in the place of the empty message.
      'closed 0 0 via_upstream',
    ])
  })

  it('clears the route cache', async () => {
    const host = await start({
      clusters: { other: cluster.http(() => 'other') },
      routes: [{ headers: { 'x-route': 'other' }, cluster: 'other' }, { cluster: 'upstream' }],
    })
    expect((await host.request('/clear-route-cache')).text).toBe('other')
  })

  it('reads a body that was buffered', async () => {
    const host = await start()
    expect(await host.request('/', { method: 'POST', body: ['one ', 'two'] })).toMatchObject({ text: '0 7 one two' })
  })

  it('keeps several root contexts of one module apart', async () => {
    const plugin = { wasm: repaired, vmId: 'one' }
    host = await createHost({
      filters: [
        { ...plugin, name: 'first', rootId: 'other', configuration: 'first' },
        { ...plugin, name: 'second', rootId: 'main', configuration: 'ignored' },
        { ...plugin, name: 'third', rootId: 'other', configuration: 'third' },
      ],
    })
    const { upstream } = await host.request('/')
    expect(upstream!.headers.getAll('x-other').join()).toBe('first,third')
  })

  it('refuses a root id that none of several root contexts has, and says so', async () => {
    const error: unknown = await start({ rootId: 'unknown' }).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ name: 'HostStartError' })
    expect(JSON.stringify((error as { logs: unknown }).logs)).toContain(
      "no root context is registered for root id 'unknown', only for 'other', 'main'",
    )
  })

  it('takes the only root context of a module for any root id', async () => {
    host = await createHost({ wasm: addheader, rootId: 'anything', configuration: 'hi' })
    expect((await host.request('/')).headers.get('hello')).toBe('hi')
  })

  it('exports what the filter overrides and uses, and nothing else', async () => {
    const { exports } = await module(addheader)
    expect(exports).toEqual([
      '_initialize',
      'memory',
      'proxy_abi_version_0_2_1',
      'proxy_on_configure',
      'proxy_on_context_create',
      'proxy_on_memory_allocate',
      'proxy_on_request_body',
      'proxy_on_request_headers',
      'proxy_on_response_headers',
    ])
    expect((await module(auth)).exports).toContain('proxy_on_http_call_response')
  })
})

async function module(path: string): Promise<{ exports: string[] }> {
  const compiled = await WebAssembly.compile(readFileSync(path))
  return {
    exports: WebAssembly.Module.exports(compiled)
      .map(({ name }) => name)
      .sort(),
  }
}

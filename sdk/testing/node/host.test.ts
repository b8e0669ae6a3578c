import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, describe, expect, it } from 'vitest'
import { cluster } from '../cluster.ts'
import { HostStartError } from '../types.ts'
import '../vitest.ts'
import { compileFixture } from './fixtures/compile.ts'
import { createNodeHost, type NodeHost, type NodeHostOptions } from './index.ts'

let probe: Buffer
const hosts: NodeHost[] = []

beforeAll(async () => {
  probe = (await compileFixture('probe', '-O')).wasm
})
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close()
})

/** A host with the probe, which does what `lines` say. */
async function start(lines: readonly string[] = [], options: Partial<NodeHostOptions> = {}): Promise<NodeHost> {
  const host = await createNodeHost({ wasm: probe, name: 'probe', configuration: lines.join('\n'), ...options })
  hosts.push(host)
  return host
}

const messages = (host: NodeHost) => host.logs.map((line) => line.message)
const CALL = 'request_headers http auth;1000;;:method;GET;:path;/;:authority;a'

describe('requests', () => {
  it('take no real time, however long filters and clusters wait', async () => {
    const host = await start(
      [CALL, 'request_headers return 1', 'http_call_response effective $ctx', 'http_call_response continue 0'],
      {
        clusters: { auth: cluster.http(() => ({ delay: 900 })) },
        upstream: () => ({ delay: 3000, body: 'late' }),
      },
    )
    const before = host.now
    const response = await host.request('/')
    expect(response.text).toBe('late')
    expect(host.now - before).toBe(3900)
    expect(response).toHaveHeader('x-envoy-upstream-service-time', '3000')
  })

  it('overlap when they start together', async () => {
    const host = await start([CALL, 'request_headers return 1'], {
      clusters: { auth: cluster.http(() => ({ delay: 100 })) },
    })
    const both = [host.request('/', { timeout: 200 }), host.request('/', { timeout: 200 })]
    expect((await Promise.allSettled(both)).map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(host.callouts).toHaveLength(2)
  })

  it('wait for handlers that promise', async () => {
    const host = await start([], { upstream: () => Promise.resolve('promised') })
    expect((await host.request('/')).text).toBe('promised')
    expect(() => host.requestSync()).toThrow('a handler returned a promise')
  })

  it('can be made without a promise', async () => {
    const host = await start(['request_headers add 0;x-added;1'])
    const response = host.requestSync({ path: '/sync' })
    expect(response).toBeAllowed()
    expect(response).toReachUpstream({ path: '/sync', headers: { 'x-added': '1', 'x-none': null } })
  })

  it('say which filter holds them', async () => {
    const host = await start(['request_headers return 1'])
    await expect(host.request('/x')).rejects.toThrow(
      "GET /x is not complete, and no timer or callout is pending: no response headers came; filter 'probe' holds the " +
        'stream since on_request_headers (StopAllIterationAndWatermark); callbacks for the body are not called until continue_stream(request)',
    )
    const slow = await start(['configure tick 100', 'request_headers return 1'])
    const before = slow.now
    await expect(slow.request('/x', { timeout: 1000 })).rejects.toThrow('after 1000 ms of virtual time')
    expect(slow.now - before).toBeLessThanOrEqual(1000)
  })

  it('go to the workers in turn, or to the one that is named', async () => {
    const host = await start(['verbose'], { workers: 2 })
    const contexts = async (worker?: number) => {
      const { trace } = await host.request('/', { worker })
      return trace!.find(({ name }) => name === 'on_request_headers')!.contextId
    }
    expect([await contexts(), await contexts(), await contexts()]).toEqual([2, 2, 3])
    expect([await contexts(0), await contexts(0)].map((id) => id > 3 || id === 3 || id === 4)).toEqual([true, true])
  })

  it('after close are refused', async () => {
    const host = await start()
    await host.close()
    await expect(host.request('/')).rejects.toThrow('the host is closed')
  })
})

describe('streams', () => {
  it('show what the low level does', async () => {
    const host = await start([
      'request_body return 1',
      'tick effective $ctx',
      'tick continue 0',
      'request_body tick 100',
    ])
    const stream = await host.stream({ method: 'POST' })
    expect(stream.state.held).toBeUndefined()
    await stream.write('abc')
    expect(stream.state.held).toContain('StopIterationAndBuffer')
    await stream.write('def')
    await stream.end()
    expect(stream.state).toMatchObject({ ended: false, status: undefined })
    const { upstream, trace } = await stream.response()
    expect(upstream!.body.toString()).toBe('abcdef')
    const bodies = trace!.filter(({ name }) => name === 'on_request_body')
    expect(bodies.map(({ args, result }) => [...args, result])).toEqual([
      [3, 0, 1],
      [6, 0, 1],
      [6, 1, 1],
    ])
    expect(stream.state).toMatchObject({ ended: true, status: 200 })
  })

  it('end when the client goes away, and with them their contexts', async () => {
    const host = await start([
      'request_headers return 1',
      'log log 2;gone',
      'tick effective $ctx',
      'configure tick 100',
    ])
    const stream = await host.stream()
    await stream.abort()
    expect(host).toContainLog('info', 'gone')
    await host.advance(100)
    expect(messages(host)).toContain('effective $ctx = 2')
  })

  it('have a trace with readable arguments, of this stream only', async () => {
    const host = await start(['request_headers get 0;x-user', 'request_headers replace 0;x-b;ü'])
    await host.request('/', { headers: { 'x-user': 'other' } })
    const { trace } = await host.request('/', { headers: { 'x-user': 'bob' } })
    expect(trace!.filter(({ kind }) => kind === 'callback').map(({ name }) => name)).toEqual([
      ...['on_context_create', 'on_request_headers', 'on_response_headers', 'on_response_body', 'on_response_body'],
      ...['on_log', 'on_done', 'on_delete'],
    ])
    expect(trace).toContainEqual({
      name: 'replace_header_map_value',
      kind: 'hostcall',
      contextId: 3,
      result: 0,
      args: ['request_headers', 'x-b', 'ü'],
    })
    expect(host.trace.length).toBeGreaterThan(trace!.length)
  })
})

describe('attributes', () => {
  it('may be given by the spec, before those of the host', async () => {
    const host = await start(
      ['source\\0address', 'source\\0port', 'metadata\\0filter_metadata\\0jwt\\0sub', 'connection\\0tls_version'].map(
        (path) => `request_headers prop ${path}`,
      ),
      {
        properties: { 'source.address': '10.0.0.1:80', 'connection.tls_version': 'TLSv1.2' },
        metadata: { jwt: { sub: 'me' } },
      },
    )
    await host.request('/', { source: '127.0.0.7' })
    expect(messages(host)).toEqual([
      'prop source\\0address = 0 10.0.0.1:80',
      expect.stringMatching(/^prop source\\0port = 0 .*\\x00$/),
      'prop metadata\\0filter_metadata\\0jwt\\0sub = 0 me',
      'prop connection\\0tls_version = 0 TLSv1.2',
    ])
  })
})

describe('failures', () => {
  it('carry positions in the sources', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'node-host-'))
    try {
      const { wasm, map } = await compileFixture('failing', '--debug', '--sourceMap')
      const file = join(directory, 'failing.wasm')
      writeFileSync(file, wasm)
      writeFileSync(`${file}.map`, map!)
      const host = await createNodeHost({ wasm: file })
      const response = await host.request('/')
      expect(response).toBeLocalReply(503)
      expect(response.details).toBe('wasm_fail_stream')
      const [failure] = host.failures
      expect(failure!.message).toBe('Function: proxy_on_request_headers failed: Uncaught RuntimeError: unreachable')
      expect(failure!.stack).toMatch(/\n {4}at failing\/proxy_on_request_headers \(.*failing\.ts:13:10\)$/)
    } finally {
      rmSync(directory, { recursive: true })
    }
  })

  it('at the start reject with what Envoy says', async () => {
    const refused = createNodeHost({ wasm: Buffer.from('0061736d01000000', 'hex'), name: 'bad' })
    await expect(refused).rejects.toThrow(HostStartError)
    await expect(refused).rejects.toThrow(
      'Unable to create Wasm plugin bad; Missing or unknown Proxy-Wasm ABI version; Failed to load Wasm code',
    )
    await expect(start(['configure log 2;why', 'configure return 0'])).rejects.toMatchObject({
      message: 'Unable to create Wasm plugin probe; Failed to configure base Wasm plugin',
      logs: [{ level: 'info', message: 'why', plugin: 'probe' }, { message: 'log 2;why = 0' }],
    })
  })

  it('of a worker leave the others alone', async () => {
    const host = await start(['request_headers only trap', 'request_headers trap'], { workers: 2 })
    expect(await host.request('/', { worker: 0, headers: { 'x-run': 'trap' } })).toBeLocalReply(503)
    expect(await host.request('/', { worker: 0 })).toBeLocalReply(503)
    expect(await host.request('/', { worker: 1 })).toBeAllowed()
  })
})

describe('matchers', () => {
  it('see leaks, and only those', async () => {
    const { wasm } = await compileFixture('tidy', '-O')
    const tidy = await start([], { wasm, trace: false })
    await expect(tidy).not.toLeak(() => tidy.requestSync({ headers: { 'x-a': '1' } }), 300)
    const greedy = await start(['request_headers grow 1'], { trace: false })
    await expect(greedy).toLeak(() => greedy.requestSync(), 20)
  })

  it('read metrics, logs and shared data at once', async () => {
    const host = await start([
      'request_headers metric 0;hits',
      'request_headers increment $id;2',
      'request_headers sset k;v',
    ])
    await host.request('/')
    // They need not be awaited here, and may be.
    void expect(host).toHaveMetric('hits', 2)
    await expect(host).not.toHaveMetric('misses')
    expect(host).toContainLog('info', /^increment .* = 0$/)
    expect(host).toHaveSharedData('k', 'v')
    expect(() => expect(host).toHaveMetric('hits', 3)).toThrow('expected metric hits = 3, but it was 2')
  })

  it('tell what came instead', async () => {
    const host = await start(['request_headers only deny', 'request_headers local 403;why;no'])
    const allowed = await host.request('/')
    const denied = await host.request('/', { headers: { 'x-run': 'deny' } })
    expect(denied).toBeDenied(403)
    expect(denied).not.toBeAllowed()
    expect(() => expect(allowed).toBeDenied()).toThrow('but it was an answer of the upstream with status 200')
    expect(() => expect(denied).toReachUpstream()).toThrow(
      'a local reply (why) with status 403; the upstream got no request',
    )
    expect(() => expect(allowed).toReachUpstream({ path: '/y' })).toThrow("path is '/', not /y")
    expect(() => expect(allowed).toHaveHeader('x-none')).toThrow('missing among :status')
  })
})

// Filters by another SDK, as they were built elsewhere. Only where they lie beside the repository.
const peers = fileURLToPath(new URL('../../../../shared/peers/wasm/', import.meta.url))
if (existsSync(peers)) {
  describe("other SDKs' filters", () => {
    const peer = (name: string, options: Partial<NodeHostOptions> = {}) =>
      start([], { wasm: join(peers, `${name}.wasm`), ...options })

    it.each(['rust_hdr', 'raw_hdr'])('%s adds headers both ways', async (name) => {
      const host = await peer(name, { configuration: undefined })
      const response = await host.request('/', { headers: { 'x-user': 'bob' } })
      expect(response).toHaveHeader('x-resp', '1')
      expect(response).toReachUpstream({ headers: { 'x-added': 'bob' } })
      await expect(host).not.toLeak(() => host.requestSync({ headers: { 'x-user': 'bob' } }), 500)
    })

    it.each(['rust_noop', 'raw_ctxonly', 'raw_full', 'raw_reqonly'])('%s lets everything pass', async (name) => {
      const host = await peer(name)
      expect(await host.request('/', { method: 'POST', body: ['a', 'b'] })).toReachUpstream({ body: 'ab' })
    })

    it('rust_tele counts', async () => {
      const host = await peer('rust_tele')
      await host.request('/')
      await host.request('/')
      await expect(host).toHaveMetric('tele.requests.method.GET.status.200', 2)
    })
  })
}

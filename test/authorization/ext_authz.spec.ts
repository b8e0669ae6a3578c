/** External authorizers: what they are asked, and what becomes of the request. Envoy's own filter judges the same in `ext_authz.native.envoy.test.ts`. */
import {
  cluster,
  createHost,
  type Host,
  HostStartError,
  type HostOptions,
  type Response,
  type UpstreamRequest,
} from '@meshscript/sdk/testing'
import { afterEach, describe, expect, test } from 'vitest'
import authorization from '../../filters/authorization/assembly/index.ts?filter'
import custom from '../../filters/authorization-custom/assembly/index.ts?filter'
import wasm from './ext_authz/assembly/index.ts?filter'
import { allowed, denied } from './ext_authz/messages.ts'
import { checks, requestOf, type Scenario, scenarios } from './ext_authz/scenarios.ts'

const CHECK = 'envoy.service.auth.v3.Authorization/Check'

let host: Host
afterEach(() => host?.close())

const start = async (options: HostOptions) =>
  (host = await createHost({ wasm, allowOnHeadersStopIteration: true, ...options }))

async function ask(scenario: Scenario) {
  checks.length = 0
  await start({
    configuration: { providers: { p: scenario.provider } },
    clusters: { authorizer: scenario.cluster },
    upstream: () => ({ headers: { 'x-set': 'old', 'x-over': 'old', 'x-there': 'old' }, body: 'ok' }),
  })
  const response = await host.request(requestOf(scenario))
  return { response, callout: host.callouts[0], check: checks[0] }
}

const named = (name: string) => ask(scenarios[name]!)
/** With `upstream`, whether or not the request got there. */
const told = ({ upstream, ...rest }: Response) => ({ ...rest, upstream })
const headersOf = ({ headers }: UpstreamRequest) => headers.toJSON()

describe('by HTTP', () => {
  test('the service gets the request line, authorization and what is included', async () => {
    const { response, callout } = await named('http gets the request line, authorization and what is included')
    expect(response.status).toBe(200)
    expect(callout).toMatchObject({
      cluster: 'authorizer',
      method: 'PUT',
      path: '/check/p/q?a=1',
      authority: 'localhost',
    })
    const { 'x-request-id': _, ...headers } = headersOf(callout!)
    expect(headers).toEqual({
      ...Object.fromEntries(
        Object.entries(headers).filter(([name]) => !name.startsWith('x-') && !/^(auth|my)/.test(name)),
      ),
      authorization: 'Bearer x',
      'x-list': 'a,b',
      'x-b3-trace': '1',
      'my-id': '2',
      'x-own': 'of the provider',
      'x-more': '1',
      ...Object.fromEntries(Object.entries(headers).filter(([name]) => /^x-(envoy|forwarded)/.test(name))),
    })
    expect(headers['content-length']).toBe('0')
  })

  test('its answer changes the request', async () => {
    const { response } = await named('http changes the request')
    expect(response).toReachUpstream({ headers: { 'x-user': 'eve', 'x-list': 'd' } })
    const { headers } = response.upstream!
    expect([headers.has('x-secret'), headers.has('authorization'), headers.has('x-other')]).toEqual([
      false,
      false,
      false,
    ])
  })

  test('its answer changes the response', async () => {
    const { response } = await named('http changes the response')
    expect(response.headers.getAll('set-cookie')).toEqual(['a=1', 'b=2'])
    expect(response.headers.has('x-other')).toBe(false)
  })

  test('a refusal goes to the client', async () => {
    const { response } = await named('http refuses')
    expect(told(response)).toMatchObject({
      status: 401,
      text: '<b>no</b>',
      details: 'ext_authz_denied',
      upstream: undefined,
    })
    expect(response).toHaveHeader('x-why', 'because')
    expect(response.headers.getAll('content-type')).toEqual(['text/html'])
  })

  test('with the headers that are listed, and what a browser needs', async () => {
    const { response } = await named('http refuses with listed headers')
    expect(response).toHaveHeader('x-why', 'because')
    expect(response).toHaveHeader('www-authenticate', 'Basic')
    expect(response.headers.has('x-other')).toBe(false)
  })

  test('a gRPC client gets a gRPC status', async () => {
    const { response } = await named('http refuses a gRPC request')
    expect(told(response)).toMatchObject({ status: 200, grpcStatus: 16, grpcMessage: 'no', upstream: undefined })
  })
})

describe('by gRPC', () => {
  test('the service gets everything', async () => {
    const { response, check } = await named('grpc gets everything')
    expect(response.status).toBe(200)
    expect(check).toMatchObject({
      source: { address: '127.0.0.1', principal: '' },
      destination: { address: '127.0.0.1' },
      method: 'PUT',
      path: '/p/a?b=c',
      host: 'shop.test:80',
      scheme: 'http',
      protocol: 'HTTP/1.1',
      size: 0,
      headers: { ':path': '/p/a?b=c', 'x-list': 'a,b', authorization: 'Bearer x', 'x-secret': 's' },
    })
    expect(check!.source.port).toBeGreaterThan(0)
    expect(Math.abs(check!.seconds - Date.now() / 1000)).toBeLessThan(3600 * 24 * 3650)
  })

  test('and who the client is, and who it talks to', async () => {
    checks.length = 0
    const { provider, cluster } = scenarios['grpc allows']!
    await start({
      configuration: { providers: { p: provider } },
      clusters: { authorizer: cluster },
      tls: { identity: 'spiffe://cluster.local/ns/shop/sa/server' },
    })
    const peer = ['spiffe://cluster.local/ns/shop/sa/client', 'spiffe://cluster.local/second', 'client.test']
    expect((await host.request('/p', { peer })).status).toBe(200)
    expect(checks[0]).toMatchObject({
      source: { principal: peer[0] },
      destination: { principal: 'spiffe://cluster.local/ns/shop/sa/server' },
      scheme: 'https',
    })
  })

  test('its answer changes the request', async () => {
    const { response } = await named('grpc changes the request')
    const { headers, path } = response.upstream!
    const { 'x-user': user, 'x-case': lower, 'x-own': own, 'x-list': list } = headers.toJSON()
    expect({ user, lower, own, list, path }).toEqual({
      user: 'eve',
      lower: 'lower',
      own: 'overwritten',
      list: ['a,joined', 'b'],
      path: '/p/q?a=1',
    })
    expect([headers.has('x-secret'), headers.has('x-new-list')]).toEqual([false, false])
  })

  test('its answer changes parameters and response', async () => {
    const { response } = await named('grpc changes parameters')
    expect(response.upstream!.path).toBe('/p/q?a=1&b=2&d=4')
    await host.close()
    const { response: other } = await named('grpc changes the response by actions')
    expect(other.headers.toJSON()).toMatchObject({
      'x-set': ['old', 'further'],
      'x-absent': 'absent',
      'x-over': 'other',
      'x-there': 'other',
    })
    expect(other.headers.has('x-if-there')).toBe(false)
  })

  test('a refusal goes to the client', async () => {
    const { response } = await named('grpc refuses')
    expect(told(response)).toMatchObject({ status: 401, text: 'no', details: 'ext_authz_denied', upstream: undefined })
    expect(response.headers.getAll('x-why')).toEqual(['because', 'b'])
  })

  test('cookies that it appends to a refusal are kept, which Envoy 1.40 drops', async () => {
    const headers = ['a=1', 'b=2'].map((value) => ({ key: 'set-cookie', value, append: true }))
    const message = denied({ status: 302, headers })
    const { response } = await ask({ ...scenarios['grpc refuses']!, cluster: cluster.grpc({ [CHECK]: () => ({ messages: [message] }) }) }) // prettier-ignore
    expect(response.headers.getAll('set-cookie')).toEqual(['a=1', 'b=2'])
  })
})

describe('the body', () => {
  test.each([
    ['http gets no body unasked', '', undefined],
    ['http gets the body', '0123', 'false'],
    ['http gets a part of the body', '0123456789', 'true'],
    ['http gets a request without a body', '', undefined],
  ])('%s', async (name, body, partial) => {
    const { response, callout } = await named(name)
    expect(response.status).toBe(200)
    expect(callout!.body.toString()).toBe(body)
    expect(callout!.headers.get('x-envoy-auth-partial-body')).toBe(partial)
    expect(response.upstream!.body.toString()).toBe(String(scenarios[name]!.request?.body ?? ''))
  })

  test('as text, and as bytes', async () => {
    expect((await named('grpc gets the body')).check).toMatchObject({ body: '0123', rawBody: '', size: 4 })
    await host.close()
    expect((await named('grpc gets the body as bytes')).check).toMatchObject({ body: '', rawBody: '0123' })
  })

  test('with trailers', async () => {
    const { response, callout } = await named('http gets a body with trailers')
    expect(callout!.body.toString()).toBe('0123')
    expect(response.upstream!.body.toString()).toBe('0123')
  })

  test('too large', async () => {
    const { response, callout } = await named('http gets no body that is too large')
    expect(told(response)).toMatchObject({ status: 413, text: 'Payload Too Large', upstream: undefined })
    expect(callout).toBeUndefined()
  })

  test('in pieces, and what comes while the service is asked', async () => {
    const { provider } = scenarios['http gets a part of the body']!
    await start({
      configuration: { providers: { p: provider } },
      clusters: { authorizer: cluster.http(() => ({ status: 200, delay: 200 })) },
    })
    const stream = await host.stream({ path: '/p', method: 'POST' })
    for (const chunk of ['0123', '4567', '89ab', 'cdef']) await stream.write(chunk)
    await stream.end({ body: '!' })
    await host.advance(300)
    const response = await stream.response()
    expect(response.upstream!.body.toString()).toBe('0123456789abcdef!')
    expect(host.callouts[0]!.body.toString()).toBe('0123456789')
  })

  test('of exactly the limit, and then more, is not checked by halves', async () => {
    const { provider, cluster: authorizer } = scenarios['http gets the body']!
    await start({ configuration: { providers: { p: provider } }, clusters: { authorizer } })
    const stream = await host.stream({ path: '/p', method: 'POST' })
    await stream.write('0123456789')
    await stream.write('!')
    await stream.end()
    expect(told(await stream.response())).toMatchObject({ status: 413, upstream: undefined })
    expect(host.callouts).toEqual([])
  })

  test('is not left out because the client says that it upgrades', async () => {
    const scenario = scenarios['http gets the body']!
    const request = { ...scenario.request, headers: { upgrade: 'x', connection: 'close' } }
    const { callout } = await ask({ ...scenario, request })
    expect(callout?.body.toString()).toBe('0123')
  })

  // A plugin without the setting, as Istio's WasmPlugin makes it, never sees a body while the headers wait.
  test('that does not come ends in a refusal', { timeout: 40_000 }, async () => {
    const { provider, cluster: authorizer } = scenarios['http gets the body']!
    await start({
      configuration: { providers: { p: provider } },
      clusters: { authorizer },
      allowOnHeadersStopIteration: false,
    })
    const stream = await host.stream({ path: '/p', method: 'POST' })
    await stream.write('0123')
    await host.advance(17_000)
    expect(told(await stream.response())).toMatchObject({
      status: 403,
      details: 'ext_authz_error',
      upstream: undefined,
    })
    expect(host.logs.at(-1)!.message).toContain('allow_on_headers_stop_iteration')
  })
})

describe('without an answer', () => {
  test.each([
    ['http fails', 403],
    ['http fails, own status', 503],
    ['http breaks', 403],
    ['http breaks in the middle', 403],
    ['http refuses connections', 403],
    ['grpc fails', 403],
    ['grpc fails, own status', 503],
    ['grpc sends no message', 403],
    ['grpc refuses connections', 403],
  ])('%s: %d', async (name, status) => {
    const { response } = await named(name)
    expect(told(response)).toMatchObject({ status, text: '', details: 'ext_authz_error', upstream: undefined })
  })

  test.each(['http never answers', 'grpc never answers', 'http never answers, open'])('%s', async (name) => {
    const { provider, cluster } = scenarios[name]!
    await start({ configuration: { providers: { p: provider } }, clusters: { authorizer: cluster } })
    const stream = await host.stream({ path: '/p' })
    await stream.end()
    await host.advance(200)
    expect((await stream.response()).status).toBe(name.endsWith('open') ? 200 : 403)
  })

  test.each(['http fails open', 'grpc fails open', 'grpc sends no message, open'])('%s: 200', async (name) => {
    const { response } = await named(name)
    expect(response).toReachUpstream()
  })

  test('no such cluster', async () => {
    const config = { cluster: 'nowhere' }
    await start({ configuration: { providers: { http: { http: config }, grpc: { grpc: config } } } })
    for (const path of ['/http', '/grpc']) {
      expect(told(await host.request(path))).toMatchObject({
        status: 403,
        details: 'ext_authz_error',
        upstream: undefined,
      })
    }
  })

  const status = (code: number) => Buffer.from([0x0a, 2, 8, code])
  const option = (key: string, value: string) => allowed({ headers: [{ key, value }] })
  test.each([
    ['cut', Buffer.from([0x0a, 5, 8])],
    ['with a status that is no message', Buffer.from([8, 0])],
    ['with a code that is no number', Buffer.from([0x0a, 3, 0x0a, 1, 0])],
    ['with a group', Buffer.from([0x0b, 0x0c])],
    ['with a header that would split the request', option('x-a', 'b\r\nx-evil: 1')],
    ['with a header without a name', option('', 'b')],
    ['with a header that is no name', option('x a', 'b')],
    ['that allows and then refuses', Buffer.concat([allowed(), status(7)])],
    ['that refuses and then says nothing', Buffer.concat([status(7), Buffer.from([0x0a, 0])])],
  ])('a message %s lets nothing pass', async (_, message) => {
    const { response } = await ask({
      ...scenarios['grpc allows']!,
      cluster: cluster.grpc({ [CHECK]: () => ({ messages: [message] }) }),
    })
    expect(told(response)).toMatchObject({ status: 403, upstream: undefined })
  })
})

test('what is behind the check sees the headers as they are then', async () => {
  const scenario = scenarios['grpc allows']!
  const message = allowed({ headers: [{ key: 'x-refuse', value: '1' }] })
  const { response } = await ask({ ...scenario, cluster: cluster.grpc({ [CHECK]: () => ({ messages: [message] }) }) })
  expect(told(response)).toMatchObject({ status: 403, text: 'refused behind the check', upstream: undefined })
})

test('a client that goes away during the check', async () => {
  const slow = { http: { cluster: 'authorizer', timeoutMs: 1000 } }
  await start({
    configuration: { providers: { p: slow } },
    clusters: { authorizer: cluster.http(() => ({ status: 401, delay: 100 })) },
  })
  const stream = await host.stream({ path: '/p' })
  await stream.end()
  await stream.abort()
  await host.advance(300)
  // The filter lives on.
  const next = await host.stream({ path: '/p' })
  await next.end()
  await host.advance(300)
  expect((await next.response()).status).toBe(401)
})

test('audit mode lets pass what a provider refuses', async () => {
  const { provider, cluster } = scenarios['http refuses']!
  await start({ configuration: { audit: true, providers: { p: provider } }, clusters: { authorizer: cluster } })
  expect(await host.request('/p')).toReachUpstream()
})

const http = { http: { cluster: 'authorizer' } }
test.each([
  ['without a cluster', { p: { http: {} } }, 'providers.p.http'],
  ['of no kind', { p: {} }, 'providers.p'],
  ['of two kinds', { p: { ...http, grpc: { cluster: 'a' } } }, 'providers.p'],
  ['with an unknown field', { p: { http: { cluster: 'a', timeout: 5 } } }, 'timeout'],
  ['with a path of its own', { p: { http: { cluster: 'a', pathPrefix: 'check' } } }, 'pathPrefix'],
  ['with HTTP settings for gRPC', { p: { grpc: { cluster: 'a', pathPrefix: '/check' } } }, 'pathPrefix'],
  [
    'with a header in upper case',
    { p: { http: { cluster: 'a', headersToUpstreamOnAllow: [{ exact: 'X-A' }] } } },
    'exact',
  ],
  [
    'with a format command',
    { p: { http: { cluster: 'a', includeAdditionalHeadersInCheck: { 'x-a': '%START_TIME%' } } } },
    'x-a',
  ],
  ['with a status that is none', { p: { http: { cluster: 'a', statusOnError: 42 } } }, 'statusOnError'],
])('a provider %s is refused', async (_, providers, field) => {
  const refused = await createHost({ wasm, configuration: { providers } }).catch((error: unknown) => error)
  expect(refused).toBeInstanceOf(HostStartError)
  expect((refused as HostStartError).logs.map(({ message }) => message).join('\n')).toContain(field)
})

describe('CUSTOM policies', () => {
  const policy = (name: string, action: string, paths: string[], more = {}) => ({
    name,
    action,
    ...more,
    rules: [{ to: [{ paths: paths.map((prefix) => ({ prefix })) }] }],
  })
  const configuration = {
    version: 1,
    policies: [
      policy('asks', 'CUSTOM', ['/asked', '/both'], { provider: 'p' }),
      { name: 'denies', action: 'DENY', rules: [{ when: [{ header: 'x-user', values: [{ exact: 'eve' }] }] }] },
      policy('allows', 'ALLOW', ['/asked', '/free']),
    ],
    providers: { p: { http: { cluster: 'authorizer', headersToUpstreamOnAllow: [{ exact: 'x-user' }] } } },
  }
  const authorizer = cluster.http(({ headers }) =>
    headers.get('authorization')
      ? { headers: { 'x-user': headers.get('authorization')! } }
      : { status: 401, body: 'who?' },
  )
  const startFilter = (settings = {}) =>
    start({
      wasm: authorization,
      rootId: 'authorization',
      configuration: { ...configuration, ...settings },
      clusters: { authorizer },
      filterState: ['authorization.policy', 'authorization.verdict'],
    })
  const as = (user: string) => ({ headers: { authorization: user } })

  test('ask about what they match, and DENY and ALLOW decide on the rest', async () => {
    await startFilter()
    expect(await host.request('/asked', as('bob'))).toReachUpstream({ headers: { 'x-user': 'bob' } })
    expect(told(await host.request('/asked'))).toMatchObject({
      status: 401,
      text: 'who?',
      details: 'ext_authz_denied',
      filterState: { 'authorization.policy': 'asks-rule[0]', 'authorization.verdict': 'denied' },
    })
    // Refused by the header that the provider has set.
    expect(told(await host.request('/asked', as('eve')))).toMatchObject({
      status: 403,
      details: 'rbac_access_denied_matched_policy[denies-rule[0]]',
    })
    expect(told(await host.request('/both', as('bob')))).toMatchObject({ status: 403, upstream: undefined })
    expect((await host.request('/free')).status).toBe(200)
    expect(host.callouts.length).toBe(4)
    const counted = Object.entries(await host.metrics()).filter(([name]) => name.includes('asks'))
    expect(counted.map(([, value]) => value)).toEqual([1])
  })

  test('refuse where their provider is not configured, or not the only one', async () => {
    await startFilter({ providers: {} })
    expect((await host.request('/asked', as('bob'))).status).toBe(403)
    expect((await host.request('/free')).status).toBe(200)
    const other = policy('asks-another', 'CUSTOM', ['/other'], { provider: 'q' })
    const { p } = configuration.providers
    await host.reconfigure({ ...configuration, policies: [...configuration.policies, other], providers: { p, q: p } })
    expect((await host.request('/asked', as('bob'))).status).toBe(403)
    expect(host.callouts).toEqual([])
  })

  test('in audit mode let pass what their provider refuses', async () => {
    await startFilter({ mode: 'audit' })
    expect(told(await host.request('/asked'))).toMatchObject({
      status: 200,
      filterState: { 'authorization.verdict': 'audited' },
    })
  })

  test('add headers to responses, in the module that is for it', async () => {
    const cookies = cluster.http(() => ({ headers: { 'set-cookie': ['a=1', 'b=2'] } }))
    const providers = { p: { http: { cluster: 'authorizer', headersToDownstreamOnAllow: [{ exact: 'set-cookie' }] } } }
    const options = { configuration: { ...configuration, providers }, clusters: { authorizer: cookies } }
    await start({ ...options, wasm: custom })
    expect((await host.request('/asked')).headers.getAll('set-cookie')).toEqual(['a=1', 'b=2'])
    expect((await host.request('/free')).headers.has('set-cookie')).toBe(false)
    await host.close()
    await start({ ...options, wasm: authorization })
    expect((await host.request('/asked')).headers.has('set-cookie')).toBe(false)
    await expect.poll(() => host.logs[0]?.message).toContain('authorization-custom.wasm')
  })

  test('tell the log', async () => {
    await startFilter()
    await host.request('/asked?token=secret')
    await expect.poll(() => host.logs.length).toBe(1)
    expect(host.logs[0]).toMatchObject({ level: 'warn', message: 'denied policy=asks-rule[0] method=GET path=/asked' })
  })
})

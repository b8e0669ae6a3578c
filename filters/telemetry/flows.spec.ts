/** Flow records: what they say of a request, what they keep to themselves, and where they go. The same on both hosts. */
import { cluster, createHost, type Host, type HostOptions, type HttpHandler } from '@meshscript/sdk/testing'
import { afterEach, describe, expect, test } from 'vitest'
import filter from './assembly/index.ts?filter'
import authorization from '../authorization/assembly/index.ts?filter'
import fault from '../fault/assembly/index.ts?filter'
import ratelimit from '../ratelimit/assembly/index.ts?filter'

const workload = { name: 'cart-v1', namespace: 'shop', app: 'cart', version: 'v1', canonicalService: 'cart' }
const front = { name: 'front-v1', namespace: 'web', app: 'front' }
const SERVER = 'spiffe://cluster.local/ns/shop/sa/cart'
const CLIENT = 'spiffe://cluster.local/ns/web/sa/front'
const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'

interface Line {
  flow: Flow
  node_name: string
  time: string
}
interface Flow {
  [member: string]: unknown
  verdict: string
  l7: { type: string; latency_ns?: string; http: { code?: number; url: string; headers?: object[] } }
  is_reply: boolean
  Summary: string
  trace_context?: { parent: { trace_id: string } }
}

let host: Host | undefined
afterEach(() => host?.close())

const telemetry = (flows: object, configuration: object = {}) => ({
  wasm: filter,
  name: 'telemetry',
  configuration: { version: 1, reporter: 'destination', workload, flows, ...configuration },
})

async function start(flows: object = {}, configuration: object = {}, options: HostOptions = {}): Promise<Host> {
  host = await createHost({
    ...telemetry({ log: true, ...flows }, configuration),
    // What a client says is kept.
    connectionManager: { generate_request_id: false, use_remote_address: false },
    ...options,
  })
  return host
}

/** With another filter between it and the service. */
async function startWith(other: HostOptions, configuration: object = {}): Promise<Host> {
  const { wasm, name, configuration: others } = other as Required<HostOptions>
  const filters = [telemetry({ log: true }, configuration), { wasm, name, vmId: name, configuration: others }]
  host = await createHost({ filters })
  return host
}

/** The records in the log, each of them a line of valid JSON. */
const lines = () =>
  host!.logs
    .filter(({ message }) => message.startsWith('flow '))
    .map(({ message }) => JSON.parse(message.slice(5)) as Line)

/** The only record. */
function flow(): Flow {
  const found = lines()
  expect(found).toHaveLength(1)
  return found[0]!.flow
}

/** Names of members, at all depths, in their order. */
const members = (value: unknown): string[] =>
  typeof value !== 'object' || value === null || 'asymmetricMatch' in value
    ? []
    : Object.entries(value).flatMap(([name, inner]) => [name, ...members(inner)])

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/) as string
const UUID = expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/) as string
const PORT = expect.any(Number) as number
const CART = {
  namespace: 'shop',
  labels: [
    'k8s:app=cart',
    'k8s:io.kubernetes.pod.namespace=shop',
    'k8s:service.istio.io/canonical-name=cart',
    'k8s:version=v1',
  ],
  workloads: [{ name: 'cart-v1' }],
}
const FRONT = {
  namespace: 'web',
  labels: ['k8s:app=front', 'k8s:io.kubernetes.pod.namespace=web'],
  workloads: [{ name: 'front-v1' }],
}

describe('a record', () => {
  test('of a request that was answered is the flow of its response, with members in Hubble’s order', async () => {
    await start({ node: 'node-1', pod: 'cart-v1-x' }, { peers: [{ address: '127.0.0.0/8', ...front }] })
    const before = Date.now()
    await host!.request('/items', { authority: 'cart.shop:8080', method: 'POST', body: 'a' })
    const [line] = lines()
    const latency = line!.flow.l7.latency_ns
    const expected = {
      flow: {
        time: TIME,
        uuid: UUID,
        verdict: 'FORWARDED',
        IP: { source: '127.0.0.1', destination: '127.0.0.1', ipVersion: 'IPv4' },
        l4: { TCP: { source_port: PORT, destination_port: PORT } },
        source: { namespace: 'shop', labels: CART.labels, pod_name: 'cart-v1-x', workloads: CART.workloads },
        destination: FRONT,
        Type: 'L7',
        node_name: 'node-1',
        l7: {
          type: 'RESPONSE',
          ...(latency !== undefined && { latency_ns: expect.stringMatching(/^[1-9]\d*$/) as string }),
          http: { code: 200, method: 'POST', url: 'http://cart.shop:8080/items', protocol: 'HTTP/1.1' },
        },
        event_type: { type: 129, sub_type: 1 },
        source_service: { name: 'cart', namespace: 'shop' },
        destination_service: { name: 'front', namespace: 'web' },
        traffic_direction: 'INGRESS',
        is_reply: true,
        Summary: `HTTP/1.1 200 ${Math.floor(Number(latency ?? 0) / 1e6)}ms (POST http://cart.shop:8080/items)`,
      },
      node_name: 'node-1',
      time: TIME,
    }
    expect(line).toEqual(expected)
    expect(members(line)).toEqual(members(expected))
    expect(line!.time).toBe(line!.flow['time'])
    if (host!.name === 'node') return
    expect(Math.abs(Date.parse(line!.time) - before)).toBeLessThan(10_000)
    expect(Number(latency)).toBeGreaterThan(0)
  })

  test('of a request that goes out, to the service behind the cluster', async () => {
    const services = { upstream: { host: 'ratings.other.svc.cluster.local', workload: { ...front, namespace: '' } } }
    await start({}, { reporter: 'source', services })
    await host!.request('/')
    expect(flow()).toMatchObject({
      traffic_direction: 'EGRESS',
      is_reply: true,
      source: { workloads: [{ name: 'front-v1' }] },
      destination: CART,
      source_names: ['ratings.other.svc.cluster.local'],
      source_service: { name: 'ratings', namespace: 'other' },
      destination_service: { name: 'cart', namespace: 'shop' },
    })
  })

  test('says who the certificates show', async () => {
    await start({}, {}, { tls: { identity: SERVER } })
    await host!.request('/', { peer: CLIENT })
    expect(flow()).toMatchObject({
      source: { namespace: 'shop', labels: expect.arrayContaining(['k8s:io.cilium.k8s.policy.serviceaccount=cart']) as string[] }, // prettier-ignore
      destination: {
        namespace: 'web',
        labels: ['k8s:io.cilium.k8s.policy.serviceaccount=front', 'k8s:io.kubernetes.pod.namespace=web'],
      },
      l7: { http: { url: 'https://localhost/' } },
    })
    expect(flow()).not.toHaveProperty('destination_service')
  })

  test('of one caller is not taken for another’s', async () => {
    const peers = [
      { principal: CLIENT, ...front },
      { principal: `${CLIENT}2`, ...front, name: 'front-v2' },
    ]
    await start({}, { peers }, { tls: { identity: SERVER } })
    const callers = [CLIENT, `${CLIENT}2`, CLIENT, 'spiffe://cluster.local/ns/x/sa/y']
    for (const peer of callers) await host!.request('/', { peer })
    const found = lines().map(({ flow }) => flow['destination'] as { labels: string[]; workloads?: object[] })
    expect(found.map(({ workloads }) => workloads)).toEqual([
      [{ name: 'front-v1' }],
      [{ name: 'front-v2' }],
      [{ name: 'front-v1' }],
      undefined,
    ])
    const accounts = found.map(({ labels }) => labels.find((label) => label.includes('serviceaccount'))?.split('=')[1])
    expect(accounts).toEqual(['front', 'front2', 'front', 'y'])
  })

  test('says nothing of who is not known', async () => {
    await start()
    await host!.request('/')
    const record = flow()
    for (const member of ['destination', 'destination_service', 'trace_context', 'policy_log', 'drop_reason_desc'])
      expect(record).not.toHaveProperty(member)
  })

  test('has the address that X-Forwarded-For tells, which has no port', async () => {
    await start()
    await host!.request('/', { headers: { 'x-forwarded-for': '2001:db8::9' } })
    await host!.request('/', { headers: { 'x-forwarded-for': '10.0.0.9' } })
    expect(lines().map(({ flow: { IP, l4 } }) => ({ IP, l4 }))).toMatchObject([
      { IP: { destination: '2001:db8::9' }, l4: { TCP: { source_port: PORT, destination_port: 0 } } },
      { IP: { destination: '10.0.0.9', ipVersion: 'IPv4' }, l4: { TCP: { destination_port: 0 } } },
    ])
  })

  test('is the same beside metrics, spans and access logs', async () => {
    const others = { metrics: { REQUEST_COUNT: {} }, traces: {}, accessLog: [{ format: 'json' }] }
    await start({}, { ...others, peers: [{ address: '127.0.0.0/8', ...front }] })
    await host!.request('/a', { headers: { traceparent: `00-${TRACE}-00f067aa0ba902b7-01` } })
    expect(flow()).toMatchObject({
      verdict: 'FORWARDED',
      destination: FRONT,
      l7: { http: { code: 200, url: 'http://localhost/a' } },
      trace_context: { parent: { trace_id: TRACE } },
    })
    const log = host!.logs.find(({ message }) => message.startsWith('{'))
    expect(JSON.parse(log!.message)).toMatchObject({ path: '/a', response_code: 200 })
    const [stat] = Object.keys(await host!.metrics()).filter((name) => name.startsWith('istio_requests_total'))
    expect(stat).toContain('.source_workload=.=front-v1;')
  })

  test('has an id of its own', async () => {
    await start()
    for (let n = 0; n < 5; n++) await host!.request('/')
    expect(new Set(lines().map(({ flow }) => flow['uuid'])).size).toBe(5)
  })
})

const policy = (action: string, path: string, more: object = {}) => ({
  name: 'ns[shop]-policy[viewers]',
  action,
  rules: [{ to: [{ paths: [{ exact: path }] }] }],
  ...more,
})
const withPolicies = (policies: object[], more: object = {}) => ({
  wasm: authorization,
  name: 'authorization',
  configuration: { version: 1, policies, ...more },
})
const VIEWERS = [{ name: 'viewers', namespace: 'shop', kind: 'AuthorizationPolicy' }]

describe('verdicts', () => {
  test('of a policy that refuses: the flow of the request', async () => {
    await startWith(withPolicies([policy('DENY', '/secret')]), { peers: [{ address: '127.0.0.0/8', ...front }] })
    await host!.request('/secret')
    expect(flow()).toMatchObject({
      verdict: 'DROPPED',
      drop_reason_desc: 'POLICY_DENIED',
      source: FRONT,
      destination: CART,
      l7: { type: 'REQUEST', http: { code: 403 } },
      is_reply: false,
      source_service: { name: 'front', namespace: 'web' },
      destination_service: { name: 'cart', namespace: 'shop' },
      Summary: 'HTTP/1.1 GET http://localhost/secret',
      ingress_denied_by: VIEWERS,
      policy_log: ['ns[shop]-policy[viewers]-rule[0]'],
    })
  })

  test('of no policy that allows', async () => {
    await startWith(withPolicies([policy('ALLOW', '/')]))
    await host!.request('/other')
    expect(flow()).toMatchObject({ verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENIED' })
    expect(flow()).not.toHaveProperty('ingress_denied_by')
    expect(flow()).not.toHaveProperty('policy_log')
  })

  test('of the side that asks', async () => {
    await startWith(withPolicies([policy('DENY', '/secret')]), { reporter: 'source' })
    await host!.request('/secret', { authority: 'me:secret@ratings.other:9080' })
    const record = flow()
    expect(record).toMatchObject({ verdict: 'DROPPED', egress_denied_by: VIEWERS, traffic_direction: 'EGRESS' })
    expect(record).toMatchObject({ source: CART, destination_names: ['ratings.other'], IP: { source: '127.0.0.1' } })
    expect(JSON.stringify(record)).not.toContain('me:')
  })

  test.each([
    ['ns[shop]-cnp[l7]', { name: 'l7', namespace: 'shop', kind: 'CiliumNetworkPolicy' }],
    ['ns[shop]-cnp[l7]-deny', { name: 'l7', namespace: 'shop', kind: 'CiliumNetworkPolicy' }],
    ['ccnp[l7.all]', { name: 'l7.all', kind: 'CiliumClusterwideNetworkPolicy' }],
    ['ns[shop]-target[t]', { name: 't', namespace: 'shop', kind: 'TrafficTarget' }],
    ['mine', { name: 'mine' }],
    ['"odd\\[', { name: '"odd\\[' }],
    ['ns[', { name: 'ns[' }],
    ['ns[a]-else[b]', { name: 'ns[a]-else[b]' }],
    ['ccnp[', { name: 'ccnp[' }],
  ])('of a policy %s', async (name, expected) => {
    await startWith(withPolicies([policy('DENY', '/', { name })]))
    await host!.request('/')
    expect(flow()).toMatchObject({ ingress_denied_by: [expected], policy_log: [`${name}-rule[0]`] })
  })

  test('of policies that allow, where authorization tells', async () => {
    await startWith(withPolicies([policy('ALLOW', '/')], { record: 'all' }))
    await host!.request('/')
    expect(flow()).toMatchObject({ verdict: 'FORWARDED', is_reply: true, ingress_allowed_by: VIEWERS })
  })

  test.each<[string, object, object]>([
    ['audit mode', { mode: 'audit' }, policy('DENY', '/')],
    ['a dry run that denies', {}, policy('DENY', '/', { dryRun: true })],
  ])('of %s', async (_, more, audited) => {
    await startWith(withPolicies([audited], more))
    await host!.request('/')
    await host!.request('/other')
    expect(lines().map(({ flow }) => flow)).toMatchObject([
      { verdict: 'AUDIT', l7: { type: 'RESPONSE', http: { code: 200 } }, ingress_denied_by: VIEWERS },
      { verdict: 'FORWARDED' },
    ])
  })

  test('of a dry run that does not allow', async () => {
    await startWith(withPolicies([policy('ALLOW', '/', { dryRun: true })]))
    await host!.request('/')
    await host!.request('/other')
    expect(lines().map(({ flow }) => flow.verdict)).toEqual(['FORWARDED', 'AUDIT'])
    expect(lines()[1]!.flow).not.toHaveProperty('ingress_denied_by')
  })

  const limit = (configuration: object) => ({
    wasm: ratelimit,
    name: 'ratelimit',
    configuration: { version: 1, rules: [{ name: 'shop/web-rl[total]', limit: { requests: 1, per: '1h' } }], ...configuration }, // prettier-ignore
  })
  const LIMIT = [{ name: 'web-rl', namespace: 'shop', kind: 'HTTPLocalRateLimitPolicy' }]

  test('of a rate limit', async () => {
    await startWith(limit({}))
    for (let n = 0; n < 2; n++) await host!.request('/')
    expect(lines().map(({ flow }) => flow)).toMatchObject([
      { verdict: 'FORWARDED' },
      {
        verdict: 'DROPPED',
        drop_reason_desc: 'DROP_RATE_LIMITED',
        l7: { type: 'REQUEST', http: { code: 429 } },
        ingress_denied_by: LIMIT,
        policy_log: ['shop/web-rl[total]'],
      },
    ])
  })

  test('of a rate limit that is only tried out', async () => {
    await startWith(limit({ mode: 'audit', rules: [{ name: 'total', limit: { requests: 1, per: '1h' } }] }))
    for (let n = 0; n < 2; n++) await host!.request('/')
    const [, second] = lines()
    expect(second!.flow).toMatchObject({ verdict: 'AUDIT', is_reply: true, ingress_denied_by: [{ name: 'total' }] })
    expect(second!.flow).not.toHaveProperty('drop_reason_desc')
  })

  test('of an injected fault', async () => {
    const routes = [{ fault: { abort: { percentage: 100, httpStatus: 418 } } }]
    const virtualHosts = [{ domains: ['*'], routes }]
    await startWith({ wasm: fault, name: 'fault', configuration: { version: 1, virtualHosts } })
    await host!.request('/')
    expect(flow()).toMatchObject({ verdict: 'ERROR', l7: { type: 'RESPONSE', http: { code: 418 } } })
  })

  test('of what Envoy answers by itself, and of what is cut off', async () => {
    await start(
      {},
      {},
      {
        routes: [
          { prefix: '/refused', cluster: 'refused' },
          { prefix: '/direct', directResponse: { status: 404 } },
          { prefix: '/hang', cluster: 'hang' },
          { prefix: '/known' },
        ],
        clusters: { refused: cluster.refused(), hang: cluster.hang() },
      },
    )
    for (const path of ['/refused', '/direct', '/known', '/nowhere']) await host!.request(path)
    const stream = await host!.stream({ path: '/hang', method: 'POST' })
    await stream.write('a')
    await stream.abort()
    for (let n = 0; n < 50 && lines().length < 5; n++) await new Promise((resolve) => setTimeout(resolve, 20))
    const told = lines().map(({ flow: { verdict, l7 } }) => [new URL(l7.http.url).pathname, verdict, l7.type, l7.http.code]) // prettier-ignore
    expect(told).toEqual([
      ['/refused', 'ERROR', 'RESPONSE', 503],
      ['/direct', 'FORWARDED', 'RESPONSE', 404],
      ['/known', 'FORWARDED', 'RESPONSE', 200],
      ['/nowhere', 'ERROR', 'RESPONSE', 404],
      ['/hang', 'FORWARDED', 'REQUEST', undefined],
    ])
  })
})

describe('the trace', () => {
  const SHORT = '00f067aa0ba902b7'
  test.each<[string, Record<string, string>, string | undefined]>([
    ['of traceparent', { traceparent: `00-${TRACE}-${SHORT}-00`, b3: `${SHORT}-${SHORT}` }, TRACE],
    ['of b3', { b3: `${TRACE}-${SHORT}-1` }, TRACE],
    ['of a short b3', { b3: `${SHORT}-${SHORT}-1` }, `${'0'.repeat(16)}${SHORT}`],
    ['of x-b3-traceid', { 'x-b3-traceid': TRACE.toUpperCase() }, TRACE],
    ['none of a decision', { b3: '0' }, undefined],
    ['none of zeros', { traceparent: `00-${'0'.repeat(32)}-${SHORT}-00` }, undefined],
    ['none of other digits', { traceparent: `00-g${TRACE.slice(1)}-${SHORT}-00` }, undefined],
    ['none of something else', { traceparent: '"' }, undefined],
  ])('%s', async (_, headers, expected) => {
    await start()
    await host!.request('/', { headers })
    expect(flow().trace_context?.parent.trace_id).toBe(expected)
  })

  test('is that of the span', async () => {
    await start({}, { traces: { propagation: ['b3'] } })
    await host!.request('/', { headers: { b3: `${TRACE}-${SHORT}-1`, traceparent: `00-${'1'.repeat(32)}-${SHORT}-00` } }) // prettier-ignore
    await host!.request('/')
    const [first, second] = lines().map(({ flow }) => flow.trace_context!.parent.trace_id)
    expect(first).toBe(TRACE)
    expect(second).toMatch(/^(?!0{32})[\da-f]{32}$/)
  })
})

describe('secrets', () => {
  test('of the URL are left out', async () => {
    await start()
    await host!.request('/a?token=s3cret', { authority: 'me:s3cret@cart.shop' })
    await host!.request('/b?s3cret', { protocol: 'http2', authority: 'cart.shop' })
    const [first, second] = lines()
    expect(first!.flow.l7.http.url).toBe('http://cart.shop/a')
    expect(second!.flow).toMatchObject({ l7: { http: { url: 'http://cart.shop/b', protocol: 'HTTP/2' } } })
    expect(JSON.stringify(lines())).not.toContain('s3cret')
  })

  test('of the query stay where there are none', async () => {
    await start({ query: true })
    await host!.request('/a?b=c&d')
    expect(flow()).toMatchObject({ l7: { http: { url: 'http://localhost/a?b=c&d' } } })
    expect(flow().Summary).toContain('http://localhost/a?b=c&d)')
  })

  test('of headers: those that are listed are shown, and of them no secrets', async () => {
    const listed = ['x-tenant', 'authorization', 'cookie', 'accept', 'x-auth-token', 'x-api-key', 'x-absent']
    await start({ headers: listed })
    const secret = { authorization: 'Bearer s3cret', cookie: 'id=s3cret', 'x-auth-token': 's3cret', 'x-api-key': 's3cret' } // prettier-ignore
    await host!.request('/', { headers: { ...secret, 'x-tenant': 'a', accept: 'b', 'x-other': 's3cret' } })
    const hidden = (key: string) => ({ key, value: 'HUBBLE_REDACTED' })
    expect(flow().l7.http.headers).toEqual([
      { key: 'Accept', value: 'b' },
      hidden('Authorization'),
      hidden('Cookie'),
      hidden('X-Api-Key'),
      hidden('X-Auth-Token'),
      { key: 'X-Tenant', value: 'a' },
    ])
    expect(JSON.stringify(lines())).not.toContain('s3cret')
  })

  test('of headers: none is shown that is not listed', async () => {
    await start()
    await host!.request('/', { headers: { 'user-agent': 'me' } })
    expect(flow().l7.http.headers).toBeUndefined()
  })
})

describe('what clients send', () => {
  test('stays within its JSON string', async () => {
    await start({ headers: ['user-agent'], query: true })
    const agent = 'a"b\\c\td {"x":1} \u2028 é \u{1f600}'
    await host!.request(`/"},{"verdict":"x"?'\\u0000"`, { headers: { 'user-agent': agent, traceparent: '00-"-' } })
    const record = flow()
    expect(record.l7.http.headers).toEqual([{ key: 'User-Agent', value: agent }])
    expect(record).toMatchObject({ verdict: 'FORWARDED', l7: { http: { url: `http://localhost/"},{"verdict":"x"?'\\u0000"` } } }) // prettier-ignore
  })

  test('ends where it is too long', async () => {
    await start({ headers: ['x-long'], query: true })
    await host!.request(`/${'a'.repeat(8000)}`, {
      authority: 'b'.repeat(1000),
      headers: { 'x-long': 'c'.repeat(1000) },
    })
    const { http } = flow().l7
    expect(http.url).toBe(`http://${'b'.repeat(256)}/${'a'.repeat(2047)}`)
    expect(http.headers).toEqual([{ key: 'X-Long', value: 'c'.repeat(256) }])
    expect(host!.logs.map(({ message }) => message).find((line) => line.startsWith('flow '))!.length).toBeLessThan(7000)
  })

  test('may be no path', async () => {
    await start()
    await host!.request('*', { method: 'OPTIONS' })
    expect(flow()).toMatchObject({ l7: { http: { method: 'OPTIONS', url: 'http://localhost/*' } } })
  })
})

describe('a receiver', () => {
  async function startReceiver(flows: object = {}, receive: HttpHandler = () => 200): Promise<void> {
    const exporter = { cluster: 'collector', headers: { 'x-key': 'k' } }
    await start({ log: false, exporter, ...flows }, {}, { clusters: { collector: cluster.http(receive) } })
  }

  /** Until the receiver has so many requests. */
  async function received(count: number): Promise<void> {
    for (let i = 0; i < 100 && host!.callouts.length < count; i++) await host!.advance('20ms')
    expect(host!.callouts).toHaveLength(count)
  }

  const urls = (body: Buffer) =>
    body
      .toString()
      .split('\n')
      .map((line) => line && (JSON.parse(line) as Line).flow.l7.http.url)

  test('gets a line for each request, many at once', async () => {
    await startReceiver({ batch: { maxItems: 3, interval: '1m' } })
    for (let n = 0; n < 6; n++) await host!.request(`/${n}`)
    await received(2)
    const [first, second] = host!.callouts
    expect(first).toMatchObject({ method: 'POST', path: '/flows', authority: 'collector' })
    expect(first!.headers.get('content-type')).toBe('application/x-ndjson')
    expect(first!.headers.get('x-key')).toBe('k')
    expect(urls(first!.body)).toEqual([0, 1, 2].map((n) => `http://localhost/${n}`).concat(''))
    expect(urls(second!.body)).toEqual([3, 4, 5].map((n) => `http://localhost/${n}`).concat(''))
    expect(lines()).toEqual([])
    expect(await host!.metrics()).toMatchObject({ 'telemetry_items_total.signal=.=flows;.;.result=.=sent;.;': 6 })
  })

  test('gets UTF-8, whatever clients send', async () => {
    await startReceiver({ headers: ['user-agent'], batch: { maxItems: 1 } })
    const head = 'GET /raw HTTP/1.1\r\nhost: a\r\nconnection: close\r\nuser-agent: '
    await host!.request({ raw: Buffer.from(`${head}\xff\xfe caf\xe9 \x80\r\n\r\n`, 'latin1') })
    await received(1)
    const { flow } = JSON.parse(new TextDecoder('utf8', { fatal: true }).decode(host!.callouts[0]!.body)) as Line
    expect(flow.l7.http.headers).toEqual([{ key: 'User-Agent', value: '\ufffd\ufffd caf\ufffd \ufffd' }])
  })

  test('gets what the log gets', async () => {
    await startReceiver({ log: true, batch: { interval: '20ms' } })
    await host!.request('/both')
    await received(1)
    expect(JSON.parse(host!.callouts[0]!.body.toString())).toEqual(lines()[0])
  })
})

test.each([
  [{}, /expected where records go/],
  [{ log: false }, /expected where records go/],
  [{ log: true, batch: {} }, /flows\.batch/],
  [{ log: true, headers: ['X-A'] }, /flows\.headers\[0\]/],
  [{ log: true, headers: [''] }, /flows\.headers\[0\]/],
  [{ log: true, headers: Array.from({ length: 33 }, (_, n) => `x-${n}`) }, /flows\.headers/],
  [{ exporter: {} }, /flows\.exporter/],
])('%j is refused, with its place', async (flows, place) => {
  const error = await createHost(telemetry(flows)).then(
    (started) => started.close(),
    (reason: Error & { logs?: { message: string }[] }) => reason,
  )
  expect(error).toBeInstanceOf(Error)
  const { message, logs = [] } = error as Error & { logs?: { message: string }[] }
  expect([message, ...logs.map((line) => line.message)].join('\n')).toMatch(place)
})

/** What a flow record says of a request that was answered. The same on both hosts. */
import { describe, expect, test } from 'vitest'
import { host, SPAN, TRACE } from '../testing.ts'
import { CART, flow, FRONT, front, lines, start } from './testing.ts'

const SERVER = 'spiffe://cluster.local/ns/shop/sa/cart'
const CLIENT = 'spiffe://cluster.local/ns/web/sa/front'

/** Names of members, at all depths, in their order. */
const members = (value: unknown): string[] =>
  typeof value !== 'object' || value === null || 'asymmetricMatch' in value
    ? []
    : Object.entries(value).flatMap(([name, inner]) => [name, ...members(inner)])

const TIME = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z$/) as string
const UUID = expect.stringMatching(/^[\da-f]{8}-[\da-f]{4}-4[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/) as string
const PORT = expect.any(Number) as number

describe('a record', () => {
  test('of a request that was answered is the flow of its response, with members in Hubble’s order', async () => {
    await start({ node: 'node-1', pod: 'cart-v1-x' }, { peers: [{ address: '127.0.0.0/8', ...front }] })
    const before = Date.now()
    await host.request('/items', { authority: 'cart.shop:8080', method: 'POST', body: 'a' })
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
    if (host.name === 'node') return
    expect(Math.abs(Date.parse(line!.time) - before)).toBeLessThan(10_000)
    expect(Number(latency)).toBeGreaterThan(0)
  })

  test('of a request that goes out, to the service behind the cluster', async () => {
    const services = { upstream: { host: 'ratings.other.svc.cluster.local', workload: { ...front, namespace: '' } } }
    await start({}, { reporter: 'source', services })
    await host.request('/')
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
    await host.request('/', { peer: CLIENT })
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
    for (const peer of callers) await host.request('/', { peer })
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
    await host.request('/')
    const record = flow()
    for (const member of ['destination', 'destination_service', 'trace_context', 'policy_log', 'drop_reason_desc'])
      expect(record).not.toHaveProperty(member)
  })

  test('has the address that X-Forwarded-For tells, which has no port', async () => {
    await start()
    await host.request('/', { headers: { 'x-forwarded-for': '2001:db8::9' } })
    await host.request('/', { headers: { 'x-forwarded-for': '10.0.0.9' } })
    expect(lines().map(({ flow: { IP, l4 } }) => ({ IP, l4 }))).toMatchObject([
      { IP: { destination: '2001:db8::9' }, l4: { TCP: { source_port: PORT, destination_port: 0 } } },
      { IP: { destination: '10.0.0.9', ipVersion: 'IPv4' }, l4: { TCP: { destination_port: 0 } } },
    ])
  })

  test('is the same beside metrics, spans and access logs', async () => {
    const others = { metrics: { REQUEST_COUNT: {} }, traces: {}, accessLog: [{ format: 'json' }] }
    await start({}, { ...others, peers: [{ address: '127.0.0.0/8', ...front }] })
    await host.request('/a', { headers: { traceparent: `00-${TRACE}-${SPAN}-01` } })
    expect(flow()).toMatchObject({
      verdict: 'FORWARDED',
      destination: FRONT,
      l7: { http: { code: 200, url: 'http://localhost/a' } },
      trace_context: { parent: { trace_id: TRACE } },
    })
    const log = host.logs.find(({ message }) => message.startsWith('{'))
    expect(JSON.parse(log!.message)).toMatchObject({ path: '/a', response_code: 200 })
    const [stat] = Object.keys(await host.metrics()).filter((name) => name.startsWith('istio_requests_total'))
    expect(stat).toContain('.source_workload=.=front-v1;')
  })

  test('has an id of its own', async () => {
    await start()
    for (let n = 0; n < 5; n++) await host.request('/')
    expect(new Set(lines().map(({ flow }) => flow['uuid'])).size).toBe(5)
  })
})

describe('the trace', () => {
  test.each<[string, Record<string, string>, string | undefined]>([
    ['of traceparent', { traceparent: `00-${TRACE}-${SPAN}-00`, b3: `${SPAN}-${SPAN}` }, TRACE],
    ['of b3', { b3: `${TRACE}-${SPAN}-1` }, TRACE],
    ['of a short b3', { b3: `${SPAN}-${SPAN}-1` }, `${'0'.repeat(16)}${SPAN}`],
    ['of x-b3-traceid', { 'x-b3-traceid': TRACE.toUpperCase() }, TRACE],
    ['none of a decision', { b3: '0' }, undefined],
    ['none of zeros', { traceparent: `00-${'0'.repeat(32)}-${SPAN}-00` }, undefined],
    ['none of other digits', { traceparent: `00-g${TRACE.slice(1)}-${SPAN}-00` }, undefined],
    ['none of something else', { traceparent: '"' }, undefined],
  ])('%s', async (_, headers, expected) => {
    await start()
    await host.request('/', { headers })
    expect(flow().trace_context?.parent.trace_id).toBe(expected)
  })

  test('is that of the span', async () => {
    await start({}, { traces: { propagation: ['b3'] } })
    await host.request('/', { headers: { b3: `${TRACE}-${SPAN}-1`, traceparent: `00-${'1'.repeat(32)}-${SPAN}-00` } }) // prettier-ignore
    await host.request('/')
    const [first, second] = lines().map(({ flow }) => flow.trace_context!.parent.trace_id)
    expect(first).toBe(TRACE)
    expect(second).toMatch(/^(?!0{32})[\da-f]{32}$/)
  })
})

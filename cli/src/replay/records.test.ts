import { describe, expect, test } from 'vitest'
import { fromAccessLog } from './access-log.ts'
import { fromFlow } from './flow.ts'
import { isUnknown, type Skipped, type TrafficRecord } from './record.ts'

const record = (found: TrafficRecord | Skipped): TrafficRecord => {
  if ('skip' in found) throw new Error(`left out: ${found.skip}`)
  return found
}
const accessLog = (line: Record<string, unknown>) => fromAccessLog(line, 'inbound')
const isOpen = ({ unknown }: TrafficRecord, kind: string, name = '') =>
  isUnknown({ kind, name, path: [], filter: '' } as never, unknown)

describe("Istio's access log", () => {
  const line = {
    start_time: '2026-01-01T00:00:00.000Z',
    method: 'GET',
    path: '/a?b',
    authority: 'h:8080',
    user_agent: 'me',
    x_forwarded_for: null,
    request_id: 'id',
    requested_server_name: '-',
    upstream_cluster: 'inbound|8080||',
    downstream_local_address: '10.0.0.2:8080',
    downstream_remote_address: '10.0.0.1:40000',
  }

  test('what it tells', () => {
    const found = record(accessLog(line))
    expect(found.request).toEqual({
      method: 'GET',
      path: '/a?b',
      host: 'h:8080',
      headers: [
        ['user-agent', 'me'],
        ['x-request-id', 'id'],
      ],
      peer: [],
      sourceIp: '10.0.0.1',
      destinationIp: '10.0.0.2',
      port: 8080,
      sni: undefined,
    })
    for (const kind of ['method', 'path', 'host', 'sourceIp', 'remoteIp', 'destinationIp', 'port', 'sni']) {
      expect([kind, isOpen(found, kind)]).toEqual([kind, false])
    }
    for (const name of ['user-agent', 'x-forwarded-for', ':path']) expect(isOpen(found, 'header', name)).toBe(false)
  })

  test('what it does not tell', () => {
    const found = record(accessLog(line))
    for (const kind of ['principal', 'claim', 'requestPrincipal', 'metadata']) expect(isOpen(found, kind)).toBe(true)
    expect(isOpen(found, 'header', 'x-auth')).toBe(true)
    const { requested_server_name: _, downstream_local_address: __, ...short } = line
    for (const kind of ['sni', 'port', 'destinationIp']) expect(isOpen(record(accessLog(short)), kind)).toBe(true)
  })

  test('the direct peer is hidden behind X-Forwarded-For', () => {
    const found = record(accessLog({ ...line, x_forwarded_for: '192.0.2.7', downstream_remote_address: '192.0.2.7:0' }))
    expect(found.request.sourceIp).toBeUndefined()
    expect(found.request.headers).toContainEqual(['x-forwarded-for', '192.0.2.7'])
    expect([isOpen(found, 'sourceIp'), isOpen(found, 'remoteIp')]).toEqual([true, false])
  })

  test('IPv6, and the identity of the client where it was added to the format', () => {
    const more = { downstream_remote_address: '[2001:db8::1]:4', downstream_peer_uri_san: 'spiffe://td/ns/a/sa/b' }
    const found = record(accessLog({ ...line, ...more }))
    expect(found.request).toMatchObject({ sourceIp: '2001:db8::1', peer: ['spiffe://td/ns/a/sa/b'] })
    expect(isOpen(found, 'principal')).toBe(false)
  })

  test('what is no request to the workload', () => {
    expect(accessLog({ ...line, upstream_cluster: 'outbound|80||b' })).toEqual({ skip: 'outbound' })
    expect(accessLog({ ...line, method: null })).toEqual({ skip: 'not HTTP' })
    expect(fromAccessLog(line, 'outbound')).toEqual({ skip: 'inbound' })
    expect(fromAccessLog({ ...line, upstream_cluster: 'outbound|80||b' }, 'outbound')).toHaveProperty('request')
  })
})

describe("Hubble's flows", () => {
  const options = {
    workload: { namespace: 'payments', name: 'payments' },
    trustDomain: 'td',
    direction: 'inbound' as const,
  }
  const headers = [
    { key: 'X-Auth', value: 'admin' },
    { key: 'Authorization', value: 'HUBBLE_REDACTED' },
  ]
  const flow = {
    source: {
      namespace: 'frontend',
      labels: ['k8s:io.kubernetes.pod.namespace=frontend', 'k8s:io.cilium.k8s.policy.serviceaccount=web'],
    },
    destination: { namespace: 'payments', workloads: [{ name: 'payments', kind: 'Deployment' }] },
    IP: { source: '10.0.0.1', destination: '10.0.0.2' },
    l4: { TCP: { source_port: 4000, destination_port: 8080 } },
    l7: { type: 'REQUEST', http: { method: 'POST', url: 'http://payments:8080/charge?a', headers } },
    traffic_direction: 'INGRESS',
  }
  const read = (value: object) => record(fromFlow({ flow: { ...flow, ...value } }, options))

  test('what they tell', () => {
    const found = read({})
    expect(found.request).toEqual({
      method: 'POST',
      path: '/charge?a',
      host: 'payments:8080',
      headers: [['x-auth', 'admin']],
      peer: ['spiffe://td/ns/frontend/sa/web'],
      sourceIp: '10.0.0.1',
      destinationIp: '10.0.0.2',
      port: 8080,
    })
    for (const kind of ['principal', 'sourceIp', 'remoteIp', 'port']) expect(isOpen(found, kind)).toBe(false)
    expect([isOpen(found, 'header', 'x-auth'), isOpen(found, 'header', 'x-other')]).toEqual([false, false])
  })

  test('what they do not tell', () => {
    expect(isOpen(read({}), 'header', 'authorization')).toBe(true)
    expect(isOpen(read({ source: { labels: ['reserved:world'] } }), 'principal')).toBe(true)
    const bare = read({ l7: { type: 'REQUEST', http: { method: 'GET', url: 'http://h/' } } })
    expect([isOpen(bare, 'header', 'x-auth'), isOpen(bare, 'remoteIp')]).toEqual([true, true])
    for (const kind of ['claim', 'metadata', 'sni']) expect(isOpen(read({}), kind)).toBe(true)
  })

  describe('of the telemetry filter: one of a request', () => {
    const only = {
      ...flow,
      source: flow.destination,
      destination: flow.source,
      IP: { source: '10.0.0.2', destination: '10.0.0.1' },
      l4: { TCP: { source_port: 8080, destination_port: 4000 } },
      l7: { ...flow.l7, type: 'RESPONSE' },
      event_type: { type: 129, sub_type: 1 },
      is_reply: true,
    }

    test('tells it by the response', () => {
      const found = record(fromFlow({ flow: only }, options))
      expect(found.request).toEqual(read({}).request)
      expect(isOpen(found, 'port')).toBe(false)
    })

    test('has some of the headers', () => {
      const found = record(fromFlow({ flow: only }, options))
      const open = ['x-auth', 'authorization', 'x-other'].map((name) => isOpen(found, 'header', name))
      expect([...open, isOpen(found, 'remoteIp')]).toEqual([false, true, true, true])
    })

    test('tells a request that was refused by the request', () => {
      const refused = { ...flow, event_type: only.event_type, is_reply: false, verdict: 'DROPPED' }
      expect(record(fromFlow({ flow: refused }, options)).request).toEqual(read({}).request)
    })

    test('hides the direct peer behind X-Forwarded-For', () => {
      const l4 = { TCP: { source_port: 8080, destination_port: 0 } }
      const found = record(fromFlow({ flow: { ...only, l4 } }, options))
      expect(found.request.sourceIp).toBeUndefined()
      expect(found.request.headers).toContainEqual(['x-forwarded-for', '10.0.0.1'])
      expect([isOpen(found, 'sourceIp'), isOpen(found, 'remoteIp')]).toEqual([true, false])
    })
  })

  test('of requests that the workload makes', () => {
    const outbound = { ...options, direction: 'outbound' as const }
    const from = { ...flow, source: flow.destination, destination: flow.source, traffic_direction: 'EGRESS' }
    expect(fromFlow({ flow: from }, outbound)).toHaveProperty('request')
    expect(fromFlow({ flow }, outbound)).toEqual({ skip: 'inbound' })
    expect(fromFlow({ flow: { ...flow, traffic_direction: 'EGRESS' } }, outbound)).toEqual({
      skip: 'for another workload',
    })
  })

  test.each([
    [{ l7: { type: 'RESPONSE', http: { method: 'GET', url: 'http://h/', code: 200 } } }, 'a response'],
    [{ l7: undefined }, 'not HTTP'],
    [{ traffic_direction: 'EGRESS' }, 'outbound'],
    [{ destination: { namespace: 'other' } }, 'for another workload'],
    [{ destination: { namespace: 'payments', workloads: [{ name: 'ledger' }] } }, 'for another workload'],
  ])('%j is left out: %s', (value, skip) => {
    expect(fromFlow({ ...flow, ...value }, options)).toEqual({ skip })
  })
})

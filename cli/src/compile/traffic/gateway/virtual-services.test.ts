/** What VirtualServices of a gateway become. What they mean is taken from Istio's gateway.go and route.go. */
import { describe, expect, test } from 'vitest'
import { Source } from '../../../resources/source.ts'
import { compileFaults } from '../fault.ts'
import { clusterOf, compileTraffic } from '../testing.ts'

const proxy = { namespace: 'edge', name: 'ingress', labels: { istio: 'ingress' } }
const options = { workload: proxy, gateway: { namespace: 'shop', name: 'web' } }
const resource = (kind: string, name: string, spec: string, metadata = '', namespace = 'shop') =>
  `{apiVersion: networking.istio.io/v1, kind: ${kind}, metadata: {name: ${name}, namespace: ${namespace}${metadata}}, spec: ${spec}}`
const to = (name: string) => `route: [{destination: {host: ${name}, port: {number: 80}}}]`
const http = (hosts: string, routes: string, more = '', name = 'a', metadata = '', namespace = 'shop') =>
  resource('VirtualService', name, `{hosts: ${hosts}, gateways: [web${more}], http: [${routes}]}`, metadata, namespace)
const service = (hosts: string, ...rest: string[]) => http(hosts, `{${to('cart')}}`, ...rest)
const gateway = (servers: string) => resource('Gateway', 'web', `{selector: {istio: ingress}, servers: [${servers}]}`)
const server = (hosts: string, more = '', port = 80, protocol = 'HTTP') =>
  `{port: {number: ${port}, name: p${port}-${protocol.toLowerCase()}, protocol: ${protocol}}, hosts: ${hosts}${more}}`
const all = gateway(server('["*"]'))
const compile = (...documents: string[]) => compileTraffic(documents, { port: undefined, ...options })
const domainsOf = (...documents: string[]) => compile(...documents).hosts?.flatMap(({ domains }) => domains)

describe('a VirtualService', () => {
  test('of the gateway has its hosts for domains', () => {
    const { hosts, told } = compile(all, service('[shop.example.com, cart, "*.example.org"]'))
    expect(hosts).toMatchObject([
      {
        name: 'shop/a',
        domains: ['shop.example.com', 'cart.shop.svc.cluster.local', '*.example.org'],
        routes: [{ destinations: [{ cluster: clusterOf('cart') }] }],
      },
    ])
    expect(told).toEqual([])
  })

  test.each([
    ['web', 'shop', true],
    ['./web', 'shop', true],
    ['shop/web', 'other', true],
    ['web.shop.svc.cluster.local', 'other', true],
    ['web', 'other', false],
    ['other/web', 'shop', false],
    ['mesh', 'shop', false],
    ['webs', 'shop', false],
  ])('that names %s in %s is for it: %s', (name, namespace, isFor) => {
    const spec = `{hosts: [a.com], gateways: [${name}], http: [{${to('cart')}}]}`
    const text = resource('VirtualService', 'a', spec, '', namespace)
    expect(domainsOf(all, text)).toEqual(isFor ? ['a.com'] : [])
  })

  test('without gateways is for the mesh alone', () => {
    const { configuration, told } = compile(all, resource('VirtualService', 'a', `{hosts: [a.com], http: [{${to('cart')}}]}`))
    expect(configuration?.virtualHosts).toEqual([])
    expect(told).toEqual(['warning MS1402'])
  }) // prettier-ignore

  test('is seen only where it is exported to', () => {
    const exported = (to: string) => service('[a.com]').replace('{hosts', `{exportTo: [${to}], hosts`)
    const seen = ['"*"', 'edge', '"."', 'shop', '"~"'].map((to) => domainsOf(all, exported(to))!.length === 1)
    expect(seen).toEqual([true, true, false, false, false])
  })

  test('delegates', () => {
    const inner = resource('VirtualService', 'inner', `{http: [{match: [{uri: {prefix: /a/b}}], ${to('b')}}]}`)
    const outer = http('[a.com]', '{match: [{uri: {prefix: /a}}], delegate: {name: inner}}')
    expect(compile(all, inner, outer).routes).toMatchObject([
      { match: [{ path: { prefix: '/a/b' } }], destinations: [{ cluster: clusterOf('b') }] },
    ])
  })
})

describe('a match', () => {
  const matches = (match: string, more: Partial<typeof options & { port: number }> = {}) => {
    const text = http('[a.com]', `{match: [${match}], ${to('cart')}}`, ', mesh')
    return compileTraffic([all, text], { port: undefined, ...options, ...more }).routes!.length
  }

  test.each([
    ['{gateways: [web]}', 1],
    ['{gateways: [shop/web]}', 1],
    ['{gateways: [mesh]}', 0],
    ['{gateways: [other, mesh]}', 0],
    ['{uri: {exact: /a}}', 1],
    ['{port: 80}', 1],
    ['{port: 8080}', 0],
    ['{sourceLabels: {istio: ingress}}', 1],
    ['{sourceLabels: {istio: other}}', 0],
    ['{sourceNamespace: edge}', 1],
    ['{sourceNamespace: shop}', 0],
    // Where gateways are named the source says nothing.
    ['{gateways: [web], sourceLabels: {istio: other}, sourceNamespace: shop}', 1],
    ['{gateways: [web], port: 8080}', 0],
  ])('%s is for %s routes', (match, expected) => expect(matches(match)).toBe(expected))
})

describe('the servers', () => {
  test.each([
    ['["*.example.com"]', '["*"]', ['*.example.com']],
    ['["*"]', '["*.example.com"]', ['*.example.com']],
    ['["a.example.com", "b.example.com"]', '["*.example.com"]', ['a.example.com', 'b.example.com']],
    ['["shop/*.example.com"]', '[a.example.com]', ['a.example.com']],
    ['["./*.example.com"]', '[a.example.com]', ['a.example.com']],
    ['["*/A.example.com"]', '[a.example.com]', ['a.example.com']],
  ])('with %s give %s the hosts %s', (theirs, own, expected) => {
    expect(domainsOf(gateway(server(theirs)), service(own))).toEqual(expected)
  })

  test.each([
    ['["other/*"]', '[a.com]'],
    ['["b.com"]', '[a.com]'],
    ['["*.a.com"]', '[a.com]'],
  ])('with %s do not take %s, which is told', (theirs, own) => {
    const { hosts, told, hints } = compile(gateway(server(theirs)), service(own))
    expect(hosts).toEqual([])
    expect(told).toEqual(['warning MS1424 spec.hosts[0]', 'warning MS1402'])
    expect(hints[0]).toBe('add it to the hosts of a server, or remove it here')
  })

  test('that are not known take all hosts, which is told once', () => {
    const { hosts, told } = compile(service('["*"]'), service('[b.com]', '', 'b'))
    expect(hosts!.map(({ domains }) => domains)).toEqual([['*'], ['b.com']])
    expect(told).toEqual(['info MS1221 spec.gateways[0]'])
  })

  test('of one port are compiled; the others are named', () => {
    const tls = ', tls: {mode: SIMPLE, credentialName: a}'
    const servers = [
      server('["*"]', tls, 443, 'HTTPS'),
      server('["a.com"]'),
      server('["*"]', '', 9000, 'TCP'),
      server('["*"]', ', tls: {mode: PASSTHROUGH}', 9443, 'TLS'),
    ]
    const { hosts, told, hints } = compile(gateway(servers.join()), service('[a.com, b.com]'))
    expect(hosts!.map(({ domains }) => domains)).toEqual([['a.com']])
    // The other port takes b.com.
    expect(told).toEqual(['info MS1425 spec.servers[0]', 'info MS1425 spec.servers[2]', 'info MS1425 spec.servers[3]'])
    expect(hints[0]).toBe('compile again with --port 443')

    const https = compileTraffic([gateway(servers.join()), service('[a.com, b.com]')], { ...options, port: 443 })
    expect(https.hosts!.map(({ domains }) => domains)).toEqual([['a.com', 'b.com']])
    expect(https.messages[0]).toBe('its TLS is not compiled: only the routes are')
  })

  test.each([
    [`${server('["*"]')}, ${server('["*"]', '', 8080)}`, undefined, 'give --port 80 or 8080'],
    [server('["*"]'), 81, 'give --port 80'],
    [server('["*"]', '', 9000, 'TCP'), undefined, 'give a Gateway that takes HTTP'],
  ])('%s, for port %s, are refused', (servers, port, hint) => {
    const { configuration, told, hints } = compileTraffic([gateway(servers), service('[a.com]')], { ...options, port })
    expect(configuration).toBeUndefined()
    expect(told).toEqual(['error MS1221 spec.servers'])
    expect(hints).toEqual([hint])
  })

  test('lead to HTTPS, as Envoy does: hosts with routes and those without', () => {
    const redirect = server('[a.com, b.com]', ', tls: {httpsRedirect: true}')
    const servers = gateway(`${redirect}, ${server('[c.com]').replace('p80-http', 'q')}`)
    const led = {
      match: [{ withoutHeaders: { 'x-forwarded-proto': { exact: 'https' } } }],
      redirect: { status: 301, scheme: 'https' },
    }
    expect(compile(servers, service('[a.com, c.com]')).hosts).toMatchObject([
      { domains: ['a.com'], routes: [led, { destinations: [{}] }] },
      { domains: ['c.com'], routes: [{ destinations: [{}] }] },
      { name: 'https', domains: ['b.com'], routes: [led] },
    ])
  })
})

describe('several VirtualServices for one host', () => {
  const path = (name: string) => `{match: [{uri: {prefix: /${name}}}], ${to(name)}}`
  const order = (...documents: string[]) =>
    compile(all, ...documents).routes!.map(({ destinations }) => /\|\|(\w+)/.exec(destinations![0]!.cluster)![1])

  test('are joined, what takes all requests last', () => {
    const first = http('[a.com]', `${path('a')}, {${to('rest')}}, ${path('never')}`)
    const second = http('[a.com]', path('b'), '', 'b')
    const { told, hosts } = compile(all, second, first)
    expect(hosts!.map(({ name, domains }) => [name, domains])).toEqual([['shop/a + shop/b', ['a.com']]])
    expect(order(second, first)).toEqual(['a', 'b', 'rest'])
    expect(told).toEqual(['warning MS1401 spec.http[2]'])
  })

  test('the oldest comes first, before names', () => {
    const old = http('[a.com]', path('old'), '', 'z', ', creationTimestamp: "2024-01-01T00:00:00Z"')
    const young = http('[a.com]', path('young'), '', 'a', ', creationTimestamp: "2025-01-01T00:00:00Z"')
    expect(order(http('[a.com]', path('none')), young.replace('name: a', 'name: b'), old)).toEqual(['old', 'young', 'none'])
  }) // prettier-ignore

  test('and those for the namespace of the proxy alone before all', () => {
    const own = http('[a.com]', path('own'), ', shop/web', 'z', '', 'edge').replace('{hosts', '{exportTo: ["."], hosts')
    const some = http('[a.com]', path('some'), '', 'b').replace('{hosts', '{exportTo: [edge], hosts')
    expect(order(http('[a.com]', path('all')), some, own)).toEqual(['own', 'some', 'all'])
  })

  test('a route that takes all beside a path keeps the path in its place', () => {
    const first = http('[a.com]', `{match: [{uri: {prefix: /a}}, {uri: {prefix: /}}], ${to('one')}}`)
    expect(order(http('[a.com]', path('a'), '', 'b'), first)).toEqual(['one', 'a', 'one'])
  })

  test('have hosts of their own, too', () => {
    expect(compile(all, service('[a.com, b.com]'), service('[b.com, c.com]', '', 'c')).hosts).toMatchObject([
      { name: 'shop/a', domains: ['a.com'] },
      { name: 'shop/a + shop/c', domains: ['b.com'] },
      { name: 'shop/c', domains: ['c.com'] },
    ])
  })
})

describe('an HTTPRoute of the same name of a Gateway', () => {
  const route = (host: string) =>
    `{apiVersion: gateway.networking.k8s.io/v1, kind: HTTPRoute, metadata: {name: r, namespace: shop}, spec: {parentRefs: [{name: web}], hostnames: [${host}]}}`

  test('for the same host is an error', () => {
    const { told } = compile(all, service('[a.com]'), route('a.com'))
    expect(told).toContain('error MS1411 spec.parentRefs[0]')
  })

  test('may have a host that no server takes', () => {
    const { configuration } = compile(gateway(server('[b.com]')), service('[a.com, b.com]'), route('a.com'))
    expect(configuration!.virtualHosts.map(({ domains }) => domains)).toEqual([['b.com'], ['a.com']])
  })
})

describe('faults', () => {
  const fault = (...documents: string[]) =>
    compileFaults([new Source('a.yaml', documents.join('\n---\n'))], { ...options, port: 80 }).configuration

  test('are those of the gateway', () => {
    const faulty = http('["*"]', `{fault: {abort: {percentage: {value: 100}, httpStatus: 503}}, ${to('cart')}}`)
    expect(fault(all, faulty)!.virtualHosts).toEqual([
      {
        name: 'shop/a',
        domains: ['*'],
        routes: [{ name: 'shop/a[0]', fault: { abort: { percentage: 100, httpStatus: 503 } } }],
      },
    ])
    // What is led to HTTPS gets none.
    const led = fault(gateway(server('["*"]', ', tls: {httpsRedirect: true}')), faulty)!
    expect(led.virtualHosts[0]!.routes[0]).toEqual({
      match: [{ withoutHeaders: { 'x-forwarded-proto': { exact: 'https' } } }],
    })
  })
})

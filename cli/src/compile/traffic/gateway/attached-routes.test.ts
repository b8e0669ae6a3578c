/** What HTTPRoutes and GRPCRoutes of a Gateway become. What they mean is taken from the Gateway API's documents. */
import { describe, expect, test } from 'vitest'
import { clusterOf, compileTraffic } from '../testing.ts'

const proxy = { namespace: 'shop', name: 'edge', labels: {} }
const options = { workload: proxy, gateway: { namespace: 'shop', name: 'web' }, port: undefined }
const resource = (kind: string, name: string, spec: string, metadata = '', namespace = 'shop') =>
  `{apiVersion: gateway.networking.k8s.io/v1, kind: ${kind}, metadata: {name: ${name}, namespace: ${namespace}${metadata}}, spec: ${spec}}`
const rule = (path: string, name: string) =>
  `{matches: [{path: {value: ${path}}}], backendRefs: [{name: ${name}, port: 80}]}`
const route = (hostnames: string, rules: string, name = 'a', metadata = '', parent = '') =>
  resource(
    'HTTPRoute',
    name,
    `{parentRefs: [{name: web${parent}}], hostnames: ${hostnames}, rules: [${rules}]}`,
    metadata,
  )
const other = (hostnames: string, rules: string) =>
  route(hostnames, rules, 'a', '', ', namespace: shop').replace('namespace: shop}, spec', 'namespace: team}, spec')
const gateway = (...listeners: string[]) =>
  resource('Gateway', 'web', `{gatewayClassName: a, listeners: [${listeners.join()}]}`)
const listener = (more = '', name = 'http', port = 80) => `{name: ${name}, port: ${port}, protocol: HTTP${more}}`
const all = gateway(listener())
const to = (name: string, namespace = 'shop') => [{ cluster: clusterOf(name, 80, namespace) }]
const compile = (...documents: string[]) => compileTraffic(documents, options)
const domainsOf = (...documents: string[]) => compile(...documents).hosts?.flatMap(({ domains }) => domains)

describe('a route of the Gateway', () => {
  test('has its hostnames for domains', () => {
    const { hosts, told } = compile(all, route('[a.com, "*.b.com"]', rule('/', 'cart')))
    expect(hosts).toMatchObject([{ name: 'shop/a', domains: ['a.com', '*.b.com'], routes: [{ destinations: to('cart') }] }])
    expect(told).toEqual([])
  }) // prettier-ignore

  test('without hostnames is for all, and without a known Gateway as it stands', () => {
    const { hosts, told } = compile(route('[]', rule('/', 'cart')))
    expect([hosts![0]!.domains, told]).toEqual([['*'], ['info MS1221 spec.parentRefs[0]']])
  })

  test.each([
    ['{name: other}', 'for that one give --gateway shop/other'],
    ['{name: web, namespace: team}', 'for that one give --gateway team/web'],
    ['{group: "", kind: Service, name: web}', 'compile that without --gateway'],
  ])('of %s is passed over, with a note', (parent, hint) => {
    const { hosts, told, hints } = compile(all, resource('HTTPRoute', 'a', `{parentRefs: [${parent}]}`))
    expect([hosts, told, hints[0]]).toEqual([[], ['info MS1404 spec.parentRefs[0]', 'warning MS1402'], hint])
  })

  test('without backends answers with 500', () => {
    const { routes, told } = compile(all, route('[a.com]', '{}'))
    expect(routes).toMatchObject([{ directResponse: { status: 500 } }])
    expect(told).toEqual(['warning MS1412 spec.rules[0].backendRefs'])
  })
})

describe('routes of one hostname', () => {
  test('are sorted by what they ask for, then by age, then by name', () => {
    const routes = [
      route('[a.com]', `${rule('/', 'none')}, ${rule('/a', 'z')}`, 'z'),
      route('[a.com, b.com]', `${rule('/a/b', 'deep')}, ${rule('/a', 'old')}`, 'b', ', creationTimestamp: "2024-01-01T00:00:00Z"'),
    ] // prettier-ignore
    const { hosts } = compile(all, ...routes)
    expect(hosts!.map(({ name, domains }) => [name, domains])).toEqual([
      ['shop/b + shop/z', ['a.com']],
      ['shop/b', ['b.com']],
    ])
    const order = hosts![0]!.routes.map(({ destinations }) => destinations)
    expect(order).toEqual([to('deep'), to('old'), to('z'), to('none')])
  })

  test('of two kinds are not joined: the oldest has it', () => {
    const grpc = resource('GRPCRoute', 'g', '{parentRefs: [{name: web}], hostnames: [a.com], rules: [{backendRefs: [{name: rpc, port: 80}]}]}') // prettier-ignore
    const { hosts, told } = compile(all, grpc, route('[a.com, b.com]', rule('/', 'cart')))
    expect(hosts!.map(({ name }) => name)).toEqual(['shop/a'])
    expect(told).toEqual(['warning MS1410 spec.hostnames'])
    expect(compile(all, grpc).routes).toMatchObject([{ destinations: to('rpc') }])
  })
})

describe('listeners', () => {
  test.each([
    ['"*.a.com"', '[]', ['*.a.com']],
    ['"*.a.com"', '[x.a.com, b.com]', ['x.a.com']],
    ['x.a.com', '["*.a.com"]', ['x.a.com']],
  ])('with %s give %s the hosts %s', (hostname, own, expected) => {
    expect(domainsOf(gateway(listener(`, hostname: ${hostname}`)), route(own, rule('/', 'cart')))).toEqual(expected)
  })

  test('of other hostnames do not take a route', () => {
    const { hosts, told, hints } = compile(gateway(listener(', hostname: b.com')), route('[a.com]', rule('/', 'cart')))
    expect([hosts, told]).toEqual([[], ['warning MS1424 spec.hostnames', 'warning MS1402']])
    expect(hints[0]).toBe('the hostnames of the listeners: b.com')
  })

  test('are named by section and port', () => {
    const two = gateway(listener(', hostname: a.com', 'one'), listener(', hostname: b.com', 'two'))
    expect(domainsOf(two, route('[]', rule('/', 'cart'), 'a', '', ', sectionName: two'))).toEqual(['b.com'])
    expect(domainsOf(two, route('[]', rule('/', 'cart'), 'a', '', ', port: 80'))).toEqual(['a.com', 'b.com'])
    const { told, hints } = compile(two, route('[]', rule('/', 'cart'), 'a', '', ', sectionName: twoo'))
    expect([told[0], hints[0]]).toEqual(['warning MS1424 spec.parentRefs[0]', 'did you mean two?'])
  })

  test('of another port are compiled for themselves', () => {
    const https = '{name: https, port: 443, protocol: HTTPS, hostname: b.com, tls: {certificateRefs: [{name: a}]}}'
    const documents = [gateway(listener(), https), route('[a.com, b.com]', rule('/', 'cart'))]
    const { hosts, told } = compile(...documents)
    expect([hosts![0]!.domains, told]).toEqual([['a.com', 'b.com'], ['info MS1425 spec.listeners[1]']])
    expect(compileTraffic(documents, { ...options, port: 443 }).hosts![0]!.domains).toEqual(['b.com'])
  })

  const namespace = '{apiVersion: v1, kind: Namespace, metadata: {name: team, labels: {edge: "on"}}}'
  const selector = (text: string) => `from: Selector, selector: {${text}}`
  test.each([
    ['', []],
    [', allowedRoutes: {namespaces: {from: Same}}', []],
    [', allowedRoutes: {namespaces: {from: None}}', []],
    [', allowedRoutes: {namespaces: {from: All}}', ['a.com']],
    [`, allowedRoutes: {namespaces: {${selector('matchLabels: {edge: "on"}')}}}`, ['a.com']],
    [`, allowedRoutes: {namespaces: {${selector('matchLabels: {edge: "off"}')}}}`, []],
    [`, allowedRoutes: {namespaces: {${selector('matchExpressions: [{key: kubernetes.io/metadata.name, operator: In, values: [team]}]')}}}`, ['a.com']],
    [', allowedRoutes: {namespaces: {from: All}, kinds: [{kind: GRPCRoute}]}', []],
    [', allowedRoutes: {namespaces: {from: All}, kinds: [{kind: HTTPRoute}]}', ['a.com']],
  ])('%s: of another namespace they take %s', (more, expected) => {
    const { hosts, told } = compile(gateway(listener(more)), namespace, other('[a.com]', '{}'))
    expect(hosts!.flatMap(({ domains }) => domains)).toEqual(expected)
    if (!expected.length) expect(told).toContain('warning MS1424 spec.parentRefs[0]')
  }) // prettier-ignore

  test('that select namespaces need these in the input', () => {
    const selecting = gateway(listener(`, allowedRoutes: {namespaces: {${selector('matchLabels: {edge: "on"}')}}}`))
    expect(compile(selecting, other('[a.com]', '{}')).told[0]).toBe(
      'warning MS1321 spec.listeners[0].allowedRoutes.namespaces.selector',
    )
  })
})

describe('a backend of another namespace', () => {
  const away = route('[a.com]', '{backendRefs: [{name: cart, namespace: team, port: 80}]}')
  const grant = (from: string, to: string) =>
    resource('ReferenceGrant', 'g', `{from: [${from}], to: [${to}]}`, '', 'team')
  const mine = '{group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: shop}'

  test.each([
    [mine, '{group: "", kind: Service}', true],
    [mine, '{group: "", kind: Service, name: cart}', true],
    [mine, '{group: "", kind: Service, name: other}', false],
    [mine, '{group: "", kind: Secret}', false],
    [mine.replace('shop', 'else'), '{group: "", kind: Service}', false],
    [mine.replace('HTTP', 'GRPC'), '{group: "", kind: Service}', false],
  ])('granted to %s for %s: %s', (from, whom, isGranted) => {
    const { routes } = compile(all, away, grant(from, whom))
    expect(routes).toMatchObject([isGranted ? { destinations: to('cart', 'team') } : { directResponse: { status: 500 } }])
  }) // prettier-ignore

  test('is answered with 500 without a ReferenceGrant, which is named', () => {
    const { told, messages, hints } = compile(all, away)
    expect(told).toEqual(['warning MS1221 spec.rules[0].backendRefs[0].namespace'])
    expect(messages[0]).toMatch(
      /^no ReferenceGrant of the namespace team lets HTTPRoutes of shop have its Service cart/,
    )
    expect(hints).toEqual(['add the ReferenceGrant to the input'])
  })
})

import { describe, expect, test } from 'vitest'
import { clusterOf, compileTraffic as compile, service } from './testing.ts'

const split = (spec: string, version = 'v1alpha4', name = 'canary', namespace = 'shop') =>
  `{apiVersion: split.smi-spec.io/${version}, kind: TrafficSplit, metadata: {name: ${name}, namespace: ${namespace}}, spec: ${spec}}`
const backends = (v1: string | number, v2: string | number) =>
  `backends: [{service: web-v1, weight: ${v1}}, {service: web-v2, weight: ${v2}}]`
const group = (matches: string, name = 'users') =>
  `{apiVersion: specs.smi-spec.io/v1alpha4, kind: HTTPRouteGroup, metadata: {name: ${name}, namespace: shop}, spec: {matches: ${matches}}}`
const [v1, v2, web] = [clusterOf('web-v1'), clusterOf('web-v2'), clusterOf('web')]

describe('weights', () => {
  test('are the parts of a service that is known by all its names', () => {
    expect(compile([split(`{service: web, ${backends(90, 10)}}`)])).toMatchObject({
      told: [],
      hosts: [
        {
          name: 'shop/canary',
          domains: ['web.shop.svc.cluster.local', 'web', 'web.shop', 'web.shop.svc'],
          routes: [
            {
              name: 'canary',
              destinations: [
                { cluster: v1, weight: 90 },
                { cluster: v2, weight: 10 },
              ],
            },
          ],
        },
      ],
    })
  })

  test.each([
    ['900m', '100m', 0.9, 0.1],
    [1, '500m', 1, 0.5],
    ['1k', '1Ki', 1000, 1024],
    ['"2"', '1e3', 2, 1000],
    ['1.5', '.5', 1.5, 0.5],
    ['100u', '1n', 1e-4, 1e-9],
  ])('of v1alpha1 are quantities: %s and %s', (one, other, ...weights) => {
    const { routes } = compile([split(`{service: web, ${backends(one, other)}}`, 'v1alpha1')])
    expect(routes![0]!.destinations!.map(({ weight }) => weight)).toEqual(weights)
  })

  test.each([
    ['v1alpha1', 'half', 'write e.g. 1, 500m or 0'],
    ['v1alpha1', '-1', 'write e.g. 1, 500m or 0'],
    ['v1alpha1', '1KB', 'write e.g. 1, 500m or 0'],
    ['v1alpha2', '500m', 'write e.g. 500: weights are parts of their sum'],
    ['v1alpha4', '12.4', 'write e.g. 12: weights are parts of their sum'],
    ['v1alpha3', '-5', 'write e.g. 5: weights are parts of their sum'],
  ])('%s has no weight %s', (version, weight, hint) => {
    const { told, hints } = compile([split(`{service: web, ${backends(weight, 1)}}`, version)])
    expect(told).toEqual(['error MS1106 spec.backends[0].weight'])
    expect(hints).toEqual([hint])
  })

  test('of 0 get nothing; all of them cannot', () => {
    expect(compile([split(`{service: web, ${backends(0, 100)}}`)]).routes).toEqual([
      { name: 'canary', destinations: [{ cluster: v2 }] },
    ])
    expect(compile([split(`{service: web, ${backends(0, 0)}}`)]).told).toEqual(['error MS1106 spec.backends'])
  })
})

describe('ports', () => {
  const spec = `{service: web, ${backends(1, 1)}}`
  const birds = [service('web', '[{port: 8080}, {port: 9090}]'), service('web-v1', '[{port: 8080}]')]

  test('are those of the root service, one after the other', () => {
    const both = service('web-v2', '[{port: 8080, targetPort: 8081}, {port: 9090}]')
    expect(compile([split(spec), ...birds, both], { port: 8080 }).routes![0]!.destinations).toEqual([
      { cluster: clusterOf('web-v1', 8080), weight: 1 },
      { cluster: clusterOf('web-v2', 8080), weight: 1 },
    ])
    const other = compile([split(spec), ...birds, both], { port: 9090 })
    expect(other.routes![0]!.destinations).toEqual([{ cluster: clusterOf('web-v2', 9090) }])
    expect(other.told).toEqual(['warning MS1412 spec.backends[0].service'])
  })

  test('that no backend has lead nowhere', () => {
    const { told } = compile([split(spec), service('web'), ...birds.slice(1), service('web-v2', '[{port: 1}]')])
    expect(told).toEqual([
      'error MS1221 spec.backends',
      'warning MS1412 spec.backends[0].service',
      'warning MS1412 spec.backends[1].service',
    ])
  })

  test.each([
    [[split(spec)], undefined],
    [[split(spec), ...birds], undefined],
    [[split(spec), ...birds], 80],
  ])('must be known (%#)', (documents, port) => {
    expect(compile(documents, { port }).told).toEqual(['error MS1221 spec.service'])
  })

  test('need not be given where the root has one', () => {
    const documents = [split(spec), service('web', '[{port: 7}]'), service('web-v1', '[{port: 7}]')]
    const { routes, told, hints } = compile([...documents, service('web-v3')], { port: undefined })
    expect(routes![0]!.destinations![0]!.cluster).toBe(clusterOf('web-v1', 7))
    expect(told).toEqual(['warning MS1221 spec.backends[1].service'])
    expect(hints).toEqual(['did you mean web-v1?'])
  })
})

describe('matches', () => {
  const ab = split(`{service: web, matches: [{kind: HTTPRouteGroup, name: users}], ${backends(0, 100)}}`)

  test('are split, and others go to the root service', () => {
    const firefox = group('[{name: firefox, headers: {User-Agent: ".*Firefox.*"}}]')
    expect(compile([ab, firefox]).routes).toEqual([
      {
        name: 'canary',
        match: [{ headers: { 'user-agent': { regex: '.*Firefox.*' } } }],
        destinations: [{ cluster: v2 }],
      },
      { destinations: [{ cluster: web }] },
    ])
  })

  test.each([
    ['{name: a, methods: [GET]}', { method: { exact: 'GET' } }],
    ['{name: a, methods: [GET, PUT]}', { method: { regex: 'GET|PUT' } }],
    ['{name: a, pathRegex: /api}', { path: { prefix: '/api' } }],
    ['{name: a, pathRegex: "^/api.*"}', { path: { prefix: '/api' } }],
    ['{name: a, pathRegex: "/api/\\\\d+$"}', { path: { regex: '(?:/api/\\d+$)(?s:.*)' } }],
    ['{name: a, pathRegex: "/a|/b"}', { path: { regex: '(?:/a|/b)(?s:.*)' } }],
    ['{name: a, pathRegex: "/v1.0"}', { path: { regex: '(?:/v1.0)(?s:.*)' } }],
    [
      '{name: a, headers: [{X-A: b}, {Host: "c.*"}]}',
      { authority: { regex: 'c.*' }, headers: { 'x-a': { regex: 'b' } } },
    ],
    ['{name: a, methods: ["*"], pathRegex: ".*"}', undefined],
    ['{name: a}', undefined],
  ])('%s', (match, expected) => {
    expect(compile([ab, group(`[${match}]`)]).routes![0]!.match).toEqual(expected && [expected])
  })

  test('of several groups are one', () => {
    const two = 'matches: [{kind: HTTPRouteGroup, name: a}, {kind: HTTPRouteGroup, name: b}]'
    const documents = [
      split(`{service: web, ${two}, ${backends(1, 1)}}`),
      group('[{name: a, methods: [GET]}, {name: b, methods: [PUT]}]', 'a'),
      group('[{name: a, pathRegex: /b}]', 'b'),
    ]
    expect(compile(documents).routes![0]!.match).toEqual([
      { method: { exact: 'GET' } },
      { method: { exact: 'PUT' } },
      { path: { prefix: '/b' } },
    ])
  })

  test.each([
    [group('[{name: a}]', 'user'), 'did you mean user?'],
    [group('[{name: a}]', 'else'), 'add it to the input'],
    [group('[]'), 'add some'],
  ])('must be there (%#)', (other, hint) => {
    const { told, hints } = compile([ab, other])
    expect(told).toEqual(['error MS1221 spec.matches[0].name'])
    expect(hints).toEqual([hint])
  })

  test('of v1alpha2 there are none', () => {
    const { told } = compile([split(`{service: web, matches: [], ${backends(1, 1)}}`, 'v1alpha2')])
    expect(told).toEqual(['error MS1101 spec.matches'])
  })
})

describe('services', () => {
  test.each(['web', 'web.shop.svc.cluster.local'])('%s is one', (name) => {
    expect(compile([split(`{service: ${name}, ${backends(1, 1)}}`)]).hosts![0]!.domains).toContain('web.shop')
  })

  test.each(['web.other.svc.cluster.local', 'web.shop', '"1web"', 'Web'])('%s is none of the namespace', (name) => {
    expect(compile([split(`{service: ${name}, ${backends(1, 1)}}`)]).told).toEqual(['error MS1106 spec.service'])
  })

  test('that two splits are for: those of some requests come first, and of others the first counts', () => {
    const documents = [
      split(`{service: web, ${backends(1, 0)}}`, 'v1alpha4', 'a'),
      split(`{service: web, ${backends(0, 1)}}`, 'v1alpha4', 'b'),
      split(`{service: web, matches: [{kind: HTTPRouteGroup, name: users}], ${backends(0, 1)}}`, 'v1alpha4', 'c'),
      group('[{name: a, methods: [GET]}]'),
    ]
    const { routes, told } = compile(documents)
    expect(routes).toEqual([
      { name: 'c', match: [{ method: { exact: 'GET' } }], destinations: [{ cluster: v2 }] },
      { name: 'a', destinations: [{ cluster: v1 }] },
    ])
    expect(told).toEqual(['warning MS1410 spec.service'])
  })

  test('that the input lacks, beside others, are told', () => {
    const texts = [split('{service: web, backends: [{service: web-v1, weight: 1}]}'), service('web-v1'), service('wbe')]
    const { told, hints } = compile(texts)
    expect(told).toEqual(['warning MS1221 spec.service'])
    expect(hints).toEqual(['did you mean wbe?'])
  })

  test('that a VirtualService is for too', () => {
    const other =
      '{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: a, namespace: shop}, spec: {hosts: [web], http: [{route: [{destination: {host: web}}]}]}}'
    expect(compile([other, split(`{service: web, ${backends(1, 1)}}`)]).told).toEqual(['error MS1411 spec.service'])
  })
})

test('fields with other names are refused', () => {
  const { told, hints } = compile([split('{servcie: web, backends: []}')])
  expect(told).toEqual(['error MS1103 spec.service', 'error MS1101 spec.servcie', 'error MS1105 spec.backends'])
  expect(hints[1]).toBe('did you mean "service"?')
})

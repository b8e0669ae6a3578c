import { describe, expect, test } from 'vitest'
import { compileTexts, pod } from '../testing.ts'

const workload = { namespace: 'shop', name: 'app', labels: { app: 'app' }, serviceAccount: 'app' }
const compile = (...texts: string[]) => compileTexts(texts, { workload })

const target = (spec: string, { name = 't', version = 'v1alpha3' } = {}) => `
apiVersion: access.smi-spec.io/${version}
kind: TrafficTarget
metadata: {name: ${name}, namespace: shop}
${version === 'v1alpha1' ? spec : `spec:\n${spec.replace(/^/gm, '  ')}`}`
const group = (matches: string, { name = 'routes', version = 'v1alpha4', namespace = 'shop' } = {}) => `
apiVersion: specs.smi-spec.io/${version}
kind: HTTPRouteGroup
metadata: {name: ${name}, namespace: ${namespace}}
${version >= 'v1alpha3' ? `spec: {matches: ${matches}}` : `matches: ${matches}`}`
const tcp = (ports: string, name = 'ports') => `
apiVersion: specs.smi-spec.io/v1alpha4
kind: TCPRoute
metadata: {name: ${name}, namespace: shop}
spec: {matches: {ports: ${ports}}}`

const destination = 'destination: {kind: ServiceAccount, name: app, namespace: shop}'
const sources = 'sources: [{kind: ServiceAccount, name: web, namespace: front}]'
const rules = (list: string) => `rules: ${list}`
const simple = (list: string) => target([destination, sources, rules(list)].join('\n'))
const from = [{ principals: [{ exact: 'cluster.local/ns/front/sa/web' }] }]

test('the example of the specification', () => {
  const routes = group(
    '[{name: metrics, pathRegex: /metrics, methods: [GET]}, {name: all, pathRegex: ".*", methods: ["*"]}]',
  )
  const { configuration, messages, rules, diagnostics, ...compiled } = compile(
    simple('[{kind: TCPRoute, name: ports}, {kind: HTTPRouteGroup, name: routes, matches: [metrics]}]'),
    routes,
    tcp('[8080]'),
  )
  expect(messages).toEqual([])
  expect(configuration).toEqual({
    version: 1,
    mode: 'enforce',
    policies: [
      {
        name: 'ns[shop]-target[t]',
        action: 'ALLOW',
        rules: [
          { from, to: [{ methods: [{ exact: 'GET' }], paths: [{ regex: '(?:/metrics)(?s:.*)' }], ports: [8080] }] },
        ],
      },
    ],
  })
  expect(rules).toHaveLength(1)
  expect(diagnostics.hasErrors).toBe(false)
  expect(compiled.selected.map(({ title }) => title)).toEqual(['TrafficTarget shop/t'])
})

test('a decision is traced to the rule of the TrafficTarget', () => {
  const text = simple(
    '[\n    {kind: HTTPRouteGroup, name: routes, matches: [\n      b]}, {kind: HTTPRouteGroup, name: routes}]',
  )
  const { rules, places } = compile(text, group('[{name: a}, {name: b}]'))
  expect(rules).toEqual([{ from }, { from }, { from }])
  expect(places).toEqual([
    'ns[shop]-target[t]-rule[0] 0.yaml:10',
    'ns[shop]-target[t]-rule[1] 0.yaml:10',
    'ns[shop]-target[t]-rule[2] 0.yaml:10',
  ])
})

describe('versions', () => {
  test('v1alpha1 has neither spec nor rules, and a port', () => {
    const first = [
      'destination: {kind: ServiceAccount, name: app, namespace: shop, port: 8080}',
      sources,
      'specs: [{kind: HTTPRouteGroup, name: routes}]',
    ]
    const { rules, messages } = compile(
      target(first.join('\n'), { version: 'v1alpha1' }),
      group('[{name: a, methods: [GET, HEAD]}]', { version: 'v1alpha1' }),
    )
    expect(messages).toEqual([])
    expect(rules).toEqual([{ from, to: [{ methods: [{ exact: 'GET' }, { exact: 'HEAD' }], ports: [8080] }] }])
  })

  test('v1alpha1 asks for what it needs', () => {
    const { messages } = compile(target(destination, { version: 'v1alpha1' }))
    expect(messages).toEqual(['error MS1103 specs: "specs" is missing', 'error MS1103 sources: "sources" is missing'])
  })

  test.each(['v1alpha1', 'v1alpha2', 'v1alpha3', 'v1alpha4'])('HTTPRouteGroup %s', (version) => {
    const { rules } = compile(
      simple('[{kind: HTTPRouteGroup, name: routes}]'),
      group('[{name: a, pathRegex: /a}]', { version }),
    )
    expect(rules).toEqual([{ from, to: [{ paths: [{ regex: '(?:/a)(?s:.*)' }] }] }])
  })

  test('matches at the top are unknown from v1alpha3 on', () => {
    const text = group('[{name: a}]', { version: 'v1alpha2' }).replace('v1alpha2', 'v1alpha4')
    expect(compile(text).messages).toContain('error MS1101 matches: unknown field "matches"')
  })
})

describe('headers', () => {
  test.each(['{User-Agent: ".*Firefox.*", Host: "a.*"}', '[{User-Agent: ".*Firefox.*"}, {Host: "a.*"}]'])(
    '%s',
    (headers) => {
      const { rules } = compile(
        simple('[{kind: HTTPRouteGroup, name: routes}]'),
        group(`[{name: a, headers: ${headers}}]`),
      )
      expect(rules).toEqual([
        {
          from,
          when: [
            { header: 'user-agent', joined: true, values: [{ regex: '.*Firefox.*' }] },
            { header: ':authority', joined: true, values: [{ regex: 'a.*' }] },
          ],
        },
      ])
    },
  )
})

describe('ports', () => {
  test('without HTTP routes every request on them is allowed', () => {
    const { rules } = compile(simple('[{kind: TCPRoute, name: ports}]'), tcp('[80, 81]'))
    expect(rules).toEqual([{ from, to: [{ ports: [80, 81] }] }])
  })
  test('none of a TCPRoute means all', () => {
    expect(compile(simple('[{kind: TCPRoute, name: ports}]'), tcp('[]')).rules).toEqual([{ from }])
  })
  test('UDP routes allow nothing', () => {
    const { configuration, messages } = compile(simple('[{kind: UDPRoute, name: dns}]'))
    expect(configuration?.policies).toEqual([{ name: 'ns[shop]-target[t]', action: 'ALLOW', rules: [] }])
    expect(messages).toEqual(['info MS1423 spec.rules: UDP routes alone allow no HTTP request'])
  })
})

describe('who is meant', () => {
  const open = '[{kind: TCPRoute, name: ports}]'

  test('sources are of the namespace of the TrafficTarget where they name none; aliases of the trust domain count', () => {
    const text = target([destination, 'sources: [{kind: ServiceAccount, name: web}]', rules(open)].join('\n'))
    const mesh = { rootNamespace: 'r', trustDomain: 'td', trustDomainAliases: ['old'] }
    const compiled = compileTexts([text, tcp('[]')], { workload, mesh })
    expect(compiled.rules).toEqual([
      { from: [{ principals: [{ exact: 'td/ns/shop/sa/web' }, { exact: 'old/ns/shop/sa/web' }] }] },
    ])
  })

  test('another account or namespace is not selected', () => {
    for (const other of ['{kind: ServiceAccount, name: b}', '{kind: ServiceAccount, name: app, namespace: b}']) {
      const { configuration, messages } = compile(
        target([`destination: ${other}`, sources, rules(open)].join('\n')),
        tcp('[]'),
      )
      expect(configuration?.policies).toEqual([])
      expect(messages).toEqual([expect.stringContaining('warning MS1402')])
    }
  })

  test('the account comes from the pods of the input', () => {
    const { rules } = compileTexts([simple(open), tcp('[]'), pod('x', { app: 'app' }, { account: 'app' })])
    expect(rules).toEqual([{ from }])
  })

  test('an account that is not known is an error', () => {
    const { messages, hints, configuration } = compileTexts([simple(open), tcp('[]')])
    expect(configuration).toBeUndefined()
    expect(messages).toEqual(['error MS1321 spec.destination: the service account of shop/app is not known'])
    expect(hints).toEqual(['give --service-account, or add the Deployment or Pod of the workload to the input'])
  })

  test('so is one that differs between its pods', () => {
    const pods = [pod('x', { app: 'app' }), pod('y', { app: 'app' })]
    const { messages } = compileTexts([simple(open), tcp('[]'), ...pods])
    expect(messages).toEqual([
      'error MS1321 spec.destination: the pods of shop/app run under several service accounts: x, y',
    ])
  })

  test('nothing is for outbound requests', () => {
    const { configuration } = compileTexts([simple(open), tcp('[]')], { workload, direction: 'outbound' })
    expect(configuration?.policies).toEqual([])
  })
})

describe('IdentityBinding', () => {
  const binding = (name: string, schemes: string, namespace = 'shop') => `
apiVersion: access.smi-spec.io/v1alpha4
kind: IdentityBinding
metadata: {name: ${name}, namespace: ${namespace}}
spec: {schemes: ${schemes}}`
  const bound = target(
    'destination: {kind: IdentityBinding, name: me}\nsources: [{kind: IdentityBinding, name: them}]\nrules: [{kind: TCPRoute, name: p}]',
    { version: 'v1alpha4' },
  )

  test.each([
    '{podLabelSelectors: [{matchLabels: {app: app}}]}',
    '{serviceAccount: app}',
    '{spiffeIdentities: ["spiffe://cluster.local/ns/shop/sa/app"]}',
  ])('%s is the workload', (me) => {
    const them = binding('them', '{serviceAccount: web, spiffeIdentities: ["other/x/y"]}')
    const { rules, messages } = compile(bound, binding('me', me), them, tcp('[]', 'p'))
    expect(messages).toEqual([])
    expect(rules).toEqual([
      { from: [{ principals: [{ exact: 'other/x/y' }, { exact: 'cluster.local/ns/shop/sa/web' }] }] },
    ])
  })

  test('sources by labels are the accounts or addresses of pods', () => {
    const them = binding('them', '{podLabelSelectors: [{matchLabels: {role: a}}]}')
    const texts = [bound, binding('me', '{serviceAccount: app}'), them, tcp('[]', 'p')]
    const { rules } = compile(
      ...texts,
      pod('a', { role: 'a' }),
      pod('b', { role: 'a' }, { account: 'shared', ip: '10.0.0.1' }),
      pod('c', { role: 'c' }, { account: 'shared', ip: '10.0.0.2' }),
    )
    expect(rules?.[0]?.from).toEqual([
      { principals: [{ exact: 'cluster.local/ns/shop/sa/a' }] },
      { ipBlocks: ['10.0.0.1/32'] },
    ])
    expect(compile(...texts).messages).toEqual([
      'error MS1321 spec.schemes.podLabelSelectors[0]: no pod of the input has these labels: who is meant is not known',
    ])
  })
})

describe('mistakes', () => {
  test.each([
    [
      '[{kind: HTTPRouteGroup, name: rotues}]',
      'spec.rules[0].name: the input has no HTTPRouteGroup shop/rotues',
      'did you mean routes?',
    ],
    [
      '[{kind: HTTPRouteGroup, name: routes, matches: [metrix]}]',
      'spec.rules[0].matches[0]: HTTPRouteGroup routes has no match "metrix"',
      'did you mean metrics?',
    ],
    [
      '[{kind: TCPRoute, name: routes}]',
      'spec.rules[0].name: the input has no TCPRoute shop/routes',
      'add it to the input',
    ],
  ])('%s', (list, message, hint) => {
    const { messages, hints } = compile(simple(list), group('[{name: metrics}]'))
    expect(messages).toEqual([`error MS1221 ${message}`])
    expect(hints).toEqual([hint])
  })

  test.each([
    [
      '[{name: a, pathRegex: "("}]',
      'error MS1222 spec.matches[0].pathRegex: "(" is not a valid regular expression: unterminated group',
    ],
    [
      '[{name: a, headers: [{x: "(?=a)"}]}]',
      'error MS1222 spec.matches[0].headers[0].x: "(?=a)": RE2 has no look-ahead and look-behind',
    ],
    ['[{name: a, methods: [get]}]', 'error MS1104 spec.matches[0].methods[0]: "get" is not allowed here'],
    ['[{name: a}, {name: a}]', 'error MS1109 spec.matches[1].name: the match a is there twice'],
  ])('%s', (matches, message) => {
    expect(compile(group(matches)).messages).toEqual([message])
  })

  test('a target without sources would be open to nobody, or all: it is an error', () => {
    const text = target([destination, 'sources: []', rules('[{kind: TCPRoute, name: p}]')].join('\n'))
    expect(compile(text).messages).toEqual(['error MS1105 spec.sources: at least 1 items are needed, got 0'])
  })
})

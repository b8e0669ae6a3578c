import { expect, test } from 'vitest'
import type { AuthorizationPolicySpec } from './authorization-policy.ts'
import { Diagnostics } from './diagnostics.ts'
import { parseResources, parseYaml } from './parse.ts'
import { Source } from './source.ts'

function parse(...texts: string[]) {
  const diagnostics = new Diagnostics()
  const sources = texts.map((text, index) => new Source(`${index}.yaml`, text))
  const resources = parseResources(sources, diagnostics)
  const told = diagnostics.toJSON().map(({ code, severity, line, column, message }) => {
    return `${line ?? 0}:${column ?? 0} ${severity} ${code} ${message}`
  })
  return { titles: resources.map((each) => each.title), resources, told }
}

const policy = (name: string, rest = '') =>
  `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: ${name}, namespace: a}\n${rest}`
const item = (name: string) =>
  `{apiVersion: security.istio.io/v1, kind: AuthorizationPolicy, metadata: {name: ${name}, namespace: a}}`

test('several documents, some of them empty, in several texts', () => {
  const { titles, told } = parse(`---\n# none\n---\n${policy('p')}---\n${policy('q')}---\n`, policy('r'))
  expect(titles).toEqual(['AuthorizationPolicy a/p', 'AuthorizationPolicy a/q', 'AuthorizationPolicy a/r'])
  expect(told).toEqual([])
})

test('JSON, a byte order mark and Windows line ends', () => {
  const json = JSON.stringify({
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name: 'p', namespace: 'a' },
  })
  expect(parse(json).titles).toEqual(['AuthorizationPolicy a/p'])
  expect(parse(`\uFEFF${policy('p')}`.replaceAll('\n', '\r\n')).titles).toEqual(['AuthorizationPolicy a/p'])
})

test.each([
  ['.', '.'],
  ['-.', '-.'],
  ['1.', 1],
  ['.5', 0.5],
  ['yes', true],
])('%s is read as Kubernetes reads it', (text, value) => {
  const [document] = parseYaml(new Source('a.yaml', `a: ${text}`), new Diagnostics())
  expect(document!.toJS()).toEqual({ a: value })
})

test('lists, typed lists and lists in lists', () => {
  expect(
    parse(`{apiVersion: v1, kind: List, items: [${item('p')}, {apiVersion: v1, kind: List, items: [${item('q')}]}]}`)
      .titles,
  ).toEqual(['AuthorizationPolicy a/p', 'AuthorizationPolicy a/q'])
  const typed =
    'apiVersion: security.istio.io/v1\nkind: AuthorizationPolicyList\nitems:\n- metadata: {name: p, namespace: a}\n'
  expect(parse(typed).titles).toEqual(['AuthorizationPolicy a/p'])
})

test('what the API server adds is accepted', () => {
  const live = policy('p', 'spec: {}\nstatus: {conditions: []}\n').replace(
    'namespace: a}',
    'namespace: a, uid: x, resourceVersion: "1", generation: 2, creationTimestamp: 2026-01-01T00:00:00Z, managedFields: [{}]}',
  )
  expect(parse(live)).toMatchObject({ titles: ['AuthorizationPolicy a/p'], told: [] })
})

test('anchors, aliases and merge keys', () => {
  const { resources, told } = parse(
    policy(
      'p',
      'spec:\n  rules:\n  - to: &to [{operation: &get {methods: [GET]}}]\n  - to: *to\n  - to: [{operation: {<<: *get, paths: [/a]}}]\n',
    ),
  )
  expect(told).toEqual([])
  const get = [{ operation: { methods: ['GET'] } }]
  expect(resources[0]?.spec).toEqual({
    rules: [{ to: get }, { to: get }, { to: [{ operation: { methods: ['GET'], paths: ['/a'] } }] }],
  })
})

test('a key that is no text is refused: it would be passed over with all that it has', () => {
  const told = (position: string) => [
    `${position} error MS1002 a key must be a text; templates, as of Helm, have to be rendered before`,
  ]
  expect(parse(policy('p', 'spec: {{ .Values.spec }}\n')).told).toEqual(told('4:8'))
  expect(parse(policy('p', 'spec:\n  rules:\n  - {[a]: b}\n')).told).toEqual(told('6:6'))
  expect(parse(policy('p', 'spec:\n  ~: {}\n')).told).toEqual(told('5:3'))
  expect(parse('x: &x [a]\n*x : b\n').told).toEqual(told('2:1'))
})

test('an alias that unfolds without end is refused', () => {
  const levels = Array.from(
    { length: 12 },
    (_, i) => `a${i + 1}: &a${i + 1} [${Array<string>(9).fill(`*a${i}`).join(', ')}]`,
  )
  expect(parse(`a0: &a0 [x]\n${levels.join('\n')}\n`).told).toEqual([
    '1:1 error MS1002 excessive alias count indicates a resource exhaustion attack',
  ])
})

test('values as Kubernetes reads them', () => {
  const values = (list: string) =>
    parse(policy('p', `spec: {rules: [{when: [{key: "request.headers[a]", values: [${list}]}]}]}\n`))
  const list = (text: string) =>
    (values(text).resources[0]?.spec as AuthorizationPolicySpec).rules?.[0]?.when?.[0]?.values
  expect(list('a, 12:30:45, 2026-01-01, "1"')).toEqual(['a', '12:30:45', '2026-01-01', '1'])
  expect(values('on').told).toEqual(['4:61 error MS1102 expected a string, got the truth value on'])
  expect(values('8080').told).toEqual(['4:61 error MS1102 expected a string, got the number 8080'])
  expect(values('null').told).toEqual(['4:61 error MS1102 expected a string, got nothing'])
})

test('other kinds are ignored with one note each, and unknown ones of a known group refused', () => {
  const of = (apiVersion: string, kind: string) => `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {name: x}\n`
  expect(
    parse([of('v1', 'ConfigMap'), of('v1', 'ConfigMap'), of('networking.k8s.io/v1', 'Ingress')].join('---\n')).told,
  ).toEqual([
    '1:1 info MS1006 ignored 2 × ConfigMap: the filters do without it',
    '9:1 info MS1006 ignored Ingress: the filters do without it',
  ])
  for (const [apiVersion, kind] of [
    ['security.istio.io/v1', 'AuthorisationPolicy'],
    ['security.istio.io/v1alpha1', 'AuthorizationPolicy'],
    ['securty.istio.io/v1', 'RequestAuth'],
    ['example.com/v1', 'AuthorizationPolicy'],
    ['rbac.istio.io/v1alpha1', 'ConfigMapRole'],
    ['networking.istio.io/v1', 'VirtualConfigMap'],
  ] as const) {
    expect(parse(of(apiVersion, kind)).told, `${apiVersion} ${kind}`).toEqual([
      expect.stringMatching(/^(1:13|2:7) error MS1(004|303) /),
    ])
  }
  for (const [apiVersion, kind] of [
    ['policy.linkerd.io/v1alpha1', 'AuthorizationPolicy'],
    ['gateway.networking.k8s.io/v1alpha2', 'TCPRoute'],
    ['cilium.io/v2', 'CiliumEndpoint'],
  ] as const) {
    expect(parse(of(apiVersion, kind)).told, kind).toEqual([expect.stringContaining('info MS1006')])
  }
})

test('kinds and groups that are called as what every object has', () => {
  for (const name of ['toString', 'constructor', '__proto__']) {
    const text = `apiVersion: cilium.io/v2\nkind: ${name}\nmetadata: {name: x}\n`
    expect(parse(text).told).toEqual([`1:1 info MS1006 ignored ${name}: the filters do without it`])
    expect(parse(text.replace('cilium.io', name)).told).toHaveLength(1)
  }
})

test('what is no resource is refused', () => {
  expect(parse('a: 1').told).toEqual(['1:1 error MS1003 a Kubernetes resource needs apiVersion and kind'])
  expect(parse('- a').told).toEqual(['1:1 error MS1003 expected a Kubernetes resource'])
  expect(parse('# nothing').told).toEqual(['0:0 warning MS1007 there is no resource in the input'])
  expect(parse('a: [1').told).toEqual([expect.stringMatching(/^\d+:\d+ error MS1002 /)])
  expect(parse('['.repeat(100_000)).told).toEqual([expect.stringMatching(/ error MS1002 /)])
})

test('the same resource twice', () => {
  expect(parse(policy('p'), policy('p')).told).toEqual(['3:18 error MS1005 already defined at 0.yaml:3'])
})

test('a resource without a namespace', () => {
  expect(parse(policy('p').replace(', namespace: a', ''))).toMatchObject({
    titles: ['AuthorizationPolicy default/p'],
    told: ['3:1 warning MS1008 no namespace: taken as "default"'],
  })
})

test('a field without a value is as if it were not there, and told', () => {
  const { resources, told } = parse(policy('p', 'spec:\n  rules:\n  - from:\n    to: [{operation: {paths: [/a]}}]\n'))
  expect(resources[0]?.spec).toEqual({ rules: [{ to: [{ operation: { paths: ['/a'] } }] }] })
  expect(told).toEqual(['6:5 warning MS1107 "from" has no value: it is as if it were not there'])
})

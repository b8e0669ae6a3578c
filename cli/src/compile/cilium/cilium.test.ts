import { describe, expect, test } from 'vitest'
import { defaultMeshConfig } from '../../resources/mesh-config.ts'
import { compileTexts, pod } from '../testing.ts'

const policy = (spec: string, { name = 'p', namespace = 'shop' } = {}) => `
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: ${name}, namespace: ${namespace}}
spec: ${spec}`
const clusterwide = (spec: string) => `
apiVersion: cilium.io/v2
kind: CiliumClusterwideNetworkPolicy
metadata: {name: c}
spec: ${spec}`
const namespace = (name: string, labels: Record<string, string>) =>
  JSON.stringify({ apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } })

const ingress = (entry: string) => policy(`{endpointSelector: {}, ingress: [${entry}]}`)
const http = (rules: string) => `{toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {http: ${rules}}}]}`
const compile = (...texts: string[]) => compileTexts(texts)
const outbound = (...texts: string[]) => compileTexts(texts, { direction: 'outbound' })

describe('which rules are in force', () => {
  const any = 'ingress: [{fromEntities: [all]}]'
  const count = (text: string) => compile(text).rules?.length

  test.each([
    ['{endpointSelector: {}', 1],
    ['{endpointSelector: {matchLabels: {app: app}}', 1],
    ['{endpointSelector: {matchLabels: {"k8s:app": app, "any:app": app}}', 1],
    ['{endpointSelector: {matchLabels: {app: b}}', 0],
    ['{endpointSelector: {matchLabels: {"container:app": app}}', 0],
    ['{endpointSelector: {matchExpressions: [{key: app, operator: In, values: [a, app]}]}', 1],
    ['{endpointSelector: {matchExpressions: [{key: app, operator: NotIn, values: [app]}]}', 0],
    ['{endpointSelector: {matchExpressions: [{key: b, operator: NotIn, values: [x]}]}', 1],
    ['{endpointSelector: {matchExpressions: [{key: "k8s:app", operator: Exists}]}', 1],
    ['{endpointSelector: {matchExpressions: [{key: app, operator: DoesNotExist}]}', 0],
    ['{endpointSelector: {matchLabels: {io.kubernetes.pod.namespace: shop}}', 1],
  ])('%s', (start, expected) => {
    expect(count(policy(`${start}, ${any}}`))).toBe(expected)
  })

  test('a policy selects pods of its own namespace, a cluster-wide one those of all', () => {
    expect(compile(policy(`{endpointSelector: {}, ${any}}`, { namespace: 'other' })).rules).toEqual([])
    const other = '{endpointSelector: {matchLabels: {io.kubernetes.pod.namespace: other}}'
    expect(compile(clusterwide(`${other}, ${any}}`)).rules).toEqual([])
    const { configuration } = compile(clusterwide(`{endpointSelector: {}, ${any}}`))
    expect(configuration?.policies).toEqual([{ name: 'ccnp[c]', action: 'ALLOW', rules: [{}] }])
    expect(compile(policy(`${other}, ${any}}`)).messages).toEqual([
      'warning MS1401 spec.endpointSelector: a CiliumNetworkPolicy selects pods of its own namespace, shop, whatever it says here',
    ])
  })

  test('by service account and by labels of the namespace, where they are known', () => {
    const byAccount = policy(`{endpointSelector: {matchLabels: {io.cilium.k8s.policy.serviceaccount: a}}, ${any}}`)
    const workload = { namespace: 'shop', name: 'app', labels: {} }
    expect(compileTexts([byAccount], { workload: { ...workload, serviceAccount: 'a' } }).rules).toEqual([{}])
    expect(compileTexts([byAccount], { workload: { ...workload, serviceAccount: 'b' } }).rules).toEqual([])
    expect(compile(byAccount).messages).toEqual([
      'error MS1321 spec.endpointSelector: the service account of shop/app is not known',
    ])
    const key = 'io.cilium.k8s.namespace.labels.team'
    const byNamespace = clusterwide(`{endpointSelector: {matchLabels: {${key}: a}}, ${any}}`)
    expect(compile(byNamespace, namespace('shop', { team: 'a' })).rules).toEqual([{}])
    expect(compile(byNamespace, namespace('shop', { team: 'b' })).rules).toEqual([])
    expect(compile(byNamespace).messages[0]).toContain(
      'error MS1321 spec.endpointSelector: the labels of namespace shop',
    )
  })

  test('spec and specs count together', () => {
    const text = policy(`{endpointSelector: {}, ${any}}`).concat(`\nspecs: [{endpointSelector: {}, ${any}}]`)
    expect(compile(text).rules).toEqual([{}, {}])
  })

  test('policies for nodes and for the other direction are left out, with a word', () => {
    expect(compile(clusterwide(`{nodeSelector: {}, ${any}}`)).messages[0]).toBe(
      'info MS1423 spec.nodeSelector: it is about nodes, not about pods',
    )
    expect(compile(policy(`{nodeSelector: {}, ${any}}`)).messages).toEqual([
      'error MS1207 spec.nodeSelector: a CiliumNetworkPolicy cannot select nodes',
    ])
    const { messages, configuration } = compile(policy('{endpointSelector: {}, egress: [{toEntities: [all]}]}'))
    expect(messages[0]).toBe('info MS1423 spec: not applied: it is about outbound requests')
    expect(configuration?.policies).toEqual([])
  })
})

describe('default denial', () => {
  const policies = (spec: string) => compile(policy(`{endpointSelector: {}, ${spec}}`)).configuration?.policies

  test.each([
    'ingress: [{}]',
    'ingress: [{fromEndpoints: []}]',
    'ingress: [{toPorts: []}]',
    'ingress: [{fromEntities: [none]}]',
  ])('%s allows nothing', (section) =>
    expect(policies(section)).toEqual([{ name: 'ns[shop]-cnp[p]', action: 'ALLOW', rules: [] }]),
  )

  test('an empty section says nothing', () =>
    expect(policies('ingress: [], egress: [{toEntities: [all]}]')).toEqual([]))

  test.each(['ingress: []', 'enableDefaultDeny: {ingress: true}', 'ingress: [], egressDeny: []'])(
    '%s alone is refused: in Cilium it enforces nothing',
    (spec) =>
      expect(compile(policy(`{endpointSelector: {}, ${spec}}`)).messages).toEqual([
        'error MS1103 spec: Cilium refuses a rule without an entry in ingress, ingressDeny, egress or egressDeny',
      ]),
  )

  test('enableDefaultDeny turns it on and off', () => {
    expect(policies('enableDefaultDeny: {ingress: true}, egress: [{}]')).toEqual([
      { name: 'ns[shop]-cnp[p]', action: 'ALLOW', rules: [] },
    ])
    expect(policies('enableDefaultDeny: {ingress: false}, ingress: [{fromEntities: [none]}]')).toEqual([])
    const { messages } = compile(
      policy(`{endpointSelector: {}, enableDefaultDeny: {ingress: false}, ingress: [${http('[{method: GET}]')}]}`),
    )
    expect(messages[0]).toContain('error MS1301 spec.enableDefaultDeny.ingress: without a default denial')
  })

  test('what denies alone denies the rest by default too', () => {
    expect(policies('ingressDeny: [{toPorts: [{ports: [{port: "81"}]}]}]')).toEqual([
      { name: 'ns[shop]-cnp[p]-deny', action: 'DENY', rules: [{ to: [{ ports: [81] }] }] },
      { name: 'ns[shop]-cnp[p]', action: 'ALLOW', rules: [] },
    ])
  })

  test("a refusal has Cilium's words", () => {
    expect(compile(ingress('{}')).configuration?.denial).toEqual({ status: 403, body: 'Access denied\r\n' })
  })
})

describe('HTTP', () => {
  const when = (rule: string) => compile(ingress(http(`[${rule}]`))).rules?.[0]?.when

  test("paths are compared as Cilium's listener would leave them: the mesh's must do the same", () => {
    const text = ingress(`${http('[{method: GET}, {path: "/a/.*"}]')}, ${http('[{path: /b}]')}`)
    expect(compile(text).messages).toEqual([
      expect.stringContaining('info MS1407 spec.ingress[0].toPorts[0].rules.http[1]: '),
    ])
    const mesh = { ...defaultMeshConfig, pathNormalization: { normalization: 'DECODE_AND_MERGE_SLASHES' as const } }
    expect(compileTexts([text], { mesh }).messages).toEqual([])
    expect(compile(ingress(http('[{method: GET, host: a}]'))).messages).toEqual([])
  })
  const to = [{ ports: [80] }]

  test.each([
    ['{path: /public}', [{ header: ':path', values: [{ exact: '/public' }] }]],
    ['{path: "/public$"}', [{ header: ':path', values: [{ exact: '/public' }] }]],
    ['{path: "/a/.*"}', [{ header: ':path', values: [{ prefix: '/a/' }] }]],
    ['{path: "/a/[0-9]+"}', [{ header: ':path', values: [{ regex: '/a/[0-9]+' }] }]],
    ['{path: "/a|/b"}', [{ header: ':path', values: [{ exact: '/a' }, { exact: '/b' }] }]],
    ['{path: "/a|/b.c"}', [{ header: ':path', values: [{ regex: '/a|/b.c' }] }]],
    ['{path: ".*"}', undefined],
    ['{path: ""}', undefined],
    ['{host: "a\\\\.b(:80)?"}', [{ header: ':authority', values: [{ regex: 'a\\.b(:80)?' }] }]],
    ['{headers: ["X-My: a b"]}', [{ header: 'x-my', joined: true, values: [{ exact: 'a b' }] }]],
    ['{headers: [X-My]}', [{ header: 'x-my', values: [{ present: true }] }]],
    ['{headers: ["Host: a"]}', [{ header: ':authority', joined: true, values: [{ exact: 'a' }] }]],
    ['{headerMatches: [{name: X, value: v}]}', [{ header: 'x', joined: true, values: [{ exact: 'v' }] }]],
    ['{headerMatches: [{name: X}]}', [{ header: 'x', values: [{ present: true }] }]],
  ])('%s', (rule, expected) => expect(when(rule)).toEqual(expected))

  test('methods', () => {
    const methods = (text: string) => compile(ingress(http(`[{method: "${text}"}]`))).rules?.[0]?.to
    expect(methods('GET|PUT')).toEqual([{ methods: [{ exact: 'GET' }, { exact: 'PUT' }], ports: [80] }])
    expect(methods('P.*')).toEqual([{ methods: [{ prefix: 'P' }], ports: [80] }])
    expect(methods('(?i)get')).toEqual([{ methods: [{ regex: '(?i)get' }], ports: [80] }])
  })

  test('an empty rule allows all, and so does an empty list', () => {
    expect(compile(ingress(http('[{}]'))).rules).toEqual([{ to }])
    expect(compile(ingress(http('[]'))).rules).toEqual([{ to }])
  })

  test('a rule without HTTP on the same port allows what HTTP rules leave out', () => {
    const open = '{toPorts: [{ports: [{port: "80", protocol: TCP}]}]}'
    expect(compile(ingress(`${http('[{method: GET}]')}, ${open}`)).rules).toEqual([
      { to: [{ methods: [{ exact: 'GET' }], ports: [80] }] },
      { to },
    ])
  })

  test('keys in any case, with a warning', () => {
    const { rules, messages } = compile(ingress(http('[{Method: GET}]').replace('http:', 'HTTP:')))
    expect(rules).toEqual([{ to: [{ methods: [{ exact: 'GET' }], ports: [80] }] }])
    expect(messages).toEqual([
      'warning MS1108 spec.ingress[0].toPorts[0].rules.HTTP: "HTTP" is read as "http"',
      'warning MS1108 spec.ingress[0].toPorts[0].rules.http[0].Method: "Method" is read as "method"',
    ])
  })

  test.each([
    ['X-Token:42', 'write "X-Token: 42"'],
    ['X-Token:', 'write "X-Token"'],
    ['X:  42', 'write "X: 42"'],
  ])('the header %j never matches, and a rule that never matches is none', (header, hint) => {
    const { rules, messages, hints } = compile(ingress(http(`[{headers: ["${header}"]}]`)))
    expect(rules).toEqual([])
    expect(messages).toEqual([
      expect.stringContaining('warning MS1401 spec.ingress[0].toPorts[0].rules.http[0].headers[0]'),
    ])
    expect(hints).toEqual([hint])
  })

  test.each([
    [
      '[{path: "("}]',
      'error MS1222 spec.ingress[0].toPorts[0].rules.http[0].path: "(" is not a valid regular expression',
    ],
    ['[{headers: "a"}]', 'error MS1102 spec.ingress[0].toPorts[0].rules.http[0].headers: expected a list'],
    [
      '[{headerMatches: [{name: x, mismatch: SKIP}]}]',
      'error MS1104 spec.ingress[0].toPorts[0].rules.http[0].headerMatches[0].mismatch',
    ],
    ['[{paths: "/"}]', 'error MS1101 spec.ingress[0].toPorts[0].rules.http[0].paths: unknown field "paths"'],
    [
      '[{headerMatches: [{name: "a b"}]}]',
      'error MS1106 spec.ingress[0].toPorts[0].rules.http[0].headerMatches[0].name: "a b" is not the name',
    ],
  ])('%s', (rules, message) => {
    expect(compile(ingress(http(rules))).messages[0]).toContain(message)
  })
})

describe('header actions', () => {
  const actions = (matches: string) => compile(ingress(http(`[{headerMatches: ${matches}}]`)))

  test('they are kept in their order', () => {
    const list =
      '[{name: A, value: "1", mismatch: LOG}, {name: B, value: "2", mismatch: ADD}, {name: C, mismatch: DELETE}, {name: D, value: x, mismatch: REPLACE}]'
    expect(actions(list).rules?.[0]?.headerActions).toEqual([
      { header: 'a', value: '1', onMismatch: 'LOG' },
      { header: 'b', value: '2', onMismatch: 'ADD' },
      { header: 'c', onMismatch: 'DELETE' },
      { header: 'd', value: 'x', onMismatch: 'REPLACE' },
    ])
  })

  test('where their outcome depends on the order of rules they are refused', () => {
    const replace = '{headerMatches: [{name: A, value: "1", mismatch: REPLACE}]}'
    const refusal = 'what becomes of a depends on the order of this rule and of that at 0.yaml:5'
    for (const other of ['{headers: ["A: 1"]}', '{headerMatches: [{name: A, value: "2", mismatch: ADD}]}']) {
      expect(compile(ingress(http(`[${replace}, ${other}]`))).messages[0]).toContain(refusal)
    }
    for (const other of ['{headers: ["B: 1"]}', '{headerMatches: [{name: A, value: "2", mismatch: LOG}]}', replace]) {
      expect(compile(ingress(http(`[${replace}, ${other}]`))).messages).toEqual([])
    }
  })

  test('pseudo-headers are not changed', () => {
    expect(actions('[{name: ":path", value: x, mismatch: REPLACE}]').messages).toEqual([
      'error MS1301 spec.ingress[0].toPorts[0].rules.http[0].headerMatches[0].mismatch: the filter does not change :path',
    ])
  })

  describe('secrets', () => {
    const secret = (data: Record<string, string>) =>
      JSON.stringify({ apiVersion: 'v1', kind: 'Secret', metadata: { name: 's', namespace: 'keys' }, data })
    const match = (more: string) =>
      ingress(http(`[{headerMatches: [{name: X, secret: {namespace: keys, name: s}${more}}]}]`))
    const value = (exact: string) => [{ header: 'x', joined: true, values: [{ exact }] }]

    test('the value comes from the input', () => {
      const { rules, messages } = compile(match(''), secret({ key: 'c2VjcmV0' }))
      expect(rules?.[0]?.when).toEqual(value('secret'))
      expect(messages.join()).toContain('the value of Secret keys/s becomes a part of the configuration')
      expect(messages.join()).not.toContain('c2VjcmV0')
    })
    test('without it, or with several, the rule never matches', () => {
      for (const texts of [[match('')], [match(''), secret({ a: 'YQ==', b: 'Yg==' })]]) {
        const { rules, messages } = compile(...texts)
        expect(rules).toEqual([])
        expect(messages).toEqual([
          expect.stringMatching(/^warning MS1421 .*secret: Secret keys\/s .*: the rule never matches/),
        ])
      }
    })
    test('unless there is a value beside it', () => {
      expect(compile(match(', value: v')).rules?.[0]?.when).toEqual(value('v'))
    })
    test('a rule that never matches cannot change headers', () => {
      expect(compile(match(', mismatch: ADD')).messages).toEqual([expect.stringContaining('warning MS1421')])
      const both = match('').replace('[{name: X', '[{name: A, value: b, mismatch: ADD}, {name: X')
      expect(compile(both).messages.join()).toContain('error MS1301')
    })
  })
})

describe('ports', () => {
  const ports = (list: string, rest = '') => compile(ingress(`{toPorts: [{ports: ${list}${rest}}]}`))

  test.each([
    ['[{port: "80"}]', [{ to: [{ ports: [80] }] }]],
    ['[{port: "80", protocol: ANY}, {port: "81", protocol: TCP}]', [{ to: [{ ports: [80, 81] }] }]],
    ['[{port: "80", endPort: 90}]', [{ to: [{ ports: [{ from: 80, to: 90 }] }] }]],
    ['[{port: "80", endPort: 80}]', [{ to: [{ ports: [80] }] }]],
    ['[{port: "0"}]', [{}]],
    ['[{port: "53", protocol: UDP}]', []],
    ['[{port: "53", protocol: UDP}, {port: "80", protocol: TCP}]', [{ to: [{ ports: [80] }] }]],
  ])('%s', (list, expected) => expect(ports(list).rules).toEqual(expected))

  test('names are those of the containers of the workload', () => {
    expect(compile(ingress('{toPorts: [{ports: [{port: WEB}]}]}'), pod('x', { app: 'app' })).rules).toEqual([
      { to: [{ ports: [8080] }] },
    ])
    expect(ports('[{port: web}]').messages).toEqual([
      'error MS1321 spec.ingress[0].toPorts[0].ports[0].port: no container of the input has a port that is called "web"',
    ])
  })

  test('names of the TLS server', () => {
    expect(ports('[{port: "443"}]', ', serverNames: [A.b, "*.c", "**.d"]').rules).toEqual([
      {
        to: [{ ports: [443] }],
        when: [
          {
            attribute: 'connection.sni',
            values: [{ exact: 'a.b' }, { regex: '[-a-z0-9_]*\\.c' }, { regex: '[-a-z0-9_]+([.][-a-z0-9_]+)*\\.d' }],
          },
        ],
      },
    ])
  })

  test.each([
    [
      '[{port: "80"}], rules: {http: []}',
      'MS1204 spec.ingress[0].toPorts[0].ports[0].protocol: rules apply to TCP only, not to ANY',
    ],
    [
      '[{port: "0", protocol: TCP}], rules: {http: [{}]}',
      'MS1106 spec.ingress[0].toPorts[0].ports[0].port: rules need a port other than 0',
    ],
    [
      '[{port: "80", protocol: TCP}], rules: {http: [], kafka: []}',
      'MS1204 spec.ingress[0].toPorts[0].rules: rules of http and kafka cannot be mixed',
    ],
    [
      '[{port: "80", protocol: TCP}], rules: {dns: [{matchPattern: "*"}]}',
      'MS1204 spec.ingress[0].toPorts[0].rules.dns: DNS rules are not allowed on ingress',
    ],
    ['[{port: 80}]', 'MS1102 spec.ingress[0].toPorts[0].ports[0].port: expected a string, got the number 80'],
    ['[{port: "70000"}]', 'MS1106 spec.ingress[0].toPorts[0].ports[0].port: 70000 is not a port'],
    ['[{port: "010"}]', 'MS1106 spec.ingress[0].toPorts[0].ports[0].port: "010" is read as an octal number'],
    [
      '[{port: "80"}], terminatingTLS: {secret: {name: s}}',
      'MS1301 spec.ingress[0].toPorts[0].terminatingTLS: the filter cannot enforce terminatingTLS',
    ],
  ])('%s', (list, message) => expect(ports(list).messages).toContainEqual(expect.stringContaining(`error ${message}`)))

  test('rules of other protocols allow no HTTP request, and do not meet with HTTP on one port', () => {
    const kafka = '{toPorts: [{ports: [{port: "80", protocol: TCP}], rules: {kafka: [{topic: a}]}}]}'
    expect(compile(ingress(kafka)).rules).toEqual([])
    expect(compile(ingress(`${kafka}, ${http('[{}]')}`)).messages).toContain(
      'error MS1204 spec.ingress[1].toPorts[0].rules: port 80 has rules of kafka and of http',
    )
  })
})

describe('callers', () => {
  const from = (entry: string, ...texts: string[]) => {
    const { rules, messages } = compile(ingress(entry), ...texts)
    return rules ? rules.map((rule) => rule.from) : messages
  }
  const endpoints = (selector: string, ...texts: string[]) => from(`{fromEndpoints: [${selector}]}`, ...texts)
  const principals = (...list: object[]) => [[{ principals: list }]]

  test.each([
    ['{}', principals({ regex: '.*/ns/shop/.*' })],
    ['{matchLabels: {"k8s:io.kubernetes.pod.namespace": front}}', principals({ regex: '.*/ns/front/.*' })],
    [
      '{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: In, values: [a, b]}]}',
      principals({ regex: '.*/ns/a/.*' }, { regex: '.*/ns/b/.*' }),
    ],
    [
      '{matchLabels: {io.kubernetes.pod.namespace: a, io.cilium.k8s.policy.serviceaccount: web}}',
      principals({ exact: 'cluster.local/ns/a/sa/web' }),
    ],
    [
      '{matchLabels: {io.cilium.k8s.policy.serviceaccount: web}}',
      principals({ exact: 'cluster.local/ns/shop/sa/web' }),
    ],
    [
      '{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: Exists}]}',
      principals({ prefix: 'cluster.local/ns/' }),
    ],
    [
      '{matchLabels: {io.cilium.k8s.namespace.labels.kubernetes.io/metadata.name: a}}',
      principals({ regex: '.*/ns/a/.*' }),
    ],
    [
      '{matchExpressions: [{key: io.cilium.k8s.policy.cluster, operator: Exists}]}',
      principals({ regex: '.*/ns/shop/.*' }),
    ],
  ])('%s', (selector, expected) => expect(endpoints(selector)).toEqual(expected))

  test('{} of a cluster-wide policy is every pod', () => {
    const { rules } = compile(clusterwide('{endpointSelector: {}, ingress: [{fromEndpoints: [{}]}]}'))
    expect(rules?.[0]?.from).toEqual([{ principals: [{ prefix: 'cluster.local/ns/' }] }])
  })

  test('by labels of namespaces', () => {
    const selector = '{matchLabels: {io.cilium.k8s.namespace.labels.team: x}}'
    const found = endpoints(selector, namespace('a', { team: 'x' }), namespace('b', {}), namespace('c', { team: 'x' }))
    expect(found).toEqual(principals({ regex: '.*/ns/a/.*' }, { regex: '.*/ns/c/.*' }))
    expect(endpoints(selector)).toEqual([expect.stringContaining('error MS1321 spec.ingress[0].fromEndpoints[0]')])
  })

  describe('by other labels', () => {
    const role = '{matchLabels: {role: a}}'

    test('without pods it is not known who is meant', () => {
      expect(endpoints(role)).toEqual([
        'error MS1321 spec.ingress[0].fromEndpoints[0]: a caller does not show its labels, and the input holds no pods to tell who has them',
      ])
    })
    test('the account, where all its pods have them', () => {
      const others = [pod('b', { role: 'b' }), pod('c', { role: 'a' }, { namespace: 'other' })]
      expect(endpoints(role, pod('a', { role: 'a' }), ...others)).toEqual(
        principals({ exact: 'cluster.local/ns/shop/sa/a' }),
      )
    })
    test('the addresses, where other pods have the same account', () => {
      const account = 'default'
      const pods = [
        pod('a', { role: 'a' }, { account, ip: '10.0.0.1' }),
        pod('a2', { role: 'a' }, { account, ip: 'fd00::1' }),
        pod('b', { role: 'b' }, { account, ip: '10.0.0.2' }),
      ]
      expect(endpoints(role, ...pods)).toEqual([[{ ipBlocks: ['10.0.0.1/32', 'fd00::1/128'] }]])
    })
    test('it is refused where neither tells them apart', () => {
      const pods = [pod('a', { role: 'a' }, { account: 'x' }), pod('b', { role: 'b' }, { account: 'x' })]
      expect(endpoints(role, ...pods)).toEqual([
        expect.stringMatching(/^error MS1321 .* Pod shop\/a shares the service account x/),
      ])
    })
    test('nobody has them: nobody is allowed', () => {
      expect(endpoints(role, pod('b', { role: 'b' }))).toEqual([])
    })
  })

  test('blocks leave out pods, which Cilium never takes for a part of one', () => {
    const pods = [pod('a', {}, { ip: '10.1.2.3' }), pod('b', {}, { ip: '192.168.0.1' })]
    const notPrincipals = [{ prefix: 'cluster.local/ns/' }]
    expect(from('{fromCIDR: ["10.0.0.0/8", "1.2.3.4"]}', ...pods)).toEqual([
      [
        { ipBlocks: ['10.0.0.0/8'], notIpBlocks: ['10.1.2.3/32'], notPrincipals },
        { ipBlocks: ['1.2.3.4/32'], notPrincipals },
      ],
    ])
    expect(from('{fromCIDRSet: [{cidr: "10.0.0.0/8", except: ["10.9.0.0/16"]}]}')).toEqual([
      [{ ipBlocks: ['10.0.0.0/8'], notIpBlocks: ['10.9.0.0/16'], notPrincipals }],
    ])
    expect(from('{fromCIDR: ["0.0.0.0/0"]}')).toContain(
      'error MS1321 spec.ingress[0].fromCIDR[0]: 0.0.0.0/0 means all outside of the cluster, and what is inside is not known',
    )
  })

  test('entities', () => {
    expect(from('{fromEntities: [cluster, all]}')).toEqual([undefined])
    expect(from('{fromEntities: [cluster]}')).toEqual(principals({ prefix: 'cluster.local/ns/' }))
    expect(from('{fromEntities: [world]}')).toContainEqual(expect.stringContaining('error MS1321'))
    const notIpBlocks = ['10.0.0.1/32']
    const notPrincipals = [{ prefix: 'cluster.local/ns/' }]
    expect(from('{fromEntities: [world]}', pod('a', {}, { ip: '10.0.0.1' }))).toEqual([
      [
        { ipBlocks: ['0.0.0.0/0'], notIpBlocks, notPrincipals },
        { ipBlocks: ['::/0'], notPrincipals },
      ],
    ])
    for (const entity of ['host', 'remote-node', 'kube-apiserver', 'health', 'init', 'unmanaged', 'ingress']) {
      expect(from(`{fromEntities: [${entity}]}`)).toEqual([
        `error MS1301 spec.ingress[0].fromEntities[0]: the filter cannot tell whether a caller is of the entity ${entity}`,
      ])
    }
  })

  test('authentication asks for a certificate', () => {
    const required = 'authentication: {mode: required}'
    expect(from(`{fromEntities: [all], ${required}}`)).toEqual(principals({ present: true }))
    expect(from(`{fromEndpoints: [{}], ${required}}`)).toEqual(principals({ regex: '.*/ns/shop/.*' }))
    const twice = `{fromEntities: [all], ${required}, toPorts: [{ports: [{port: "80"}]}]}, {fromEntities: [all]}`
    expect(from(twice)).toEqual([[{ principals: [{ present: true }] }], [{ principals: [{ present: true }] }]])
    expect(from('{fromEntities: [all], authentication: {mode: disabled}}')).toEqual([undefined])
    expect(from('{fromEntities: [all], authentication: {mode: test-always-fail}}')).toEqual([])
  })

  test.each(['fromRequires: [{}]', 'fromGroups: [{}]', 'fromNodes: [{}]'])('%s is refused', (field) => {
    expect(from(`{${field}, toPorts: [{ports: [{port: "80"}]}]}`)).toEqual([expect.stringContaining('error MS1301')])
  })

  test.each(['reserved:host', 'cidr:10.0.0.0/8'])('the label %s is refused', (key) => {
    expect(endpoints(`{matchLabels: {"${key}": ""}}`)).toEqual([expect.stringContaining('error MS1301')])
  })

  test.each([
    ['{cidr: "10.0.0.1"}', 'MS1106 spec.ingress[0].fromCIDRSet[0].cidr: 10.0.0.1 has no length'],
    [
      '{cidr: "10.0.0.0/8", except: ["10.0.0.1"]}',
      'MS1106 spec.ingress[0].fromCIDRSet[0].except[0]: 10.0.0.1 has no length',
    ],
    [
      '{cidr: "10.0.0.0/8", except: ["11.0.0.0/16"]}',
      'MS1106 spec.ingress[0].fromCIDRSet[0].except[0]: 11.0.0.0/16 is not a part of 10.0.0.0/8',
    ],
    [
      '{cidr: "10.0.0.0/8", cidrGroupRef: g}',
      'MS1204 spec.ingress[0].fromCIDRSet[0].cidrGroupRef: cidr and cidrGroupRef cannot be combined',
    ],
    ['{except: ["10.0.0.0/8"]}', 'MS1103 spec.ingress[0].fromCIDRSet[0].cidr: "cidr" is missing'],
  ])('the set %s', (set, message) => expect(from(`{fromCIDRSet: [${set}]}`)).toEqual([`error ${message}`]))

  test('two fields for peers are two entries', () => {
    expect(from('{fromEndpoints: [{}], fromCIDR: ["10.0.0.0/8"]}')).toEqual([
      'error MS1204 spec.ingress[0].fromCIDR: fromEndpoints and fromCIDR cannot be combined',
    ])
  })
})

describe('denials', () => {
  const deny = (entry: string, ...texts: string[]) => {
    const { configuration, messages } = compile(policy(`{endpointSelector: {}, ingressDeny: [${entry}]}`), ...texts)
    return configuration ? configuration.policies[0] : messages
  }

  test('a caller that does not show who it is is refused as well', () => {
    expect(deny('{fromEndpoints: [{}]}')).toEqual({
      name: 'ns[shop]-cnp[p]-deny',
      action: 'DENY',
      rules: [{ from: [{ principals: [{ regex: '.*/ns/shop/.*' }] }, { notPrincipals: [{ present: true }] }] }],
    })
  })
  test('blocks refuse also callers with an identity', () => {
    expect(deny('{fromCIDR: ["10.0.0.0/8"]}')).toMatchObject({ rules: [{ from: [{ ipBlocks: ['10.0.0.0/8'] }] }] })
  })
  test('labels that no known pod has are not passed over', () => {
    expect(deny('{fromEndpoints: [{matchLabels: {a: b}}]}', pod('x', {}))).toEqual([
      'error MS1321 spec.ingressDeny[0].fromEndpoints[0]: no pod of the input has these labels: whom to refuse is not known',
    ])
    const others = '{matchExpressions: [{key: io.kubernetes.pod.namespace, operator: NotIn, values: [a]}]}'
    expect(deny(`{fromEndpoints: [${others}]}`, namespace('b', {}))).toEqual([
      expect.stringContaining('error MS1301 spec.ingressDeny[0].fromEndpoints[0]: which namespaces'),
    ])
    expect(deny('{fromEntities: [cluster]}')).toEqual([expect.stringContaining('error MS1301')])
  })
  test('they have no rules for HTTP', () => {
    expect(deny('{toPorts: [{ports: [{port: "80"}], rules: {http: [{}]}}]}')).toEqual([
      'error MS1101 spec.ingressDeny[0].toPorts[0].rules: unknown field "rules"',
    ])
  })
})

describe('outbound', () => {
  const egress = (entry: string, ...texts: string[]) => {
    const { rules, messages } = outbound(policy(`{endpointSelector: {}, egress: [${entry}]}`), ...texts)
    return rules ?? messages
  }
  const service = (name: string, selector: object, port: number, targetPort: number | string) =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'shop', labels: { s: name } },
      spec: { selector, clusterIP: '10.96.0.1', ports: [{ port, targetPort }] },
    })
  const address = (...values: string[]) => ({ attribute: 'destination.ip', values })

  test('names are compared with the host of the request', () => {
    const { rules, messages } = outbound(
      policy(
        '{endpointSelector: {}, egress: [{toFQDNs: [{matchName: One.example.}, {matchPattern: "*.b.c"}, {matchPattern: "**.d"}]}]}',
      ),
    )
    expect(rules).toEqual([
      {
        to: [
          {
            hosts: [
              { regex: '(?i)(?:one\\.example)\\.?(?::[0-9]+)?' },
              { regex: '(?i)(?:[-a-z0-9_]*\\.b\\.c)\\.?(?::[0-9]+)?' },
              { regex: '(?i)(?:[-a-z0-9_]+(?:[.][-a-z0-9_]+)*[.]d)\\.?(?::[0-9]+)?' },
            ],
          },
        ],
      },
    ])
    expect(messages).toEqual([expect.stringContaining('warning MS1422 spec.egress[0].toFQDNs')])
  })

  test('blocks are compared with the address of the destination', () => {
    expect(egress('{toCIDR: ["10.0.0.0/8"], toPorts: [{ports: [{port: "80"}]}]}')).toEqual([
      { to: [{ ports: [80] }], when: [address('10.0.0.0/8')] },
    ])
    expect(egress('{toCIDRSet: [{cidr: "10.0.0.0/8", except: ["10.1.0.0/16"]}, {cidr: "11.0.0.0/8"}]}')).toEqual([
      { when: [{ ...address('10.0.0.0/8'), notValues: ['10.1.0.0/16'] }] },
      { when: [address('11.0.0.0/8')] },
    ])
  })

  test('pods by their addresses, and by those of services that lead to them alone', () => {
    const to =
      '{toEndpoints: [{matchLabels: {role: a}}], toPorts: [{ports: [{port: "8080", protocol: TCP}], rules: {http: [{method: GET}]}}]}'
    const a = pod('a', { role: 'a' }, { ip: '10.0.0.1' })
    const methods = [{ exact: 'GET' }]
    for (const target of [8080, 'web']) {
      expect(egress(to, a, service('s', { role: 'a' }, 80, target))).toEqual([
        { to: [{ methods, ports: [8080] }], when: [address('10.0.0.1/32')] },
        { to: [{ methods, ports: [80] }], when: [address('10.96.0.1/32')] },
      ])
    }
    const mixed = [a, pod('b', { role: 'b' }, { ip: '10.0.0.2' }), service('s', {}, 80, 8080)]
    expect(egress(to, ...mixed)).toEqual([{ to: [{ methods, ports: [8080] }], when: [address('10.0.0.1/32')] }])
    expect(egress(to)).toEqual([expect.stringContaining('error MS1321 spec.egress[0].toEndpoints: no pod')])
    expect(egress(to, pod('a', { role: 'a' }))).toEqual([
      expect.stringContaining('the addresses of the pods of Pod shop/a'),
    ])
  })

  test('services', () => {
    const pods = [pod('a', { role: 'a' }, { ip: '10.0.0.1' }), service('s', { role: 'a' }, 80, 8080)]
    const rules = [{ when: [address('10.96.0.1/32')] }, { when: [address('10.0.0.1/32')] }]
    expect(egress('{toServices: [{k8sService: {serviceName: s}}]}', ...pods)).toEqual(rules)
    expect(egress('{toServices: [{k8sServiceSelector: {selector: {matchLabels: {s: s}}}}]}', ...pods)).toEqual(rules)
    expect(egress('{toServices: [{k8sService: {serviceName: t}}]}', ...pods)).toEqual([
      expect.stringContaining('error MS1321'),
    ])
  })

  test('DNS says nothing of HTTP, and its destinations need not be known', () => {
    const dns =
      '{toEndpoints: [{matchLabels: {k8s-app: kube-dns}}], toPorts: [{ports: [{port: "53", protocol: ANY}], rules: {dns: [{matchPattern: "*"}]}}]}'
    expect(egress(dns)).toEqual([])
  })

  test.each([
    'toEntities: [cluster]',
    'toEntities: [host]',
    'toGroups: [{}]',
    'authentication: {mode: required}, toEntities: [all]',
  ])('%s is refused', (field) => expect(egress(`{${field}}`)).toContainEqual(expect.stringContaining('error MS1301')))
})

test('policies of two families for one workload are refused', () => {
  const istio = `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p, namespace: shop}
spec: {}`
  expect(compile(istio, ingress('{}')).messages).toEqual([
    'error MS1304 metadata.name: policies of Istio and of Cilium both apply to shop/app',
  ])
})

test('a decision is traced to the HTTP rule', () => {
  const text = ingress(http('[\n {method: GET},\n {method: PUT}]'))
  expect(compile(text).places).toEqual(['ns[shop]-cnp[p]-rule[0] 0.yaml:6', 'ns[shop]-cnp[p]-rule[1] 0.yaml:7'])
})

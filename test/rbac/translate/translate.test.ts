import { describe, expect, it } from 'vitest'
import type { AuthorizationPolicy, Rule, TrustDomains } from '../policy.ts'
import { translate } from './index.ts'
import { translateRule } from './rule.ts'
import { withAliases } from './trust-domains.ts'

const context = { namespace: 'foo', trustDomains: ['cluster.local'] as TrustDomains }
const rule = (each: Rule, trustDomains: TrustDomains = ['cluster.local']) =>
  translateRule(each, { ...context, trustDomains }) as { permissions: unknown[]; principals: unknown[] }
const principal = (each: Rule, trustDomains?: TrustDomains) =>
  (rule(each, trustDomains).principals as { andIds: { ids: unknown[] } }[]).map(({ andIds }) => andIds.ids)
const permission = (each: Rule) =>
  (rule(each).permissions as { andRules: { rules: unknown[] } }[]).map(({ andRules }) => andRules.rules)
const authenticated = (matcher: object) => ({ authenticated: { principalName: matcher } })
const claim = (name: string, matcher: object) => ({
  metadata: {
    filter: 'envoy.filters.http.jwt_authn',
    path: [{ key: 'payload' }, { key: name }],
    value: { stringMatch: matcher },
  },
})

describe('a rule', () => {
  it('without parts matches everything', () => {
    expect(rule({})).toEqual({
      permissions: [{ andRules: { rules: [{ any: true }] } }],
      principals: [{ andIds: { ids: [{ any: true }] } }],
    })
  })

  it('has conditions beside every source and operation', () => {
    const when = [
      { key: 'request.headers[x-a]', values: ['1'] },
      { key: 'destination.port', notValues: ['80'] },
    ]
    const from = [{ source: { ipBlocks: ['10.0.0.1'] } }, { source: { remoteIpBlocks: ['::1', '10.0.0.0/8'] } }]
    const header = { orIds: { ids: [{ header: { name: 'x-a', stringMatch: { exact: '1' } } }] } }
    expect(principal({ from, when })).toEqual([
      [{ orIds: { ids: [{ directRemoteIp: { addressPrefix: '10.0.0.1', prefixLen: 32 } }] } }, header],
      [
        {
          orIds: {
            ids: [
              { remoteIp: { addressPrefix: '::1', prefixLen: 128 } },
              { remoteIp: { addressPrefix: '10.0.0.0', prefixLen: 8 } },
            ],
          },
        },
        header,
      ],
    ])
    expect(permission({ from, when })).toEqual([[{ notRule: { orRules: { rules: [{ destinationPort: 80 }] } } }]])
  })

  it('refuses a key that does not exist', () => {
    expect(() => rule({ when: [{ key: 'destination.user', values: ['a'] }] })).toThrow('unknown key destination.user')
  })
})

describe('principals', () => {
  it.each([
    ['*', { safeRegex: { regex: '.+' } }],
    ['*/sa/a.b', { safeRegex: { regex: String.raw`spiffe://.*/sa/a\.b` } }],
    ['td/ns/*', { prefix: 'spiffe://td/ns/' }],
    ['td/*/x', { exact: 'spiffe://td/*/x' }],
  ])('%s', (value, matcher) => {
    const [[ids]] = principal({ from: [{ source: { principals: [value] } }] }) as [[unknown]]
    expect(ids).toEqual({ orIds: { ids: [authenticated(matcher)] } })
  })

  it.each([
    ['namespaces', 'f*(o)', String.raw`.*/ns/f.*\(o\)/.*`],
    ['serviceAccounts', 'a.b', String.raw`spiffe://.+/ns/foo/(.+/|)sa/a\.b(/.+)?`],
    ['serviceAccounts', 'bar/a', 'spiffe://.+/ns/bar/(.+/|)sa/a(/.+)?'],
    ['trustDomains', '*.local', String.raw`spiffe://[^/]*\.local/.*`],
  ] as const)('%s: %s', (field, value, regex) => {
    const [[id]] = principal({ from: [{ source: { [field]: [value] } }] }) as [[unknown]]
    expect(id).toEqual({ orIds: { ids: [authenticated({ safeRegex: { regex } })] } })
  })

  it('are negated as a whole', () => {
    const [[id]] = principal({ from: [{ source: { notPrincipals: ['a', 'b'] } }] }) as [[unknown]]
    const ids = [authenticated({ exact: 'spiffe://a' }), authenticated({ exact: 'spiffe://b' })]
    expect(id).toEqual({ notId: { orIds: { ids } } })
  })

  it('of the mesh are of all of its trust domains', () => {
    const [[id]] = principal({ when: [{ key: 'source.principal', values: ['cluster.local/ns/a/sa/b'] }] }, [
      'td1',
      'old',
    ]) as [[unknown]]
    const exact = (domain: string) => authenticated({ exact: `spiffe://${domain}/ns/a/sa/b` })
    expect(id).toEqual({ orIds: { ids: [exact('td1'), exact('old')] } })
  })
})

it('trust domains', () => {
  const domains: TrustDomains = ['td1', 'old-td', 'x']
  expect(withAliases(['*/ns/a/sa/b', 'third/ns/a/sa/b', 'old-td/short'], domains)).toEqual([
    '*/ns/a/sa/b',
    'third/ns/a/sa/b',
    'old-td/short',
  ])
  // A star stands for those of the mesh's domains that it matches, and is replaced by the others.
  expect(withAliases(['*-td/ns/a/sa/b'], domains)).toEqual(['td1/ns/a/sa/b', '*-td/ns/a/sa/b', 'x/ns/a/sa/b'])
})

describe('request principals', () => {
  it.each([
    ['*', { safeRegex: { regex: '.+' } }, { safeRegex: { regex: '.+' } }],
    ['https://i/s', { exact: 'https://i' }, { exact: 's' }],
    ['*/s', { safeRegex: { regex: '.+' } }, { exact: 's' }],
    ['*i/s', { suffix: 'i' }, { exact: 's' }],
    ['*s', { safeRegex: { regex: '.+' } }, { suffix: 's' }],
    ['i/*', { exact: 'i' }, { safeRegex: { regex: '.+' } }],
    ['i/s*', { exact: 'i' }, { prefix: 's' }],
    ['i*', { prefix: 'i' }, { safeRegex: { regex: '.+' } }],
    ['i', { exact: 'i' }, { exact: '' }],
  ])('%s', (value, issuer, subject) => {
    const [[id]] = principal({ from: [{ source: { requestPrincipals: [value] } }] }) as [[unknown]]
    expect(id).toEqual({ andIds: { ids: [claim('iss', issuer), claim('sub', subject)] } })
  })
})

describe('operations', () => {
  it('hosts do not mind case', () => {
    const [[id]] = permission({ to: [{ operation: { hosts: ['*.com'] } }] }) as [[unknown]]
    const header = { name: ':authority', stringMatch: { suffix: '.com', ignoreCase: true } }
    expect(id).toEqual({ orRules: { rules: [{ header }] } })
  })

  it('paths are texts or templates', () => {
    const [[id]] = permission({ to: [{ operation: { paths: ['/a*', '*', '/{*}/x/{**}'] } }] }) as [[unknown]]
    expect(id).toMatchObject({
      orRules: {
        rules: [
          { urlPath: { path: { prefix: '/a' } } },
          { urlPath: { path: { safeRegex: { regex: '.+' } } } },
          { uriTemplate: { typedConfig: { pathTemplate: '/*/x/**' } } },
        ],
      },
    })
  })
})

it('claims are texts or lists, at any depth', () => {
  const [[id]] = principal({ when: [{ key: 'request.auth.claims[a][b]', values: ['x', 'y*'] }] }) as [[unknown]]
  const value = { orMatch: { valueMatchers: [{ stringMatch: { exact: 'x' } }, { stringMatch: { prefix: 'y' } }] } }
  expect(id).toEqual({
    metadata: {
      filter: 'envoy.filters.http.jwt_authn',
      path: [{ key: 'payload' }, { key: 'a' }, { key: 'b' }],
      value: { orMatch: { valueMatchers: [{ listMatch: { oneOf: value } }, value] } },
    },
  })
})

it('metadata is a text, or in brackets one of a list', () => {
  const when = [{ key: 'experimental.envoy.filters.a.b[c]', values: ['x', '[y*]'] }]
  expect(permission({ when })).toEqual([
    [
      {
        metadata: {
          filter: 'envoy.filters.a.b',
          path: [{ key: 'c' }],
          value: {
            orMatch: {
              valueMatchers: [
                { stringMatch: { exact: 'x' } },
                { listMatch: { oneOf: { stringMatch: { prefix: 'y' } } } },
              ],
            },
          },
        },
      },
    ],
  ])
})

describe('stages', () => {
  const policy = (name: string, spec: AuthorizationPolicy['spec'], dryRun?: string): AuthorizationPolicy => ({
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace: 'foo', ...(dryRun && { annotations: { 'istio.io/dry-run': dryRun } }) },
    spec,
  })
  const ids = (set: object | undefined) => set && Object.keys((set as { policies: object }).policies)

  it('each action has its own, dry runs apart', () => {
    const { audit, deny, allow } = translate(
      [
        policy('a', { rules: [{}, {}] }),
        policy('b', { action: 'DENY', rules: [{}] }, 'true'),
        policy('c', { action: 'AUDIT', rules: [{}] }, 'false'),
      ],
      ['cluster.local'],
    )
    expect(ids(allow.rules)).toEqual(['ns[foo]-policy[a]-rule[0]', 'ns[foo]-policy[a]-rule[1]'])
    expect(allow.rules).not.toHaveProperty('action')
    expect(deny).toMatchObject({ shadowRules: { action: 'DENY' } })
    expect(deny.rules).toBeUndefined()
    expect(audit).toMatchObject({ rules: { action: 'LOG' } })
  })

  it('a policy without rules never matches', () => {
    const { allow } = translate([policy('a', {})], ['cluster.local'])
    expect(allow.rules).toEqual({
      policies: {
        'ns[foo]-policy[a]-rule[0]': {
          permissions: [{ notRule: { any: true } }],
          principals: [{ notId: { any: true } }],
        },
      },
    })
  })

  it('CUSTOM with an unknown provider refuses what it matches', () => {
    const custom = (name: string, provider: string) =>
      policy(name, { action: 'CUSTOM', provider: { name: provider }, rules: [{}] })
    const translated = translate([custom('a', 'y'), custom('b', 'x'), custom('c', 'y')], ['cluster.local'])
    const id = (name: string, provider: string) =>
      `istio-ext-authz-${provider}-ns[foo]-policy[${name}]-rule[0]-deny-due-to-bad-CUSTOM-action`
    expect(translated.custom.map(ids)).toEqual([[id('b', 'x')], [id('a', 'y'), id('c', 'y')]])
    expect(translated.custom).toMatchObject([{ action: 'DENY' }, { action: 'DENY' }])
  })
})

/** The filter under configurations written by hand: what compiled ones have no cases of. */
import { createHost, type Host, type HostOptions, type RequestInit } from '@meshscript/sdk/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import filter from '../../filters/authorization/assembly/index.ts?filter'
import { has } from '../matrix/facts.ts'

const PORT_RANGE = { from: 1, to: 65535 }
const CLIENT = 'spiffe://cluster.local/ns/shop/sa/client'
const STATE = ['policy', 'verdict', 'audit', 'dry_run.deny', 'dry_run.allow'].map((name) => `authorization.${name}`)

const header = (name: string, ...values: object[]) => ({ when: [{ header: name, values }] })
const forwarded = (address: string) => ({ headers: { 'x-forwarded-for': address } })

interface Rule {
  from?: object[]
  to?: object[]
  when?: object[]
}

/** A rule, and whether requests match it. */
type Case = [name: string, action: 'ALLOW' | 'DENY', rule: Rule, requests: [RequestInit, boolean][]]

/** Asks one host about all rules: each request names the rule that it is about, and all the others are beside it. */
function decide(cases: readonly Case[], options: HostOptions = {}) {
  let host: Host
  beforeAll(async () => {
    const policies = cases.map(([name, action, rule]) => {
      const when = [{ header: 'x-case', values: [{ exact: name }] }, ...(rule.when ?? [])]
      return { name, action, rules: [{ ...rule, when }] }
    })
    const denied = cases.filter(([, action]) => action === 'DENY').map(([name]) => ({ exact: name }))
    const others = { name: 'others', action: 'ALLOW', rules: denied.length > 0 ? [header('x-case', ...denied)] : [] }
    const configuration = { version: 1, record: 'all', policies: [...policies, others] }
    host = await createHost({ wasm: filter, configuration, filterState: STATE, ...options })
  })
  afterAll(() => host?.close())

  for (const [name, action, , requests] of cases) {
    for (const [init, matches] of requests) {
      test(`${name}, ${action}: ${JSON.stringify(init)} ${matches ? 'matches' : 'does not match'}`, async () => {
        const headers = { ...(init.headers as object), 'x-case': name }
        const { status, filterState } = await host.request({ ...init, headers })
        // Where certificates can't be read, clients whose names matter are refused.
        const isUnread = init.peer !== undefined && !has('peerCertificate')
        const id = matches ? `${name}-rule[0]` : action === 'DENY' ? 'others-rule[0]' : 'none'
        const expected = isUnread ? [403, 'none'] : [matches === (action === 'ALLOW') ? 200 : 403, id]
        expect([status, filterState['authorization.policy']]).toEqual(expected)
      })
    }
  }
}

describe('texts', () => {
  const path = (value: string) => ({ path: value })
  const host = (authority: string) => ({ authority })
  const list = (...values: string[]) => ({ headers: { 'x-list': values } })
  const paths = (...matchers: object[]) => ({ to: [{ paths: matchers }] })

  decide([
    [
      'path regex',
      'ALLOW',
      paths({ regex: '/v[0-9]+/(users|orders)/[^/]*' }),
      [
        [path('/v1/users/eve'), true],
        [path('/v1/orders/?/v1/none/x'), true],
        [path('/v1/users/eve/x'), false],
        [path('/v/users/eve'), false],
        [path('/x/v1/users/eve'), false],
      ],
    ],
    [
      'path regex with an anchor',
      'ALLOW',
      paths({ regex: '^/a$|/b' }),
      [
        [path('/a'), true],
        [path('/b?/a'), true],
        [path('/a/b'), false],
      ],
    ],
    [
      'not a path regex',
      'DENY',
      { to: [{ notPaths: [{ regex: '/(public|static)/.*' }, { template: '/shops/{*}/logo' }] }] },
      [
        [path('/public/a'), false],
        [path('/shops/7/logo?big'), false],
        [path('/shops/7/8/logo'), true],
        [path('/'), true],
      ],
    ],
    [
      'template',
      'ALLOW',
      paths({ template: '/shops/{*}/orders/{**}' }),
      [
        [path('/shops/1/orders/2/3'), true],
        [path('/shops/1/orders/2?x=/y'), true],
        [path('/shops/orders/2'), false],
        [path('/shops//orders/2'), false],
      ],
    ],
    [
      'header regex',
      'ALLOW',
      header('x-list', { regex: '(?i)[a-c]+' }),
      [
        [list('aBc'), true],
        [list('d', 'b'), true],
        [list('a,b'), false],
        [list(''), false],
        [{}, false],
      ],
    ],
    [
      'no header regex',
      'DENY',
      { when: [{ header: 'x-list', notValues: [{ regex: '[a-c]+' }] }] },
      [
        [list('d', 'b'), false],
        [list('d'), true],
        [{}, true],
      ],
    ],
    [
      'joined',
      'ALLOW',
      { when: [{ header: 'x-list', joined: true, values: [{ exact: 'a,b' }, { regex: 'c(,c)+' }] }] },
      [
        [list('a', 'b'), true],
        [list('a,b'), true],
        [list('c', 'c', 'c'), true],
        [list('b', 'a'), false],
        [list('a'), false],
        [{}, false],
      ],
    ],
    [
      'not joined',
      'DENY',
      { when: [{ header: 'x-list', joined: true, notValues: [{ prefix: 'a,' }] }] },
      [
        [list('a', 'b'), false],
        [list('b', 'a'), true],
        [{}, true],
      ],
    ],
    [
      'host',
      'ALLOW',
      { to: [{ hosts: [{ exact: 'Shop.test' }, { regex: '[a-z]+\\.Shop\\.test:8[0-9]' }, { suffix: '.EXAMPLE' }] }] },
      [
        [host('shop.TEST'), true],
        [host('A.shop.test:80'), true],
        [host('x.example'), true],
        [host('shop.test:80'), false],
        [host('a.shop.test'), false],
      ],
    ],
    [
      'not a host',
      'DENY',
      { to: [{ notHosts: [{ exact: 'SHOP.test' }, { prefix: 'API.' }] }] },
      [
        [host('shop.test'), false],
        [host('api.X'), false],
        [host('other'), true],
      ],
    ],
    [
      'method',
      'ALLOW',
      { to: [{ methods: [{ regex: 'P(U|OS)T' }] }] },
      [
        [{ method: 'PUT' }, true],
        [{ method: 'POST' }, true],
        [{ method: 'PATCH' }, false],
      ],
    ],
    [
      'path with the query',
      'ALLOW',
      header(':path', { regex: '/a\\?.*b=1.*' }),
      [
        [path('/a?x&b=1'), true],
        [path('/a'), false],
      ],
    ],
  ])
})

describe('ports and addresses', () => {
  const from = (source: object) => ({ from: [source] })
  const ip = (attribute: string, values: string[], more = {}) => ({ when: [{ attribute, values, ...more }] })
  const unknown = forwarded('10.1.2.3')

  decide([
    ['any port', 'ALLOW', { to: [{ ports: [PORT_RANGE] }] }, [[{}, true]]],
    ['other ports', 'ALLOW', { to: [{ ports: [0, { from: 1, to: 1023 }] }] }, [[{}, false]]],
    ['no port', 'DENY', { to: [{ notPorts: [{ from: 1024, to: 65535 }] }] }, [[{}, false]]],
    ['not other ports', 'DENY', { to: [{ notPorts: [0, 1] }] }, [[{}, true]]],
    [
      'port attribute',
      'ALLOW',
      { when: [{ attribute: 'destination.port', values: [PORT_RANGE], notValues: [1] }] },
      [[{}, true]],
    ],
    ['own address', 'ALLOW', ip('destination.ip', ['127.0.0.0/8'], { notValues: ['127.0.0.2'] }), [[{}, true]]],
    ['another address', 'ALLOW', ip('destination.ip', ['::/0', '128.0.0.0/1']), [[{}, false]]],
    [
      'remote v4 and v6',
      'ALLOW',
      from({ remoteIpBlocks: ['10.0.0.0/8', '2001:DB8::/32', '::ffff:0:0/96'] }),
      [
        [forwarded('10.1.2.3'), true],
        [forwarded('11.1.2.3'), false],
        [forwarded('2001:db8:1::1'), true],
        [forwarded('2001:db9::1'), false],
        [{}, false],
      ],
    ],
    [
      'not remote',
      'DENY',
      from({ notRemoteIpBlocks: ['127.0.0.0/8', '::1'] }),
      [
        [{}, false],
        [forwarded('::1'), false],
        [forwarded('::2'), true],
      ],
    ],
    [
      'direct',
      'ALLOW',
      from({ ipBlocks: ['127.0.0.0/8'] }),
      [
        [{}, true],
        [{ source: '127.3.4.5' }, true],
        [unknown, false],
      ],
    ],
    // Nobody knows whether these hold: they never do where that would let a request pass.
    [
      'not direct',
      'ALLOW',
      from({ notIpBlocks: ['127.3.0.0/16'] }),
      [
        [{}, true],
        [{ source: '127.3.4.5' }, false],
        [unknown, false],
      ],
    ],
    ['direct or not', 'ALLOW', ip('source.ip', ['0.0.0.0/0', '::/0']), [[unknown, false]]],
    ['direct attribute', 'ALLOW', { when: [{ attribute: 'source.ip', notValues: ['192.0.2.1'] }] }, [[unknown, false]]],
    // And always where it would refuse one.
    [
      'denied direct',
      'DENY',
      from({ ipBlocks: ['127.3.0.0/16'] }),
      [
        [{}, false],
        [{ source: '127.3.4.5' }, true],
        [unknown, true],
      ],
    ],
    [
      'denied not direct',
      'DENY',
      from({ notIpBlocks: ['127.0.0.0/8'] }),
      [
        [{}, false],
        [unknown, true],
      ],
    ],
    [
      'denied by both',
      'DENY',
      { ...from({ ipBlocks: ['192.0.2.0/24'], notIpBlocks: ['192.0.2.1'] }), to: [{ paths: [{ exact: '/x' }] }] },
      [
        [{ ...unknown, path: '/x' }, true],
        [{ ...unknown, path: '/y' }, false],
      ],
    ],
  ])
})

describe('metadata', () => {
  const SHOP = 'envoy.filters.http.shop'
  const at = (path: string[], lists: object, more = {}) => ({
    when: [{ metadata: { filter: SHOP, path }, ...more, ...lists }],
  })
  const list = { list: true }
  const admin = { values: [{ exact: 'admin' }] }
  const each = (matches: boolean): [RequestInit, boolean][] => [[{}, matches]]

  decide(
    [
      ['text', 'ALLOW', at(['role'], admin), each(true)],
      ['text of a list', 'ALLOW', at(['roles'], admin), each(false)],
      ['list', 'ALLOW', at(['roles'], admin, list), each(true)],
      ['list of a text', 'ALLOW', at(['role'], admin, list), each(false)],
      ['list regex', 'ALLOW', at(['roles'], { values: [{ regex: 'adm..' }] }, list), each(true)],
      ['not in the list', 'ALLOW', at(['roles'], { notValues: [{ exact: 'root' }] }, list), each(true)],
      ['in the list', 'ALLOW', at(['roles'], { notValues: [{ exact: 'user' }] }, list), each(false)],
      ['deep', 'ALLOW', at(['a', 'b', 'c'], { values: [{ prefix: 'dee' }] }), each(true)],
      ['too deep', 'ALLOW', at(['a', 'b', 'c', 'd'], { values: [{ present: true }] }), each(false)],
      ['a struct', 'ALLOW', at(['a'], { values: [{ present: true }] }), each(false)],
      ['a number', 'ALLOW', at(['count'], { values: [{ regex: '.*' }] }), each(false)],
      ['absent', 'DENY', at(['none'], { notValues: [{ present: true }] }), each(true)],
      ['empty text', 'ALLOW', at(['empty'], { values: [{ exact: '' }] }), each(true)],
      ['empty text is not present', 'ALLOW', at(['empty'], { values: [{ present: true }] }), each(false)],
    ],
    {
      metadata: {
        [SHOP]: { role: 'admin', roles: ['user', 'admin', 7], a: { b: { c: 'deep' } }, count: 7, empty: '' },
      },
    },
  )
})

describe('tokens', () => {
  const from = (...requestPrincipals: object[]) => ({ from: [{ requestPrincipals }] })
  const not = (...notRequestPrincipals: object[]) => ({ from: [{ notRequestPrincipals }] })
  const claim = (path: string[], lists: object) => ({ when: [{ claim: path, ...lists }] })
  const each = (matches: boolean): [RequestInit, boolean][] => [[{}, matches]]
  const withPayload = (payload: object) => ({ metadata: { 'envoy.filters.http.jwt_authn': { payload } } })
  const ISS = 'https://issuer.test'

  describe('with issuer and subject', () => {
    decide(
      [
        ['both', 'ALLOW', from({ issuer: { exact: ISS }, subject: { exact: 'eve' } }), each(true)],
        ['another', 'ALLOW', from({ issuer: { exact: ISS }, subject: { exact: 'ev' } }), each(false)],
        ['any', 'ALLOW', from({}), each(true)],
        ['prefix', 'ALLOW', from({ issuer: { prefix: 'https://' }, subject: { prefix: 'e' } }), each(true)],
        ['suffix', 'ALLOW', from({ issuer: { suffix: '.test' }, subject: { suffix: 'e' } }), each(true)],
        ['exact and prefix', 'ALLOW', from({ issuer: { exact: ISS }, subject: { prefix: 'ev' } }), each(true)],
        ['suffix and exact', 'ALLOW', from({ issuer: { suffix: '.test' }, subject: { exact: 'eve' } }), each(true)],
        // Neither may reach into the other.
        ['prefix over the end', 'ALLOW', from({ issuer: { prefix: `${ISS}\0e` } }), each(false)],
        ['suffix over the end', 'ALLOW', from({ subject: { suffix: 't\0eve' } }), each(false)],
        ['dot', 'ALLOW', from({ issuer: { exact: 'https://issuerxtest' }, subject: { prefix: 'e' } }), each(false)],
        ['quoted', 'ALLOW', from({ issuer: { prefix: 'https://issuer?' }, subject: { suffix: 'e' } }), each(false)],
        ['regex', 'ALLOW', from({ issuer: { regex: 'x|https://.*' }, subject: { regex: 'a|e.e' } }), each(true)],
        ['regex and exact', 'ALLOW', from({ issuer: { regex: 'https' }, subject: { exact: 'eve' } }), each(false)],
        ['not', 'DENY', not({ issuer: { exact: ISS } }), each(false)],
        ['not another', 'DENY', not({ issuer: { exact: ISS }, subject: { suffix: 'x' } }), each(true)],
        [
          'attribute',
          'ALLOW',
          { when: [{ attribute: 'request.principal', values: [{ subject: { exact: 'eve' } }] }] },
          each(true),
        ],
        ['claim', 'ALLOW', claim(['groups'], { values: [{ exact: 'a' }] }), each(true)],
        ['claim in claim', 'ALLOW', claim(['realm', 'roles'], { values: [{ regex: 'r+' }] }), each(true)],
        ['claim not', 'ALLOW', claim(['groups'], { notValues: [{ prefix: 'b' }] }), each(false)],
        ['claim that is a number', 'ALLOW', claim(['exp'], { values: [{ regex: '.*' }] }), each(false)],
      ],
      withPayload({ iss: ISS, sub: 'eve', groups: ['a', 'b'], realm: { roles: 'rr' }, exp: 1 }),
    )
  })

  // Of two claims in one, nobody can tell where the second begins.
  describe('with a NUL in a claim', () => {
    decide(
      [
        ['exact', 'ALLOW', from({ issuer: { exact: ISS }, subject: { exact: 'a\0b' } }), each(false)],
        ['shifted', 'ALLOW', from({ issuer: { exact: `${ISS}\0a` }, subject: { exact: 'b' } }), each(false)],
        ['any', 'ALLOW', from({}), each(false)],
        ['not', 'ALLOW', not({ issuer: { exact: 'x' } }), each(false)],
        ['denied', 'DENY', from({ issuer: { exact: 'x' } }), each(true)],
        ['denied not', 'DENY', not({}), each(true)],
        ['claim', 'ALLOW', claim(['sub'], { values: [{ exact: 'a\0b' }] }), each(true)],
      ],
      withPayload({ iss: ISS, sub: 'a\0b' }),
    )
  })

  describe('without a subject', () => {
    decide(
      [
        ['any', 'ALLOW', from({}), each(false)],
        ['issuer', 'ALLOW', from({ issuer: { exact: ISS } }), each(false)],
        ['not', 'DENY', not({}), each(true)],
        ['claim', 'ALLOW', claim(['iss'], { values: [{ exact: ISS }] }), each(true)],
      ],
      withPayload({ iss: ISS, sub: 7 }),
    )
  })
})

describe('peers', () => {
  const from = (source: object) => ({ from: [source] })
  // The longest certificate whose length our reader takes has two bytes for it.
  const unreadable = Array.from({ length: 900 }, (_, index) => `spiffe://cluster.local/ns/shop/sa/${'x'.repeat(40)}${index}`) // prettier-ignore

  decide(
    [
      [
        'namespace',
        'ALLOW',
        from({ namespaces: [{ regex: '.*/ns/shop/.*' }] }),
        [
          [{ peer: CLIENT }, true],
          [{ peer: ['spiffe://cluster.local/x', CLIENT] }, true],
          [{ peer: 'spiffe://cluster.local/ns/other/sa/client' }, false],
          [{}, false],
        ],
      ],
      [
        'scheme in regex, not in exact',
        'ALLOW',
        from({ principals: [{ exact: CLIENT.slice(9) }], notPrincipals: [{ regex: 'cluster.local/.*' }] }),
        [
          [{ peer: CLIENT }, true],
          [{ peer: CLIENT.replace('client', 'clients') }, false],
        ],
      ],
      ['dns', 'ALLOW', from({ principals: [{ regex: '[a-z]+\\.test' }] }), [[{ peer: [CLIENT, 'client.test'] }, true]]],
      [
        'dns prefix',
        'ALLOW',
        from({ principals: [{ prefix: 'client' }] }),
        [[{ peer: [CLIENT, 'client.test'] }, false]],
      ],
      [
        'anybody',
        'ALLOW',
        from({ principals: [{ present: true }] }),
        [
          [{ peer: CLIENT }, true],
          [{}, false],
        ],
      ],
    ],
    { tls: { permissive: true } },
  )

  test('whose certificate cannot be read are refused, where a policy that counts asks for them', async () => {
    const rules = [from({ notPrincipals: [{ exact: 'cluster.local/ns/shop/sa/bad' }] })]
    const configuration = (dryRun: boolean) => ({
      version: 1,
      policies: [{ name: 'p', action: 'ALLOW', dryRun, rules }],
    })
    const host = await createHost({ wasm: filter, configuration: configuration(false), tls: {} })
    try {
      expect((await host.request({ peer: CLIENT })).status).toBe(has('peerCertificate') ? 200 : 403)
      expect((await host.request({ peer: unreadable })).status).toBe(403)
      await host.reconfigure(configuration(true))
      expect((await host.request({ peer: unreadable })).status).toBe(200)
    } finally {
      await host.close()
    }
  })
})

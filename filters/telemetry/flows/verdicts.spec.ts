/** Verdicts of flow records, and which policy is behind them. The same on both hosts. */
import { cluster, type HostOptions } from '@meshscript/sdk/testing'
import { describe, expect, test } from 'vitest'
import authorization from '../../authorization/assembly/index.ts?filter'
import fault from '../../fault/assembly/index.ts?filter'
import ratelimit from '../../ratelimit/assembly/index.ts?filter'
import { host, startHost } from '../testing.ts'
import { CART, flow, FRONT, front, lines, start, telemetry } from './testing.ts'

/** With another filter between it and the service. */
async function startWith(other: HostOptions, configuration: object = {}): Promise<void> {
  const { wasm, name, configuration: others } = other as Required<HostOptions>
  const filters = [telemetry({ log: true }, configuration), { wasm, name, vmId: name, configuration: others }]
  await startHost({ filters })
}

const policy = (action: string, path: string, more: object = {}) => ({
  name: 'ns[shop]-policy[viewers]',
  action,
  rules: [{ to: [{ paths: [{ exact: path }] }] }],
  ...more,
})
const withPolicies = (policies: object[], more: object = {}) => ({
  wasm: authorization,
  name: 'authorization',
  configuration: { version: 1, policies, ...more },
})
const VIEWERS = [{ name: 'viewers', namespace: 'shop', kind: 'AuthorizationPolicy' }]

describe('verdicts', () => {
  test('of a policy that refuses: the flow of the request', async () => {
    await startWith(withPolicies([policy('DENY', '/secret')]), { peers: [{ address: '127.0.0.0/8', ...front }] })
    await host.request('/secret')
    expect(flow()).toMatchObject({
      verdict: 'DROPPED',
      drop_reason_desc: 'POLICY_DENIED',
      source: FRONT,
      destination: CART,
      l7: { type: 'REQUEST', http: { code: 403 } },
      is_reply: false,
      source_service: { name: 'front', namespace: 'web' },
      destination_service: { name: 'cart', namespace: 'shop' },
      Summary: 'HTTP/1.1 GET http://localhost/secret',
      ingress_denied_by: VIEWERS,
      policy_log: ['ns[shop]-policy[viewers]-rule[0]'],
    })
  })

  test('of no policy that allows', async () => {
    await startWith(withPolicies([policy('ALLOW', '/')]))
    await host.request('/other')
    expect(flow()).toMatchObject({ verdict: 'DROPPED', drop_reason_desc: 'POLICY_DENIED' })
    expect(flow()).not.toHaveProperty('ingress_denied_by')
    expect(flow()).not.toHaveProperty('policy_log')
  })

  test('of the side that asks', async () => {
    await startWith(withPolicies([policy('DENY', '/secret')]), { reporter: 'source' })
    await host.request('/secret', { authority: 'me:secret@ratings.other:9080' })
    const record = flow()
    expect(record).toMatchObject({ verdict: 'DROPPED', egress_denied_by: VIEWERS, traffic_direction: 'EGRESS' })
    expect(record).toMatchObject({ source: CART, destination_names: ['ratings.other'], IP: { source: '127.0.0.1' } })
    expect(JSON.stringify(record)).not.toContain('me:')
  })

  test.each([
    ['ns[shop]-cnp[l7]', { name: 'l7', namespace: 'shop', kind: 'CiliumNetworkPolicy' }],
    ['ns[shop]-cnp[l7]-deny', { name: 'l7', namespace: 'shop', kind: 'CiliumNetworkPolicy' }],
    ['ccnp[l7.all]', { name: 'l7.all', kind: 'CiliumClusterwideNetworkPolicy' }],
    ['ns[shop]-target[t]', { name: 't', namespace: 'shop', kind: 'TrafficTarget' }],
    ['mine', { name: 'mine' }],
    ['"odd\\[', { name: '"odd\\[' }],
    ['ns[', { name: 'ns[' }],
    ['ns[a]-else[b]', { name: 'ns[a]-else[b]' }],
    ['ccnp[', { name: 'ccnp[' }],
  ])('of a policy %s', async (name, expected) => {
    await startWith(withPolicies([policy('DENY', '/', { name })]))
    await host.request('/')
    expect(flow()).toMatchObject({ ingress_denied_by: [expected], policy_log: [`${name}-rule[0]`] })
  })

  test('of policies that allow, where authorization tells', async () => {
    await startWith(withPolicies([policy('ALLOW', '/')], { record: 'all' }))
    await host.request('/')
    expect(flow()).toMatchObject({ verdict: 'FORWARDED', is_reply: true, ingress_allowed_by: VIEWERS })
  })

  test.each<[string, object, object]>([
    ['audit mode', { mode: 'audit' }, policy('DENY', '/')],
    ['a dry run that denies', {}, policy('DENY', '/', { dryRun: true })],
  ])('of %s', async (_, more, audited) => {
    await startWith(withPolicies([audited], more))
    await host.request('/')
    await host.request('/other')
    expect(lines().map(({ flow }) => flow)).toMatchObject([
      { verdict: 'AUDIT', l7: { type: 'RESPONSE', http: { code: 200 } }, ingress_denied_by: VIEWERS },
      { verdict: 'FORWARDED' },
    ])
  })

  test('of a dry run that does not allow', async () => {
    await startWith(withPolicies([policy('ALLOW', '/', { dryRun: true })]))
    await host.request('/')
    await host.request('/other')
    expect(lines().map(({ flow }) => flow.verdict)).toEqual(['FORWARDED', 'AUDIT'])
    expect(lines()[1]!.flow).not.toHaveProperty('ingress_denied_by')
  })

  const limit = (configuration: object) => ({
    wasm: ratelimit,
    name: 'ratelimit',
    configuration: { version: 1, rules: [{ name: 'shop/web-rl[total]', limit: { requests: 1, per: '1h' } }], ...configuration }, // prettier-ignore
  })
  const LIMIT = [{ name: 'web-rl', namespace: 'shop', kind: 'HTTPLocalRateLimitPolicy' }]

  test('of a rate limit', async () => {
    await startWith(limit({}))
    for (let n = 0; n < 2; n++) await host.request('/')
    expect(lines().map(({ flow }) => flow)).toMatchObject([
      { verdict: 'FORWARDED' },
      {
        verdict: 'DROPPED',
        drop_reason_desc: 'DROP_RATE_LIMITED',
        l7: { type: 'REQUEST', http: { code: 429 } },
        ingress_denied_by: LIMIT,
        policy_log: ['shop/web-rl[total]'],
      },
    ])
  })

  test('of a rate limit that is only tried out', async () => {
    await startWith(limit({ mode: 'audit', rules: [{ name: 'total', limit: { requests: 1, per: '1h' } }] }))
    for (let n = 0; n < 2; n++) await host.request('/')
    const [, second] = lines()
    expect(second!.flow).toMatchObject({ verdict: 'AUDIT', is_reply: true, ingress_denied_by: [{ name: 'total' }] })
    expect(second!.flow).not.toHaveProperty('drop_reason_desc')
  })

  test('of an injected fault', async () => {
    const routes = [{ fault: { abort: { percentage: 100, httpStatus: 418 } } }]
    const virtualHosts = [{ domains: ['*'], routes }]
    await startWith({ wasm: fault, name: 'fault', configuration: { version: 1, virtualHosts } })
    await host.request('/')
    expect(flow()).toMatchObject({ verdict: 'ERROR', l7: { type: 'RESPONSE', http: { code: 418 } } })
  })

  test('of what Envoy answers by itself, and of what is cut off', async () => {
    await start(
      {},
      {},
      {
        routes: [
          { prefix: '/refused', cluster: 'refused' },
          { prefix: '/direct', directResponse: { status: 404 } },
          { prefix: '/hang', cluster: 'hang' },
          { prefix: '/known' },
        ],
        clusters: { refused: cluster.refused(), hang: cluster.hang() },
      },
    )
    for (const path of ['/refused', '/direct', '/known', '/nowhere']) await host.request(path)
    const stream = await host.stream({ path: '/hang', method: 'POST' })
    await stream.write('a')
    await stream.abort()
    for (let n = 0; n < 500 && lines().length < 5; n++) await new Promise((resolve) => setTimeout(resolve, 20))
    const told = lines().map(({ flow: { verdict, l7 } }) => [new URL(l7.http.url).pathname, verdict, l7.type, l7.http.code]) // prettier-ignore
    expect(told).toEqual([
      ['/refused', 'ERROR', 'RESPONSE', 503],
      ['/direct', 'FORWARDED', 'RESPONSE', 404],
      ['/known', 'FORWARDED', 'RESPONSE', 200],
      ['/nowhere', 'ERROR', 'RESPONSE', 404],
      ['/hang', 'FORWARDED', 'REQUEST', undefined],
    ])
  })
})

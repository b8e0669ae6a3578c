/** What becomes of a request beside the verdict: records, counters, modes, stages, header actions. The configurations are written by hand. */
import { createHost, type Host, type HostOptions, type Response } from '@meshscript/sdk/testing'
import { afterEach, describe, expect, test } from 'vitest'
import filter from '../../filters/authorization/assembly/index.ts?filter'

const STATE = ['policy', 'verdict', 'audit', 'dry_run.deny', 'dry_run.allow']
const CLIENT = 'spiffe://cluster.local/ns/shop/sa/client'
const OTHER = 'spiffe://cluster.local/ns/shop/sa/other'

const on = (...paths: string[]) => ({ to: [{ paths: paths.map((prefix) => ({ prefix })) }] })
const from = (principal: string) => ({ from: [{ principals: [{ exact: principal.slice(9) }] }] })
const policy = (name: string, action: string, rules: object[], more = {}) => ({ name, action, rules, ...more })
const dryRun = { dryRun: true }

let host: Host
afterEach(() => host?.close())

async function start(policies: object[], settings: object = {}, options: HostOptions = {}) {
  host = await createHost({
    wasm: filter,
    configuration: { version: 1, policies, ...settings },
    filterState: STATE.map((name) => `authorization.${name}`),
    ...options,
  })
}

/** The filter state without its common prefix. */
const stateOf = ({ filterState }: Response) =>
  Object.fromEntries(Object.entries(filterState).map(([name, value]) => [name.replace('authorization.', ''), value]))

/** The counter by `verdict policy dry_run`. */
async function counts(): Promise<Record<string, unknown>> {
  const entries = Object.entries(await host.metrics()).filter(([name]) =>
    name.startsWith('authorization_requests_total'),
  )
  const labels = (name: string) => [...name.matchAll(/=\.=(.*?);\.;/g)].map(([, label]) => label).join(' ')
  return Object.fromEntries(entries.map(([name, value]) => [labels(name), value]))
}

describe('records', () => {
  const policies = [policy('allows', 'ALLOW', [on('/a'), on('/b')]), policy('denies', 'DENY', [on('/b')])]

  test('of those that are denied; all are counted by policy', async () => {
    await start(policies)
    expect(stateOf(await host.request('/a'))).toEqual({})
    expect(stateOf(await host.request('/b'))).toEqual({ policy: 'denies-rule[0]', verdict: 'denied' })
    expect(stateOf(await host.request('/c'))).toEqual({ policy: 'none', verdict: 'denied' })
    await host.request('/a')
    expect(await counts()).toEqual({ 'allowed allows false': 2, 'denied denies false': 1, 'denied none false': 1 })
  })

  test('of all', async () => {
    await start(policies, { record: 'all' })
    expect(stateOf(await host.request('/a'))).toEqual({ policy: 'allows-rule[0]', verdict: 'allowed' })
    expect(stateOf(await host.request('/b'))).toEqual({ policy: 'denies-rule[0]', verdict: 'denied' })
    await host.reconfigure({ version: 1, record: 'all', policies: [] })
    expect(stateOf(await host.request('/a'))).toEqual({ policy: 'none', verdict: 'allowed' })
  })

  test('in audit mode, where nothing is refused', async () => {
    await start(policies, { mode: 'audit' })
    expect(stateOf(await host.request('/a'))).toEqual({})
    for (const [path, id] of [
      ['/b', 'denies-rule[0]'],
      ['/c', 'none'],
    ] as const) {
      // prettier-ignore
      const response = await host.request(path)
      expect(response.status).toBe(200)
      expect(response).toReachUpstream({ path })
      expect(stateOf(response)).toEqual({ policy: id, verdict: 'audited' })
    }
    expect(await counts()).toEqual({ 'allowed allows false': 1, 'audited denies false': 1, 'audited none false': 1 })
    await expect.poll(() => host.logs.map(({ level, message }) => `${level}: ${message}`)).toEqual([
      'warn: audited policy=denies-rule[0] method=GET path=/b',
      'warn: audited policy=none method=GET path=/c',
    ]) // prettier-ignore
  })
})

describe('a refusal', () => {
  test.each([
    [{}, 403, 'RBAC: access denied'],
    [{ status: 404 }, 404, 'RBAC: access denied'],
    [{ body: 'Access denied\r\n' }, 403, 'Access denied\r\n'],
    [{ status: 429, body: '' }, 429, ''],
  ])('with denial %j', async (denial, status, text) => {
    await start([policy('none', 'ALLOW', [])], { denial })
    const response = await host.request('/')
    expect(response).toMatchObject({ status, text, details: 'rbac_access_denied_matched_policy[none]' })
    expect(response.upstream).toBeUndefined()
  })

  test('of a gRPC request is a gRPC status', async () => {
    await start([policy('p', 'DENY', [{}])], { denial: { status: 404, body: 'no' } })
    const headers = { 'content-type': 'application/grpc', te: 'trailers' }
    const response = await host.request({ method: 'POST', path: '/p.S/M', headers, protocol: 'http2' })
    expect(response).toMatchObject({ status: 200, grpcStatus: 7, grpcMessage: 'no', text: '' })
  })
})

test('what is tried out is told and counted, and changes nothing', async () => {
  await start([
    policy('allows', 'ALLOW', [on('/')]),
    policy('tries-to-deny', 'DENY', [on('/a'), on('/ab')], dryRun),
    policy('tries-to-allow', 'ALLOW', [on('/a', '/b')], dryRun),
  ])
  const tried = { '/a': ['tries-to-deny-rule[0]', 'tries-to-allow-rule[0]'], '/b': ['none', 'tries-to-allow-rule[0]'], '/c': ['none', 'none'] } // prettier-ignore
  for (const [path, [deny, allow]] of Object.entries(tried)) {
    const response = await host.request(path)
    expect(response.status).toBe(200)
    expect(stateOf(response)).toEqual({ 'dry_run.deny': deny, 'dry_run.allow': allow })
  }
  expect(await counts()).toEqual({
    'allowed allows false': 3,
    'denied tries-to-deny true': 1,
    'allowed tries-to-allow true': 1,
    'denied none true': 1,
  })
})

test('only a dry run of ALLOW does not refuse, one of DENY says nothing of ALLOW', async () => {
  await start([policy('p', 'ALLOW', [on('/a')], dryRun)])
  expect(stateOf(await host.request('/b'))).toEqual({ 'dry_run.allow': 'none' })
  await host.reconfigure({ version: 1, policies: [policy('p', 'DENY', [on('/a')], dryRun)] })
  const response = await host.request('/a')
  expect([response.status, stateOf(response)]).toEqual([200, { 'dry_run.deny': 'p-rule[0]' }])
})

describe('a change of the configuration', () => {
  test('that is refused leaves the one before', async () => {
    await start([policy('p', 'ALLOW', [on('/a')])])
    const refused: object[] = [
      [policy('p', 'ALLOW', [on('/b'), on('')])],
      [policy('p', 'ALLOW', [on('/b')]), policy('p', 'DENY', [])],
      [policy('p', 'ALLOW', [{ to: [{ paths: [{ regex: '(' }] }] }])],
    ]
    for (const policies of refused) await expect(host.reconfigure({ version: 1, policies })).rejects.toThrow()
    expect((await host.request('/a')).status).toBe(200)
    expect((await host.request('/b')).status).toBe(403)
  })

  test('that is taken replaces everything', async () => {
    await start([policy('p', 'ALLOW', [on('/a')])], { denial: { status: 401 } })
    await host.reconfigure({ version: 1, record: 'all', policies: [policy('q', 'DENY', [on('/a')])] })
    expect((await host.request('/a')).status).toBe(403)
    expect(stateOf(await host.request('/b'))).toEqual({ policy: 'none', verdict: 'allowed' })
    await host.reconfigure({ version: 1, policies: [] })
    expect((await host.request('/a')).status).toBe(200)
  })
})

// Each stage has patterns of its own for the same peer, which is remembered.
test('all stages look at the same peer', async () => {
  const policies = [
    policy('audits', 'AUDIT', [{ ...on('/'), ...from(OTHER) }]),
    policy('denies', 'DENY', [{ ...on('/secret'), from: [{ notPrincipals: [{ suffix: '/sa/client' }] }] }]),
    policy('allows', 'ALLOW', [from(CLIENT), from(OTHER)]),
    policy('tries-to-deny', 'DENY', [from(OTHER)], dryRun),
    policy('tries-to-allow', 'ALLOW', [from('spiffe://cluster.local/x'), from(CLIENT)], dryRun),
    policy('asks', 'CUSTOM', [{ ...on('/asked'), ...from(OTHER) }], { provider: 'none' }),
  ]
  await start(policies, { record: 'all' }, { tls: { permissive: true } })
  const asked = 'istio-ext-authz-none-asks-rule[0]-deny-due-to-bad-CUSTOM-action'
  for (let round = 0; round < 2; round++) {
    const tell = async (path: string, peer?: string) => {
      const response = await host.request({ path, ...(peer !== undefined && { peer }) })
      return { status: response.status, ...stateOf(response) }
    }
    const tried = { 'dry_run.deny': 'none', 'dry_run.allow': 'tries-to-allow-rule[1]' }
    const triedOther = { 'dry_run.deny': 'tries-to-deny-rule[0]', 'dry_run.allow': 'none' }
    expect(await tell('/', CLIENT)).toEqual({ status: 200, policy: 'allows-rule[0]', verdict: 'allowed', ...tried })
    expect(await tell('/secret', CLIENT)).toEqual({ status: 200, policy: 'allows-rule[0]', verdict: 'allowed', ...tried }) // prettier-ignore
    expect(await tell('/', OTHER)).toEqual({ status: 200, policy: 'allows-rule[1]', verdict: 'allowed', audit: 'true', ...triedOther }) // prettier-ignore
    expect(await tell('/secret', OTHER)).toEqual({ status: 403, policy: 'denies-rule[0]', verdict: 'denied', audit: 'true', ...triedOther }) // prettier-ignore
    expect(await tell('/asked', OTHER)).toEqual({ status: 403, policy: asked, verdict: 'denied' })
    expect(await tell('/')).toMatchObject({ status: 403, policy: 'none', 'dry_run.deny': 'none' })
  }
})

describe('header actions', () => {
  const act = (header: string, onMismatch: string, value?: string) => ({ header, onMismatch, value })
  const rule = (path: string, ...headerActions: object[]) => ({ ...on(path), headerActions })

  test('of all rules that match run, in the order of the rule', async () => {
    await start([
      policy('p', 'ALLOW', [
        rule('/a', act('x-add', 'ADD', '1'), act('x-set', 'REPLACE', 'a'), act('x-gone', 'DELETE', 'keep')),
        rule('/ab', act('x-b', 'REPLACE', 'b')),
        // The second one sees what the first one has made.
        rule('/order', act('x-c', 'ADD', 'c'), act('x-c', 'DELETE', 'd')),
        rule('/order2', act('x-d', 'DELETE', 'd'), act('x-d', 'ADD', 'd')),
      ]),
      policy('denies', 'DENY', [on('/abc')]),
    ])
    const sent = { 'x-add': ['0', '2'], 'x-set': ['b', 'c'], 'x-gone': 'x', 'x-b': 'b', 'x-d': ['d', 'e'] }
    const got = async (path: string, headers: Record<string, string | string[]> = sent) => {
      const { upstream, status } = await host.request({ path, headers })
      return upstream
        ? Object.fromEntries(['x-add', 'x-set', 'x-gone', 'x-b', 'x-c', 'x-d'].map((name) => [name, upstream.headers.getAll(name).join()])) // prettier-ignore
        : status
    }
    const unchanged = { 'x-add': '0,2', 'x-set': 'b,c', 'x-gone': 'x', 'x-b': 'b', 'x-c': '', 'x-d': 'd,e' }
    const changed = { ...unchanged, 'x-add': '0,2,1', 'x-set': 'a', 'x-gone': '' }
    expect(await got('/a')).toEqual(changed)
    expect(await got('/ab')).toEqual(changed)
    expect(await got('/ab', { 'x-add': '1', 'x-set': 'a', 'x-gone': 'keep' })).toEqual({ 'x-add': '1', 'x-set': 'a', 'x-gone': 'keep', 'x-b': 'b', 'x-c': '', 'x-d': '' }) // prettier-ignore
    expect(await got('/order')).toEqual(unchanged)
    expect(await got('/order2')).toEqual({ ...unchanged, 'x-d': 'd' })
    expect(await got('/abc')).toBe(403)
  })

  test('of a header that only has to be there', async () => {
    await start([policy('p', 'ALLOW', [{ headerActions: [act('x-a', 'DELETE'), act('x-b', 'LOG'), act('x-c', 'ADD')] }])]) // prettier-ignore
    const { upstream } = await host.request({ path: '/', headers: { 'x-a': '', 'x-b': '' } })
    expect(['x-a', 'x-b', 'x-c'].map((name) => upstream!.headers.getAll(name))).toEqual([[''], [''], ['']])
    expect(host.logs).toEqual([])
  })

  test('LOG tells which header, never its value', async () => {
    await start([policy('p', 'ALLOW', [rule('/', act('x-token', 'LOG', 'wanted'))])])
    const headers = { 'x-token': 'secret' }
    const response = await host.request({ path: '/a?token=secret', headers })
    expect(response.status).toBe(200)
    expect(response).toReachUpstream({ headers })
    await expect.poll(() => host.logs.length).toBe(1)
    expect(host.logs[0]).toMatchObject({ level: 'info', message: 'mismatched header=x-token policy=p-rule[0] method=GET path=/a' }) // prettier-ignore
  })
})

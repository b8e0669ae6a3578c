/** Cilium's network policies in the filter: what Cilium's own filter (cilium/proxy) decides, does to headers and answers. */
import type { Host } from '@meshscript/sdk/testing'
import { afterEach, describe, expect, test } from 'vitest'
import type { SentRequest } from './cases.ts'
import { caller, hostFor, PORT, send } from './families.ts'

let host: Host | undefined
afterEach(async () => {
  await host?.close()
  host = undefined
})

const policy = (spec: string) => `
apiVersion: cilium.io/v2
kind: CiliumNetworkPolicy
metadata: {name: p, namespace: shop}
spec: {endpointSelector: {matchLabels: {app: app}}, ${spec}}`
const http = (rules: string, peers = '') =>
  policy(`ingress: [{${peers}toPorts: [{ports: [{port: "${PORT}", protocol: TCP}], rules: {http: ${rules}}}]}]`)
const pod = (name: string, labels: object, podIP: string) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'front', labels },
    spec: { serviceAccountName: 'shared' },
    status: { podIP },
  })

type Decision = [request: SentRequest, status: 200 | 403]

/** Every request in one host, so that a table costs one start. */
async function decide(texts: string | string[], decisions: readonly Decision[], direction?: 'outbound') {
  host = await hostFor([texts].flat(), direction && { direction })
  for (const [request, status] of decisions) {
    const response = await send(host, request)
    expect(response.status, JSON.stringify(request)).toBe(status)
    if (status === 403) expect(response.text).toBe('Access denied\r\n')
  }
}

describe('HTTP rules', () => {
  test('path, method and host match whole texts, the path with its query', () =>
    decide(http('[{method: GET, path: "/public"}, {path: "/v[0-9]+/.*", host: "a\\\\.b(:[0-9]+)?"}]'), [
      [{ path: '/public' }, 200],
      [{ path: '/public?x=1' }, 403],
      [{ path: '/public/' }, 403],
      [{ path: '/PUBLIC' }, 403],
      [{ path: '/public', method: 'POST' }, 403],
      [{ path: '/v12/x?y', host: 'a.b' }, 200],
      [{ path: '/v12/x', host: 'a.b:80' }, 200],
      [{ path: '/v12/x', host: 'axb' }, 403],
      [{ path: '/vx/x', host: 'a.b' }, 403],
      [{ path: '/x/v1/x', host: 'a.b' }, 403],
    ]))

  test('headers are compared as one value, joined by commas', () =>
    decide(http('[{headers: ["X-Token: a,b", X-There]}]'), [
      [{ headers: { 'x-token': ['a', 'b'], 'x-there': '' } }, 200],
      [{ headers: { 'x-token': 'a,b', 'x-there': '1' } }, 200],
      [{ headers: { 'x-token': 'a', 'x-there': '1' } }, 403],
      [{ headers: { 'x-token': ['a,b', 'c'], 'x-there': '1' } }, 403],
      [{ headers: { 'x-token': 'a,b' } }, 403],
    ]))

  test('an empty rule allows all', () => decide(http('[{}]'), [[{ path: '/any?x', method: 'DELETE' }, 200]]))

  test('another port than that of the policy is refused', () =>
    decide(policy('ingress: [{toPorts: [{ports: [{port: "1"}, {port: "2", endPort: 80}]}]}]'), [[{}, 403]]))

  test('a range of ports', () =>
    decide(policy('ingress: [{toPorts: [{ports: [{port: "8000", endPort: 8100}]}]}]'), [[{}, 200]]))

  test('an entry without HTTP rules allows what the HTTP rules of the same port leave out', () =>
    decide(
      policy(
        `ingress: [{toPorts: [{ports: [{port: "${PORT}", protocol: TCP}], rules: {http: [{method: GET}]}}]}, {toPorts: [{ports: [{port: "${PORT}"}]}]}]`,
      ),
      [[{ method: 'POST' }, 200]],
    ))

  test('an entry that is empty allows nothing', () => decide(policy('ingress: [{}]'), [[{}, 403]]))
})

describe('header actions', () => {
  /** The header as the upstream got it. */
  async function upstream(match: string, headers: SentRequest['headers'] = {}) {
    host = await hostFor([http(`[{headerMatches: [${match}]}]`)])
    const response = await send(host, { headers })
    expect(response.status).toBe(200)
    return response.upstream!.headers.getAll('x')
  }

  test('LOG changes nothing', async () => {
    expect(await upstream('{name: X, value: a, mismatch: LOG}', { x: 'b' })).toEqual(['b'])
  })
  test('ADD adds what is missing beside what is there', async () => {
    expect((await upstream('{name: X, value: a, mismatch: ADD}', { x: 'b' })).join()).toBe('b,a')
  })
  test('ADD adds a header that is not there', async () => {
    expect(await upstream('{name: X, value: a, mismatch: ADD}')).toEqual(['a'])
  })
  test('what is as wanted is left', async () => {
    expect(await upstream('{name: X, value: a, mismatch: ADD}', { x: 'a' })).toEqual(['a'])
  })
  test('DELETE removes the header with all its values', async () => {
    expect(await upstream('{name: X, value: a, mismatch: DELETE}', { x: ['a', 'b'] })).toEqual([])
  })
  test('DELETE leaves a header that only has to be there', async () => {
    expect(await upstream('{name: X, mismatch: DELETE}', { x: 'b' })).toEqual(['b'])
  })
  test('REPLACE sets the one value', async () => {
    expect(await upstream('{name: X, value: a, mismatch: REPLACE}', { x: ['b', 'c'] })).toEqual(['a'])
  })
  test('REPLACE sets a header that is not there', async () => {
    expect(await upstream('{name: X, value: a, mismatch: REPLACE}')).toEqual(['a'])
  })

  test('those of all rules that match are run, and of no other', async () => {
    host = await hostFor([
      http(
        '[{path: "/a", headerMatches: [{name: A, value: "1", mismatch: ADD}]}, {method: GET, headerMatches: [{name: B, value: "2", mismatch: REPLACE}]}, {path: "/c", headerMatches: [{name: C, value: "3", mismatch: ADD}]}]',
      ),
    ])
    const { headers } = (await send(host, { path: '/a', headers: { b: 'x' } })).upstream!
    expect([headers.getAll('a'), headers.getAll('b'), headers.getAll('c')]).toEqual([['1'], ['2'], []])
  })

  test('a mismatch without an action fails the rule', () =>
    decide(http('[{headerMatches: [{name: X, value: a}, {name: Z, value: b, mismatch: ADD}]}]'), [
      [{ headers: { x: 'a' } }, 200],
      [{ headers: { x: 'b' } }, 403],
      [{}, 403],
    ]))
})

describe('callers', () => {
  test('of a namespace', () =>
    decide(http('[{}]', 'fromEndpoints: [{matchLabels: {io.kubernetes.pod.namespace: front}}], '), [
      [{ peer: caller('web') }, 200],
      [{ peer: caller('web', 'front2') }, 403],
      [{ peer: caller('web', 'shop') }, 403],
      [{}, 403],
    ]))

  test('by labels, where pods of one account differ: by address', () =>
    decide(
      [
        http('[{}]', 'fromEndpoints: [{matchLabels: {role: a, io.kubernetes.pod.namespace: front}}], '),
        pod('a', { role: 'a' }, '127.0.0.2'),
        pod('b', { role: 'b' }, '127.0.0.3'),
      ],
      [
        [{ src: '127.0.0.2' }, 200],
        [{ src: '127.0.0.3' }, 403],
        [{ src: '127.0.0.3', headers: { 'x-forwarded-for': '127.0.0.2' } }, 403],
      ],
    ))

  test('blocks with exceptions, without callers of the mesh', () =>
    decide(http('[{}]', 'fromCIDRSet: [{cidr: "127.0.0.0/8", except: ["127.1.0.0/16"]}], '), [
      [{ src: '127.0.0.2' }, 200],
      [{ src: '127.1.2.3' }, 403],
      [{ src: '127.0.0.2', peer: caller('web') }, 403],
    ]))

  test('authentication', () =>
    decide(http('[{}]', 'fromEntities: [all], authentication: {mode: required}, '), [
      [{ peer: caller('web') }, 200],
      [{}, 403],
    ]))

  test('denials come before what is allowed, and refuse callers that do not show who they are', () =>
    decide(
      policy(
        'ingress: [{fromEntities: [all]}], ingressDeny: [{fromEndpoints: [{matchLabels: {io.kubernetes.pod.namespace: bad}}]}]',
      ),
      [
        [{ peer: caller('web') }, 200],
        [{ peer: caller('web', 'bad') }, 403],
        [{}, 403],
      ],
    ))
})

describe('outbound', () => {
  test('names of hosts', () =>
    decide(
      policy('egress: [{toFQDNs: [{matchName: one.example}, {matchPattern: "*.b.example"}]}]'),
      [
        [{ host: 'one.example' }, 200],
        [{ host: 'ONE.example:8080' }, 200],
        [{ host: 'a.b.example' }, 200],
        [{ host: 'two.example' }, 403],
        [{ host: 'one.example.evil' }, 403],
        [{ host: 'onexexample' }, 403],
        [{ host: 'a.a.b.example' }, 403],
      ],
      'outbound',
    ))

  test('blocks of addresses', async () => {
    const to = (cidr: string) => policy(`egress: [{toCIDR: ["${cidr}"]}]`)
    await decide(to('127.0.0.0/8'), [[{}, 200]], 'outbound')
    await host?.close()
    await decide(to('10.0.0.0/8'), [[{}, 403]], 'outbound')
  })
})

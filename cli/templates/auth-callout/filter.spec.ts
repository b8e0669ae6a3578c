import { cluster, createHost, type Host, type HostOptions } from '@meshscript/sdk/testing'
import { afterEach, describe, expect, test } from 'vitest'
import wasm from './assembly/index.ts?filter'
import configuration from './config.json' with { type: 'json' }

type Cluster = NonNullable<HostOptions['clusters']>[string]

let host: Host | undefined
const start = async (auth?: Cluster) =>
  (host = await createHost({ wasm, configuration, clusters: auth ? { auth } : {} }))
afterEach(() => host?.close())

const users: Record<string, string> = { 'Bearer one': 'ann' }
const service = cluster.http(({ headers }) => {
  const user = users[headers.get('authorization') ?? '']
  return user ? { status: 200, headers: { 'x-user': user } } : 401
})

test('tells the service who the request is from', async () => {
  const host = await start(service)
  const headers = { authorization: 'Bearer one', 'x-user': 'root' }
  const response = await host.request('/orders', { method: 'POST', headers })
  expect(response).toBeAllowed()
  expect(response).toReachUpstream({ path: '/orders', headers: { 'x-user': 'ann' } })
  expect(host.callouts[0]).toMatchObject({ method: 'GET', path: '/check' })
  expect(host.callouts[0]).toHaveHeader('x-original-path', '/orders')
})

test('refuses whom the service does not know', async () => {
  const host = await start(service)
  expect(await host.request('/orders', { headers: { authorization: 'Bearer two' } })).toBeDenied(401)
  expect(await host.request('/orders')).toBeDenied(401)
})

describe('fails closed', () => {
  test.each<[string, Cluster | undefined]>([
    ['is not configured', undefined],
    ['does not listen', cluster.refused()],
    ['breaks the connection', cluster.reset()],
    ['never answers', cluster.hang()],
    ['is broken', cluster.http(() => 500)],
  ])('when the service %s', async (_, auth) => {
    const host = await start(auth)
    expect(await host.request('/orders', { headers: { authorization: 'Bearer one' } })).toBeDenied(503)
  })
})

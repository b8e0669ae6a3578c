/** What `@meshscript/filters` exports for other filters, used by one. */
import { createHost, type Host, type HostOptions } from '@meshscript/sdk/testing'
import { afterEach, expect, test } from 'vitest'
import filter from './assembly/index.ts?filter'

let host: Host | undefined
afterEach(async () => {
  await host?.close()
  host = undefined
})

const get = (path: string, more: object = {}) => [{ to: [{ paths: [{ exact: path }] }], ...more }]
const policy = (name: string, action: string, rules: object[], more: object = {}) => ({ name, action, rules, ...more })
const POLICIES = [
  policy('a', 'ALLOW', [{ to: [{ paths: [{ prefix: '/a' }] }] }]),
  policy('d', 'DENY', get('/a/denied')),
  policy('dry', 'DENY', get('/a/dry'), { dryRun: true }),
  policy('audit', 'AUDIT', get('/a/audit')),
  policy('custom', 'CUSTOM', get('/a/custom'), { provider: 'nobody' }),
]

async function start(authorization: object, more: object = {}, options: HostOptions = { wasm: filter }) {
  const configuration = { authorization: { version: 1, policies: POLICIES, ...authorization }, ...more }
  return (host = await createHost({ ...options, configuration }))
}

/** The lines that the filter has written, from the word before the verdict on. */
const told = (): string[] =>
  host!.logs.flatMap(({ message }) => /\d \S+ \S+ (?:audit|-) (?:dry|-) -?\d -?\d/.exec(message)?.[0] ?? [])

test('all policies decide on a request', async () => {
  await start({ denial: { status: 401, body: 'go away' } })
  expect(await host!.request('/a')).toBeAllowed()
  expect(await host!.request('/a/audit')).toBeAllowed()
  expect(await host!.request('/a/dry')).toBeAllowed()
  for (const path of ['/b', '/a/denied', '/a/custom']) {
    const response = await host!.request(path)
    expect(response).toBeDenied(401)
    expect(response.text).toBe('go away')
  }
  expect(told()).toEqual([
    '0 a-rule[0] a - - -1 0',
    '0 a-rule[0] a audit - -1 0',
    '0 a-rule[0] a - dry -1 0',
    '1 none - - - -1 0',
    '1 d-rule[0] d - - -1 0',
    '1 custom-rule[0] custom - - -1 0',
  ])
})

test('in audit mode what is refused goes on, and is told apart', async () => {
  await start({ mode: 'audit' })
  for (const path of ['/b', '/a/custom', '/a']) expect(await host!.request(path)).toBeAllowed()
  expect(told().map((line) => line.slice(0, 6))).toEqual(['2 none', '2 cust', '0 a-ru'])
})

test('header actions of rules that allow a request are run, and of no others', async () => {
  const headerActions = [{ header: 'x-sign', value: 'ok', onMismatch: 'REPLACE' }]
  await start({ policies: [policy('a', 'ALLOW', get('/a', { headerActions })), policy('b', 'ALLOW', get('/b'))] })
  const headers = { 'x-sign': 'forged' }
  expect((await host!.request('/a', { headers })).upstream?.headers.get('x-sign')).toBe('ok')
  expect((await host!.request('/b', { headers })).upstream?.headers.get('x-sign')).toBe('forged')
})

test('a configuration that can not be carried out is refused, with the place', async () => {
  const providers = { nobody: { http: { cluster: 'x' } } }
  await expect(start({ providers })).rejects.toMatchObject({
    logs: expect.arrayContaining([
      expect.objectContaining({ message: expect.stringContaining('authorization.providers') }),
    ]),
  })
  await expect(start({ policies: [policy('a', 'ALLOW', [{ to: [{}] }])] })).rejects.toThrow()
})

test('blocks of addresses and path templates are there by themselves', async () => {
  await start(
    { policies: [] },
    { blocks: ['10.0.0.0/8', '10.1.0.0/16', '::1'], templates: ['/a/{*}', '/{**}', '/b/{*}/c'] },
  )
  await host!.request('/a/x', { headers: { 'x-address': '10.1.2.3' } })
  await host!.request('/b/1/c', { headers: { 'x-address': '::1' } })
  await host!.request('/c', { headers: { 'x-address': '11.1.2.3' } })
  expect(told().map((line) => line.slice(-3))).toEqual(['2 2', '1 2', '0 1'])
})

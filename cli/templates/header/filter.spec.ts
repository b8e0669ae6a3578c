import { createHost, type Host } from '@meshscript/sdk/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import wasm from './assembly/index.ts?filter'
import configuration from './config.json' with { type: 'json' }

let host: Host
beforeAll(async () => {
  host = await createHost({ wasm, configuration, upstream: () => ({ headers: { 'x-powered-by': 'hope' } }) })
})
afterAll(() => host?.close())

test('sets the header, whatever the client says', async () => {
  const response = await host.request('/', { headers: { 'x-team': 'mine' } })
  expect(response).toReachUpstream({ headers: { 'x-team': 'payments' } })
})

test('hides a header of the service', async () => {
  const response = await host.request('/')
  expect(response).toBeAllowed()
  expect(response).not.toHaveHeader('x-powered-by')
})

test('refuses a wrong configuration, and goes on with the one before', async () => {
  await expect(host.reconfigure({ name: 'x-team' })).rejects.toThrow('Failed to configure')
  expect(await host.request('/')).toReachUpstream({ headers: { 'x-team': 'payments' } })
})

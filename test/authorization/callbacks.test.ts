/** A policy that asks nobody must not pay for those that ask external authorizers. */
import { createNodeHost } from '@meshscript/sdk/testing/node/index'
import { expect, test } from 'vitest'
import wasm from '../../filters/authorization/assembly/index.ts?filter'

test('a request without a body enters the filter twice: when it begins, and with its headers', async () => {
  const configuration = { version: 1, policies: [{ name: 'all', action: 'ALLOW', rules: [{}] }] }
  const host = await createNodeHost({ wasm, configuration })
  const { trace, status } = await host.request('/')
  expect(status).toBe(200)
  const callbacks = trace!.filter(({ kind }) => kind === 'callback').map(({ name }) => name)
  expect(callbacks).toEqual(['on_context_create', 'on_request_headers'])
  await host.close()
})

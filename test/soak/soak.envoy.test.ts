/** The short form of `npm run soak`, and what the soak's filters do. */

import { createEnvoyHost } from '../../sdk/testing/envoy/index.ts'
import type { Host } from '@meshscript/sdk/testing'
import { afterEach, expect, it } from 'vitest'
import body from './assembly/body.ts?filter'
import callout from './assembly/callout.ts?filter'
import hello from './assembly/hello.ts?filter'
import { isFlat, soak } from './run.ts'

let host: Host | undefined
afterEach(() => host?.close())

it('takes no more memory after 60 000 requests', { timeout: 60_000 }, async () => {
  const result = await soak({ requests: 60_000 })
  expect(isFlat(result, 0.01), JSON.stringify(result.trends, null, 1)).toBe(true)
  expect(result.trends.map(({ name }) => name)).toContain('Wasm memory of callout')
})

it('hello passes the user on and marks the response', { timeout: 60_000 }, async () => {
  host = await createEnvoyHost({ wasm: hello, name: 'hello' })
  const { upstream, headers } = await host.request('/', { headers: { 'x-user': 'bob' } })
  expect(upstream?.headers.get('x-added')).toBe('bob')
  expect(headers.get('x-resp')).toBe('1')
})

it('body rewrites both bodies', { timeout: 60_000 }, async () => {
  host = await createEnvoyHost({ wasm: body, name: 'body', upstream: () => 'an answer' })
  const { upstream, text } = await host.request({ method: 'POST', body: ['a ', 'question'] })
  expect(upstream?.body.toString()).toBe('a question to the upstream')
  expect(text).toBe('an answer to the client')
})

it('callout lets the service decide', { timeout: 60_000 }, async () => {
  const decide = (user: string | undefined) => (user === 'bob' ? 'yes' : 403)
  host = await createEnvoyHost({
    wasm: callout,
    name: 'callout',
    clusters: { decider: { kind: 'http', handler: (request) => decide(request.headers.get('x-user')) } },
  })
  expect((await host.request('/', { headers: { 'x-user': 'eve' } })).status).toBe(403)
  const { upstream } = await host.request('/', { headers: { 'x-user': 'bob' } })
  expect(upstream?.headers.get('x-decided')).toBe('yes')
})

/** What a filter that fails leaves behind, and plugins that share a VM. */

import { createHost } from '@meshscript/sdk/testing'
import type { Host } from '@meshscript/sdk/testing'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { buildFilter } from '../../cli/src/build/index.ts'
import filter from './assembly/http.ts?filter'
import misuse from './assembly/misuse.ts?filter'
import roots from './assembly/roots.ts?filter'
import tcp from './assembly/tcp.ts?filter'

let host: Host | undefined
afterEach(() => host?.close())

it('logs plugin, callback, message and source position before it traps', async () => {
  host = await createHost({ wasm: filter, name: 'parts' })
  expect((await host.request('/trap')).status).toBe(503)
  expect(host.logs).toContainEqual(
    expect.objectContaining({
      level: 'critical',
      message: expect.stringMatching(/^parts: onRequestHeaders: as asked \(\S*http\.ts:\d+:\d+\)$/) as string,
    }),
  )
})

it('logs why an index is out of bounds', async () => {
  host = await createHost({ wasm: filter, name: 'parts' })
  expect((await host.request('/bounds')).status).toBe(503)
  expect(host.logs.at(-1)?.message).toMatch(/^parts: onRequestHeaders: Index out of range \(/)
})

it('catches a stale ByteString in debug builds', async () => {
  const { output } = await buildFilter({
    path: fileURLToPath(new URL('assembly/stale.ts', import.meta.url)),
    output: join(tmpdir(), `meshscript-stale-${process.pid}.wasm`),
    debug: true,
  })
  host = await createHost({ wasm: output })
  await host.request('/', { headers: { 'x-user': 'bob' } })
  expect(host.logs.at(-1)?.message).toMatch(
    /onResponseHeaders: a ByteString of an earlier callback is used: keep a copy with persist\(\)/,
  )
})

it('does not pass on what would end Envoy, and goes on when a callback says so itself', async () => {
  host = await createHost({ wasm: misuse })
  for (const what of ['early', 'late', 'both']) {
    const init = { method: 'POST', body: 'x', headers: { 'x-misuse': what } }
    expect((await host.request('/', init)).status).toBe(200)
  }
  await host.advance(50)
  expect((await host.request('/')).status).toBe(200)
  const lines = host.logs.map(({ message }) => message)
  expect(lines.filter((line) => line === 'continueRequest: the request is not paused')).toHaveLength(4)
  expect(lines.filter((line) => !line.startsWith('continueRequest'))).toEqual([
    'continueResponse: the response is not paused',
    'sendLocalResponse: the stream is not open',
    'resetStream: the stream is not open',
    'continueResponse: the response is not paused',
  ])
})

it('tells plugins of one VM apart, by configuration and by root id', async () => {
  host = await createHost({
    filters: [
      { wasm: roots, name: 'a', rootId: 'first', configuration: 'one' },
      { wasm: roots, name: 'b', rootId: 'first', configuration: 'two' },
      { wasm: roots, name: 'c', rootId: 'second' },
    ],
  })
  const { upstream } = await host.request('/')
  expect(upstream?.headers.getAll('x-first')).toEqual(['one', 'two'])
  expect(upstream?.headers.get('x-second')).toBe('1')
  await host.advance(50)
  await expect.poll(() => host!.logs.map(({ message }) => message), { timeout: 10_000 }).toEqual(['deleted'])
})

it('refuses a wrong configuration with its place, and keeps the old one', async () => {
  host = await createHost({ wasm: filter, configuration: { greeting: 'old' } })
  await expect(host.reconfigure({ greeting: 5 })).rejects.toThrow()
  expect(host.logs.map(({ message }) => message)).toContain('configuration:1:13: greeting: expected string, got number')
  expect((await host.request('/')).headers.get('x-greeting')).toBe('old')
})

it('marks TCP data of both directions', async () => {
  host = await createHost({ wasm: tcp, type: 'network' })
  const connection = await host.connect()
  await connection.write('hel')
  await connection.write('lo\n')
  expect((await connection.read(9)).toString()).toBe('> hello\n<')
  await connection.write('close')
  await connection.whenClosed()
  // The end of the connection reaches the client first.
  await host.advance(0)
  expect(host.logs.map(({ message }) => message)).toEqual(['new connection', 'downstream closed by 1'])
})

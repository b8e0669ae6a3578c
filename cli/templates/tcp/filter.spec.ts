import { createHost, type Host } from '@meshscript/sdk/testing'
import { afterEach, beforeEach, expect, test } from 'vitest'
import wasm from './assembly/index.ts?filter'
import configuration from './config.json' with { type: 'json' }

let host: Host
beforeEach(async () => {
  // Behind the filter is a service that sends everything back.
  host = await createHost({ wasm, configuration, type: 'network' })
})
afterEach(() => host?.close())

test('lets a connection with the token through, without the token', async () => {
  const connection = await host.connect()
  await connection.write('open sesame\nhello')
  expect((await connection.read()).toString()).toBe('hello')
  await connection.write(' again')
  expect((await connection.read(11)).toString()).toBe('hello again')
})

test('waits for a token that comes in pieces', async () => {
  const connection = await host.connect()
  await connection.write('open ')
  await connection.write('sesame\n')
  await connection.write('hello')
  expect((await connection.read()).toString()).toBe('hello')
})

test('closes a connection without the token', async () => {
  const connection = await host.connect()
  await connection.write('GET / HTTP/1.1\r\n')
  await connection.whenClosed()
  expect(connection.closed).toBe(true)
  await expect(host).toHaveMetric('refused_connections', 1)
})

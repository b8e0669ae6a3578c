/** What is counted of TCP connections: the same on both hosts. */
import { type ClientConnection, createHost, type Host, type HostOptions } from '@meshscript/sdk/testing'
import { afterEach, expect, test, vi } from 'vitest'
import filter from './assembly/index.ts?filter'

const SERVER = 'spiffe://cluster.local/ns/default/sa/server'
const CLIENT = 'spiffe://cluster.local/ns/web/sa/client'
const workload = { name: 'db-v1', namespace: 'default', canonicalService: 'db' }
const ALL = {
  TCP_OPENED_CONNECTIONS: {},
  TCP_CLOSED_CONNECTIONS: {},
  TCP_SENT_BYTES: {},
  TCP_RECEIVED_BYTES: {},
}

let host: Host | undefined
afterEach(() => host?.close())

async function start(metrics: object, options: HostOptions = {}): Promise<void> {
  const configuration = { version: 1, reporter: 'destination', workload, metrics }
  host = await createHost({ wasm: filter, type: 'network', configuration, ...options })
}

/** Sums by metric, and the labels that all of them have. */
async function counted(): Promise<{ sums: Record<string, number>; labels: Record<string, string> }> {
  const sums: Record<string, number> = {}
  let labels: [string, string][] = []
  for (const [stat, value] of Object.entries(await host!.metrics())) {
    const [, name] = /^istio_tcp_(\w+)/.exec(stat) ?? []
    if (name === undefined) continue
    sums[name] = (sums[name] ?? 0) + (value as number)
    labels = [...stat.matchAll(/\.(\w+)=\.=(.*?);\.;/g)].map(([, label, text]) => [label!, text!])
  }
  return { sums, labels: Object.fromEntries(labels) }
}

async function say(connection: ClientConnection, text: string): Promise<void> {
  await connection.write(text)
  await connection.read(text.length)
}

test('connections and bytes, once they are over', async () => {
  await start(ALL)
  for (const text of ['hello', 'more']) {
    const connection = await host!.connect()
    await say(connection, text)
    await connection.end()
    await connection.whenClosed()
  }
  const expected = { connections_opened_total: 2, connections_closed_total: 2, sent_bytes_total: 9, received_bytes_total: 9 } // prettier-ignore
  await vi.waitFor(async () => expect((await counted()).sums).toEqual(expected), 10_000)
  const { labels } = await counted()
  expect(Object.keys(labels)).toHaveLength(23)
  expect(labels).toMatchObject({
    reporter: 'destination',
    source_workload: 'unknown',
    destination_workload: 'db-v1',
    destination_service: 'db',
    destination_service_name: 'db',
    request_protocol: 'tcp',
    response_flags: '-',
    connection_security_policy: 'none',
  })
  expect(labels).not.toHaveProperty('response_code')
  expect(labels).not.toHaveProperty('grpc_response_status')
})

test('those that go on, from time to time', async () => {
  await start({ ...ALL, reportingInterval: '200ms' })
  const connection = await host!.connect()
  await say(connection, 'hello')
  await host!.advance(500)
  const soFar = { connections_opened_total: 1, sent_bytes_total: 5, received_bytes_total: 5 }
  await vi.waitFor(async () => expect((await counted()).sums).toMatchObject(soFar), 10_000)
  expect((await counted()).sums.connections_closed_total ?? 0).toBe(0)
  await say(connection, 'bye')
  await connection.end()
  await connection.whenClosed()
  const all = { connections_opened_total: 1, connections_closed_total: 1, sent_bytes_total: 8, received_bytes_total: 8 }
  await vi.waitFor(async () => expect((await counted()).sums).toEqual(all), 10_000)
})

test('with mutual TLS: principals', async () => {
  await start({ TCP_CLOSED_CONNECTIONS: {} }, { tls: { identity: SERVER } })
  const connection = await host!.connect({ peer: CLIENT })
  await say(connection, 'hello')
  await connection.end()
  await connection.whenClosed()
  await vi.waitFor(async () => expect((await counted()).sums).toEqual({ connections_closed_total: 1 }), 10_000)
  expect((await counted()).labels).toMatchObject({
    source_principal: CLIENT,
    source_workload_namespace: 'web',
    destination_principal: SERVER,
    connection_security_policy: 'mutual_tls',
  })
})

/** Messages of gRPC, however their bytes are cut. The same on both hosts. */
import { createHost, type Host, type HttpHandler } from '@meshscript/sdk/testing'
import { afterEach, expect, test } from 'vitest'
import withoutBodies from '../telemetry/assembly/index.ts?filter'
import filter from './assembly/index.ts?filter'

const metrics = {
  GRPC_REQUEST_MESSAGES: labels('request_protocol'),
  GRPC_RESPONSE_MESSAGES: labels('request_protocol'),
}
function labels(...kept: string[]) {
  const all = ['reporter', 'response_code', 'response_flags', 'connection_security_policy', 'grpc_response_status']
  const ends = [
    'workload',
    'canonical_service',
    'canonical_revision',
    'workload_namespace',
    'principal',
    'app',
    'version',
    'cluster',
  ]
  const both = ends.flatMap((end) => [`source_${end}`, `destination_${end}`])
  const services = ['destination_service', 'destination_service_name', 'destination_service_namespace']
  return { remove: [...all, ...both, ...services].filter((label) => !kept.includes(label)) }
}
const configuration = { version: 1, reporter: 'destination', workload: { name: 'a', namespace: 'b' }, metrics }

let host: Host | undefined
afterEach(() => host?.close())

const message = (length: number) => {
  const bytes = Buffer.alloc(5 + length, 1)
  bytes.writeUInt8(0, 0)
  bytes.writeUInt32BE(length, 1)
  return bytes
}
const messages = (...lengths: number[]) => Buffer.concat(lengths.map(message))
/** In pieces of so many bytes. */
const cut = (bytes: Buffer, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.subarray(i * size, (i + 1) * size))

const grpc =
  (body: Uint8Array | Uint8Array[]): HttpHandler =>
  () => ({
    headers: { 'content-type': 'application/grpc' },
    body,
    trailers: { 'grpc-status': '0' },
  })

async function counted(): Promise<Record<string, unknown>> {
  const found = await host!.metrics()
  return Object.fromEntries(Object.entries(found).filter(([name]) => name.includes('_messages_total')))
}
const REQUEST = 'istio_request_messages_total.request_protocol=.=grpc;.;'
const RESPONSE = 'istio_response_messages_total.request_protocol=.=grpc;.;'

test.each<[string, Buffer[], number]>([
  ['one message', [message(10)], 1],
  ['an empty one', [message(0)], 1],
  ['many in a chunk', [messages(0, 1, 2, 3, 100, 250, 251, 252, 0, 0)], 10],
  ['cut anywhere', cut(messages(3, 0, 7, 1), 2), 4],
  ['cut at every byte', cut(messages(3, 0, 7), 1), 3],
  ['longer than what is read at once', [messages(1000, 0, 5000, 3)], 4],
  ['one that is cut off', [message(10), message(10).subarray(0, 7)], 2],
  ['a head that is cut off', [message(10), message(10).subarray(0, 4)], 1],
  ['a length beyond everything', [message(1), Buffer.from([0, 255, 255, 255, 255, 1, 2, 3])], 2],
])('%s', async (_, chunks, count) => {
  host = await createHost({
    wasm: filter,
    configuration,
    upstream: { kind: 'http', protocol: 'http2', handler: grpc(chunks) },
  })
  const headers = { 'content-type': 'application/grpc+proto', te: 'trailers' }
  await host.request({ method: 'POST', protocol: 'http2', headers, body: chunks })
  await expect(host).toHaveMetric(REQUEST, count)
  await expect(host).toHaveMetric(RESPONSE, count)
})

test('requests add up', async () => {
  const handler = grpc(messages(1, 2, 3))
  host = await createHost({ wasm: filter, configuration, upstream: { kind: 'http', protocol: 'http2', handler } })
  const headers = { 'content-type': 'application/grpc', te: 'trailers' }
  for (let i = 0; i < 3; i++) await host.request({ method: 'POST', protocol: 'http2', headers, body: message(4) })
  await expect(host).toHaveMetric(REQUEST, 3)
  await expect(host).toHaveMetric(RESPONSE, 9)
})

test.each(['application/json', 'application/grpc-web', 'application/grpcx'])('%s is not gRPC', async (type) => {
  host = await createHost({ wasm: filter, configuration })
  await host.request({ method: 'POST', headers: { 'content-type': type }, body: message(4) })
  expect(await counted()).toEqual({})
})

test('telemetry.wasm does not count them, and says so', async () => {
  host = await createHost({ wasm: withoutBodies, configuration })
  await host.request({ method: 'POST', headers: { 'content-type': 'application/grpc' }, body: message(4) })
  expect(await counted()).toEqual({})
  expect(host).toContainLog('info', 'telemetry-grpc.wasm does that')
})

test('traces and the exchange of metadata go on', async () => {
  host = await createHost({ wasm: filter, configuration: { ...configuration, traces: {} } })
  const response = await host.request({ headers: { 'content-type': 'application/grpc' } })
  expect(response.upstream!.headers.get('traceparent')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/)
})

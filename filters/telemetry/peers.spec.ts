/** Who the other side is: by certificate, by its own words, by address. The same on both hosts. */
import { createHost, type Host, type HostOptions } from '@meshscript/sdk/testing'
import { afterEach, expect, test } from 'vitest'
import filter from './assembly/index.ts?filter'
import telling from '../telemetry-headers/assembly/index.ts?filter'

const workload = { name: 'ratings-v1', namespace: 'default', app: 'ratings', cluster: 'east' }
const FRONT = 'spiffe://cluster.local/ns/web/sa/front'
/** What Istio's own proxy sends, in Istio's order. */
const PRODUCTPAGE = struct({
  CLUSTER_ID: 'client-cluster',
  LABELS: {
    app: 'productpage',
    'service.istio.io/canonical-name': 'productpage-v1',
    'service.istio.io/canonical-revision': 'version-1',
    version: 'v1',
  },
  NAME: 'productpage-v1-84975bc778-pxz2w',
  NAMESPACE: 'shop',
  OWNER: 'kubernetes://apis/apps/v1/namespaces/shop/deployments/productpage-v1',
  WORKLOAD_NAME: 'productpage-v1',
})

type Fields = { [name: string]: string | Fields }
function field(number: number, bytes: Uint8Array | string): Buffer {
  const data = Buffer.from(bytes)
  const length = data.length < 128 ? [data.length] : [(data.length & 127) | 128, data.length >> 7]
  return Buffer.concat([Buffer.from([(number << 3) | 2, ...length]), data])
}
/** A google.protobuf.Struct. */
function message(fields: Fields): Buffer {
  const entries = Object.entries(fields).map(([name, value]) => {
    const inner = typeof value === 'string' ? field(3, value) : field(5, message(value))
    return field(1, Buffer.concat([field(1, name), field(2, inner)]))
  })
  return Buffer.concat(entries)
}
function struct(fields: Fields): string {
  return message(fields).toString('base64')
}

let host: Host | undefined
afterEach(() => host?.close())

async function start(configuration: object, options: HostOptions = {}): Promise<void> {
  const metrics = { REQUEST_COUNT: {} }
  host = await createHost({
    wasm: telling,
    configuration: { version: 1, reporter: 'destination', workload, metrics, ...configuration },
    ...options,
  })
}

async function labels(): Promise<Record<string, string>> {
  const stats = Object.keys(await host!.metrics()).filter((stat) => stat.startsWith('istio_requests_total'))
  expect(stats).toHaveLength(1)
  return Object.fromEntries([...stats[0]!.matchAll(/\.(\w+)=\.=(.*?);\.;/g)].map(([, label, text]) => [label!, text!]))
}

const front = { name: 'front-v1', namespace: 'web', app: 'front', version: 'v1', canonicalService: 'front' }

test('by its certificate, whatever it says', async () => {
  const tls = { identity: 'spiffe://cluster.local/ns/default/sa/ratings' }
  await start({ metadataExchange: true, peers: [{ ...front, principal: FRONT }] }, { tls })
  await host!.request('/', { peer: FRONT, headers: { 'x-envoy-peer-metadata': PRODUCTPAGE } })
  expect(await labels()).toMatchObject({
    source_workload: 'front-v1',
    source_workload_namespace: 'web',
    source_principal: FRONT,
    source_app: 'front',
    source_canonical_service: 'front',
    source_canonical_revision: 'latest',
  })
})

test('by its address', async () => {
  const peers = [
    { name: 'other', namespace: 'vm', address: '10.0.0.0/8' },
    { ...front, address: '127.0.0.0/8' },
  ]
  await start({ peers })
  await host!.request('/', { source: '127.0.0.7' })
  expect(await labels()).toMatchObject({ source_workload: 'front-v1', source_workload_namespace: 'web' })
})

test('by its own words; it is told who we are, and the service learns of neither', async () => {
  await start({ metadataExchange: true })
  const { headers, upstream } = await host!.request('/', {
    headers: { 'x-envoy-peer-metadata': PRODUCTPAGE, 'x-envoy-peer-metadata-id': 'sidecar~10.0.0.1~a.b~c' },
  })
  expect(await labels()).toMatchObject({
    source_workload: 'productpage-v1',
    source_workload_namespace: 'shop',
    source_canonical_service: 'productpage-v1',
    source_canonical_revision: 'version-1',
    source_app: 'productpage',
    source_version: 'v1',
    source_cluster: 'client-cluster',
  })
  expect(upstream!.headers.has('x-envoy-peer-metadata')).toBe(false)
  expect(upstream!.headers.has('x-envoy-peer-metadata-id')).toBe(false)
  expect(headers.get('x-envoy-peer-metadata')).toBe(
    struct({ CLUSTER_ID: 'east', LABELS: { app: 'ratings' }, NAMESPACE: 'default', WORKLOAD_NAME: 'ratings-v1' }),
  )
  expect(headers.get('x-envoy-peer-metadata-id')).toBe('meshscript')
})

test.each(['', '%%%', 'AAAA', struct({ LABELS: { app: 'a' } }).slice(0, 10)])(
  'is unknown by words like %j',
  async (value) => {
    await start({ metadataExchange: true })
    const { status, upstream } = await host!.request('/', { headers: { 'x-envoy-peer-metadata': value } })
    expect(status).toBe(200)
    expect(upstream!.headers.has('x-envoy-peer-metadata')).toBe(false)
    expect(await labels()).toMatchObject({ source_workload: 'unknown', source_app: 'unknown' })
  },
)

test('without the exchange, nobody is asked or told', async () => {
  await start({})
  const { headers, upstream } = await host!.request('/', { headers: { 'x-envoy-peer-metadata': PRODUCTPAGE } })
  expect(await labels()).toMatchObject({ source_workload: 'unknown' })
  expect(upstream!.headers.get('x-envoy-peer-metadata')).toBe(PRODUCTPAGE)
  expect(headers.has('x-envoy-peer-metadata')).toBe(false)
})

test('the module without callbacks for headers counts all the same, and says what it does not', async () => {
  await start({ metadataExchange: true }, { wasm: filter })
  const { upstream } = await host!.request('/', { headers: { 'x-envoy-peer-metadata': PRODUCTPAGE } })
  expect(await labels()).toMatchObject({ source_workload: 'unknown' })
  expect(upstream!.headers.get('x-envoy-peer-metadata')).toBe(PRODUCTPAGE)
  expect(host!.logs.map(({ message }) => message).join()).toContain('telemetry-headers.wasm')
})

test('the side that asks tells first, and hears with the response', async () => {
  await start(
    { reporter: 'source', metadataExchange: true },
    { upstream: () => ({ headers: { 'x-envoy-peer-metadata': PRODUCTPAGE, 'x-envoy-peer-metadata-id': 'x' } }) },
  )
  const { headers, upstream } = await host!.request('/')
  expect(upstream!.headers.has('x-envoy-peer-metadata')).toBe(true)
  expect(upstream!.headers.get('x-envoy-peer-metadata-id')).toBe('meshscript')
  expect(headers.has('x-envoy-peer-metadata')).toBe(false)
  expect(headers.has('x-envoy-peer-metadata-id')).toBe(false)
  expect(await labels()).toMatchObject({
    reporter: 'source',
    source_workload: 'ratings-v1',
    destination_workload: 'productpage-v1',
    destination_workload_namespace: 'shop',
    destination_service_namespace: 'shop',
    destination_cluster: 'client-cluster',
  })
})

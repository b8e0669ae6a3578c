/**
 * A bundle does what the chain of its filters does: three filters that do what a request's headers say, `x-a: deny` the first of them, once as
 * three plugins and once as one.
 */

import {
  cluster,
  createHost,
  type Host,
  type HostOptions,
  type RequestInit,
  type Response,
} from '@meshscript/sdk/testing'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { build, buildOne } from './build.ts'

const NAMES = ['a', 'b', 'c']
const FILES = ['first', 'second', 'third']
const TICK = 10

const around = (): HostOptions => ({
  upstream: {
    kind: 'http',
    protocol: 'http2',
    handler: ({ body, headers }) => ({
      body: `got ${body.toString()}`,
      ...(headers.has('x-end') && { trailers: { 'x-end': '1' } }),
    }),
  },
  clusters: {
    auth: cluster.http(() => 200),
    grpc: cluster.grpc({
      'pkg.Service/Method': ([question]) => ({ messages: [Buffer.from(`hello ${Buffer.from(question!).toString()}`)] }),
    }),
  },
})

/** Built before the tests, which have less time. */
const [one, all] = [await buildOne('first.ts'), await build(...FILES.map((file) => `${file}.ts`))]

let chain: Host
let bundle: Host
/** Where `allow_on_headers_stop_iteration` holds. */
let openChain: Host
let openBundle: Host

beforeAll(async () => {
  const configuration = {
    version: 1,
    ...Object.fromEntries(FILES.map((file, i) => [file, { name: NAMES[i], tick: TICK, queue: `q-${NAMES[i]}` }])),
  }
  const plugins = NAMES.map((name) => ({
    wasm: one,
    name,
    vmId: name,
    configuration: { name, tick: TICK, queue: `q-${name}` },
  }))
  const open = { allowOnHeadersStopIteration: true }
  chain = await createHost({ ...around(), filters: plugins })
  bundle = await createHost({ ...around(), wasm: all, name: 'bundle', rootId: 'bundle', vmId: 'bundle', configuration })
  openChain = await createHost({ ...around(), filters: plugins.map((plugin) => ({ ...plugin, ...open })) })
  openBundle = await createHost({ ...around(), wasm: all, name: 'bundle', vmId: 'bundle', configuration, ...open })
})
afterAll(() => Promise.all([chain, bundle, openChain, openBundle].map((host) => host?.close())))

/** Sends a request to both; answers what was seen of it. */
async function both(init: RequestInit, send = whole, hosts = [chain, bundle]): Promise<[Seen, Seen]> {
  return [await send(hosts[0]!, init), await send(hosts[1]!, init)]
}

type Seen = ReturnType<typeof seen>

function seen(response: Response) {
  const { status, text, headers, upstream, localReply } = response
  return {
    status,
    text,
    passed: headers.getAll('x-passed'),
    by: headers.get('x-by'),
    details: localReply?.details.replace(/\S*via_wasm.*/, 'via wasm'),
    upstream: upstream && { seen: upstream.headers.getAll('x-seen'), body: upstream.body.toString() },
    trailers: upstream?.trailers.getAll('x-trailer'),
  }
}

async function whole(host: Host, init: RequestInit): Promise<Seen> {
  const response = host.request('/', init)
  await host.advance(3 * TICK)
  return seen(await response)
}

const inPieces = (host: Host, init: RequestInit) => streamed(host, init, { body: 'three' })
const withTrailers = (host: Host, init: RequestInit) => streamed(host, init, { trailers: { 'x-sent': '1' } })

async function streamed(host: Host, init: RequestInit, last: { body: string } | { trailers: Record<string, string> }) {
  const stream = await host.stream({ method: 'POST', path: '/', protocol: 'http2', ...init })
  await stream.write('one')
  await stream.write('two')
  await stream.end(last)
  await host.advance(3 * TICK)
  return seen(await stream.response())
}

const ORDERS = [
  'deny',
  'deny-on',
  'continue-own',
  'tick',
  'call',
  'call-deny',
  'grpc',
  'response-tick',
  'response-append',
  'response-buffer',
]
const BODY_ORDERS = ['buffer', 'append', 'upper', 'body-tick', 'watermark', 'tick', 'call']

describe.each(ORDERS)('%s', (order) => {
  test.each<Record<string, string>>([
    { 'x-a': order },
    { 'x-b': order },
    { 'x-c': order },
    { 'x-a': order, 'x-b': order, 'x-c': order },
    { 'x-a': 'call', 'x-b': order, 'x-c': 'tick' },
  ])('%j', async (headers) => {
    const [expected, got] = await both({ headers })
    expect(got).toEqual(expected)
  })
})

describe.each(BODY_ORDERS)('bodies: %s', (order) => {
  test.each<Record<string, string>>([
    { 'x-a': order },
    { 'x-b': order },
    { 'x-c': order },
    { 'x-a': order, 'x-b': order },
    { 'x-a': 'append', 'x-b': order, 'x-c': 'append' },
    { 'x-a': 'append', 'x-c': order },
    // Where headers wait, what comes meanwhile is one piece for all filters of a bundle.
    ...(order === 'tick' || order === 'call' ? [] : [{ 'x-b': 'upper', 'x-c': order }]),
    { 'x-a': order, 'x-b': 'call', 'x-c': 'buffer' },
  ])('%j', async (headers) => {
    const [expected, got] = await both({ headers }, inPieces)
    expect(got).toEqual(expected)
    expect(got.status).toBe(200)
  })
  test('with trailers', async () => {
    const [expected, got] = await both({ headers: { 'x-b': order } }, withTrailers)
    expect(got).toEqual(expected)
    expect(got.trailers).toEqual(NAMES)
  })
})

describe('with allow_on_headers_stop_iteration, headers wait for the body', () => {
  test.each<Record<string, string>>([
    { 'x-a': 'body-first' },
    { 'x-b': 'body-first' },
    { 'x-c': 'body-first' },
    { 'x-a': 'body-first', 'x-b': 'body-first', 'x-c': 'body-first' },
    { 'x-a': 'append', 'x-b': 'body-first', 'x-c': 'append' },
    { 'x-a': 'buffer', 'x-b': 'body-first', 'x-c': 'buffer' },
    { 'x-a': 'body-first', 'x-b': 'deny' },
    { 'x-a': 'body-first', 'x-c': 'body-tick' },
  ])('%j', async (headers) => {
    for (const send of [inPieces, withTrailers]) {
      const [expected, got] = await both({ headers }, send, [openChain, openBundle])
      expect(got).toEqual(expected)
    }
  })
})

test('filters run in order, responses in reverse, and see what the ones before have changed', async () => {
  const { upstream, passed } = await whole(bundle, {})
  const numbers = upstream!.seen.map((text) => Number(text.split(':')[1]))
  expect(upstream!.seen.map((text) => text.split(':')[0])).toEqual(NAMES)
  expect(numbers).toEqual([numbers[0]!, numbers[0]! + 1, numbers[0]! + 2])
  expect(passed).toEqual(['c', 'b', 'a'])
})

test('filters log a request too that has not come to them', async () => {
  for (const host of [chain, bundle]) {
    const before = host.logs.length
    await host.request('/', { headers: { 'x-b': 'deny' } })
    await expect
      .poll(() => host.logs.slice(before).flatMap(({ message }) => /^\w logs$/.exec(message) ?? []))
      .toEqual(['a logs', 'b logs', 'c logs'])
  }
})

test('a body that is held until the trailers come is shown to the filters behind', async () => {
  const headers = { 'x-end': '1', 'x-b': 'response-mark', 'x-c': 'response-buffer' }
  const [expected, got] = await both({ headers, protocol: 'http2' })
  expect(got).toEqual(expected)
  expect(got.text).toBe('+got ')
})

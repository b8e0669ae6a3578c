/** Random requests through a chain of three filters and through a bundle of them: both do the same. */

import { cluster, createHost, type Host, type HostOptions } from '@meshscript/sdk/testing'
import { afterEach, expect, test } from 'vitest'
import { build, buildOne } from './build.ts'

const NAMES = ['a', 'b', 'c']
const FILES = ['first', 'second', 'third']
const TICK = 5
const CASES = { node: 600, envoy: 80, docker: 40 }

/** What a filter is told to do with its half of the stream. Those that read a body piece by piece, and so tell where it was cut, are left out. */
const ORDERS = [
  ...['', '', 'deny', 'deny-on', 'continue-own', 'tick', 'call', 'call-deny', 'grpc'],
  ...['response-tick', 'response-append', 'response-buffer', 'buffer', 'append', 'body-tick', 'watermark'],
]
/** Where headers wait, and a filter of the same bundle holds the body until trailers come, Envoy loses it: docs/bundle.md. */
const WAITING = ['tick', 'call', 'call-deny', 'grpc']

const [one, all] = [await buildOne('first.ts'), await build(...FILES.map((file) => `${file}.ts`))]

const around: HostOptions = {
  logLevel: 'error',
  upstream: { kind: 'http', protocol: 'http2', handler: ({ body }) => `got ${body.toString()}` },
  clusters: {
    auth: cluster.http(() => 200),
    grpc: cluster.grpc({ 'pkg.Service/Method': (messages) => ({ messages }) }),
  },
}

const hosts: Host[] = []
afterEach(async () => {
  await Promise.all(hosts.splice(0).map((host) => host.close()))
})

/** Numbers that are the same in every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed
  return (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff
    return (state >> 8) % below
  }
}

interface Case {
  headers: Record<string, string>
  chunks: number
  end: { body?: string; trailers?: Record<string, string> }
}

function makeCase(random: (below: number) => number): Case {
  const orders = NAMES.map((name) => [`x-${name}`, ORDERS[random(ORDERS.length)]!] as const)
  const waits = orders.some(([, order]) => WAITING.includes(order))
  const ends: Case['end'][] = [{}, { body: 'end' }, ...(waits ? [] : [{ trailers: { t: '1' } }])]
  return {
    headers: Object.fromEntries(orders.filter(([, order]) => order !== '')),
    chunks: random(4),
    end: ends[random(ends.length)]!,
  }
}

async function send(host: Host, { headers, chunks, end }: Case) {
  const stream = await host.stream({ method: 'POST', path: '/', protocol: 'http2', headers })
  for (let i = 0; i < chunks; i++) await stream.write(`c${i}`)
  await stream.end(end)
  await host.advance(8 * TICK)
  const { status, text, headers: answer, upstream } = await stream.response()
  return {
    status,
    text,
    passed: answer.getAll('x-passed'),
    seen: upstream?.headers.getAll('x-seen'),
    body: upstream?.body.toString(),
    trailers: upstream?.trailers.getAll('x-trailer'),
  }
}

test('a bundle does what the chain does', async () => {
  const part = (name: string) => ({ name, tick: TICK })
  const configuration = { version: 1, ...Object.fromEntries(FILES.map((file, i) => [file, part(NAMES[i]!)])) }
  const filters = NAMES.map((name) => ({ wasm: one, name, vmId: name, configuration: part(name) }))
  const chain = await createHost({ ...around, filters })
  hosts.push(chain)
  const bundle = await createHost({ ...around, wasm: all, name: 'bundle', configuration })
  hosts.push(bundle)
  const random = randomNumbers(2026)
  for (let i = 0; i < CASES[bundle.name]; i++) {
    const request = makeCase(random)
    const [expected, got] = await Promise.all([send(chain, request), send(bundle, request)])
    expect({ request, ...got }).toEqual({ request, ...expected })
  }
  expect([...chain.logs, ...bundle.logs]).toEqual([])
})

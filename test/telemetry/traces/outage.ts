/** Requests through Envoy while the receiver of their spans fails, and after that. */
import { setTimeout as sleep } from 'node:timers/promises'
import { createEnvoyHost, LISTENER } from '@meshscript/sdk/testing/envoy/index'
import type { Host } from '@meshscript/sdk/testing'
import { residentMemory } from '../../bench/cpu.ts'
import { type Load, load } from './load.ts'
import { type Behaviour, Receiver } from './receiver.ts'

/** Spans that the filter keeps at most. */
export const QUEUE = 256

export interface Outage {
  /** Before and while the receiver fails. */
  before: Load
  during: Load
  /** Bytes of Envoy: before, after the first fifth of it, at its end. */
  resident: [number, number, number]
  /** Spans of all requests by what has become of them, and how many the receiver has. */
  sent: number
  dropped: number
  rejected: number
  taken: number
  /** Of those, while it failed. */
  takenDuring: number
  /** Requests to the receiver while it failed. */
  tries: number
  /** Milliseconds from its recovery until all was sent. */
  recovery: number
}

export interface OutageOptions {
  /** The filter. */
  wasm: string
  failure: Behaviour
  /** Seconds that it fails. */
  seconds: number
  /** Seconds before that. */
  warmUp: number
  /** Milliseconds that the filter waits for an answer. */
  timeout: number
  /** Milliseconds in which all must be sent after it. */
  patience: number
}

/** Ways to fail. */
export const FAILURES: readonly Behaviour[] = ['gone', 'resets', 'hangs', 'slow', 'late', 503, 429, 500, 400]

/** Whether spans are kept for a receiver that answers so; else they are lost, as OTLP has it. */
export const isTemporary = (failure: Behaviour): boolean => failure !== 500 && failure !== 400

/** Has the receiver fail, and answers what came of it. */
export async function outage(options: OutageOptions): Promise<Outage> {
  const { wasm, failure, seconds, warmUp, timeout, patience } = options
  const receiver = new Receiver(timeout)
  await receiver.become('takes')
  const exporter = { type: 'otlp', cluster: 'collector' }
  const batch = { maxItems: 64, maxQueue: QUEUE, interval: '50ms', timeout: `${timeout}ms` }
  const host = await createEnvoyHost({
    wasm,
    configuration: {
      version: 1,
      reporter: 'destination',
      workload: { name: 'cart', namespace: 'shop' },
      traces: { exporter, batch },
    },
    routes: [{ directResponse: { status: 200, body: 'ok' } }],
    bootstrap: { static_resources: { clusters: [receiver.cluster('collector')] } },
  }).catch(async (error: unknown) => {
    await receiver.close()
    throw error
  })
  try {
    const port = host.envoy.ports[LISTENER]!
    const before = await load(port, sleep(warmUp * 1000))
    await until(async () => (await items(host)).sent === before.requests, patience)
    const resident = residentMemory(host.envoy.pid)
    const [tries, taken] = [receiver.requests, receiver.taken.size]
    await receiver.become(failure)
    const loaded = load(port, sleep(seconds * 1000))
    await sleep(seconds * 200)
    const early = residentMemory(host.envoy.pid)
    const during = await loaded
    const late = residentMemory(host.envoy.pid)
    const [triesAfter, takenAfter] = [receiver.requests, receiver.taken.size]
    await receiver.become('takes')
    const began = performance.now()
    const all = before.requests + during.requests
    await until(async () => {
      const { sent, dropped, rejected } = await items(host)
      return sent + dropped + rejected === all
    }, patience)
    return {
      before,
      during,
      resident: [resident, early, late],
      ...(await items(host)),
      taken: receiver.taken.size,
      takenDuring: takenAfter - taken,
      tries: triesAfter - tries,
      recovery: performance.now() - began,
    }
  } finally {
    await host.close()
    await receiver.close()
  }
}

async function items(host: Host): Promise<Pick<Outage, 'sent' | 'dropped' | 'rejected'>> {
  const metrics = await host.metrics()
  const of = (result: string) =>
    (metrics[`telemetry_items_total.signal=.=spans;.;.result=.=${result};.;`] as number | undefined) ?? 0
  return { sent: of('sent'), dropped: of('dropped'), rejected: of('rejected') }
}

async function until(isSo: () => Promise<boolean>, patience: number): Promise<void> {
  const end = performance.now() + patience
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`spans are neither sent nor counted as lost after ${patience} ms`)
    await sleep(20)
  }
}

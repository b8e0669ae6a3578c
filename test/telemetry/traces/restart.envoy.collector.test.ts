/** The OpenTelemetry Collector ends, and is back: requests do not notice, and it gets what has come meanwhile. */
import { expect, test } from 'vitest'
import wasm from '../../../filters/telemetry-headers/assembly/index.ts?filter'
import { Chain } from './chain.ts'
import { Collector, type Receiver } from './collector.ts'
import { expectNested, tracesOf } from './expectations.ts'

test.each<Receiver>(['otlp', 'zipkin', 'datadog'])(
  '%s',
  async (receiver) => {
    const collector = await Collector.start()
    const chain = await Chain.start(collector, () => ({
      receiver,
      filter: { wasm, traces: { exporter: { type: receiver, cluster: 'collector' } } },
    })).catch(async (error: unknown) => {
      await collector.kill()
      throw error
    })
    try {
      expect(await chain.request()).toBe(200)
      // What it has taken without having said so would be sent to it again.
      await expect.poll(() => chain.sent(), { timeout: 10_000 }).toBe(5)
      await collector.kill()
      for (let i = 0; i < 10; i++) expect(await chain.request()).toBe(200)
      await collector.resume()
      const traces = await tracesOf(collector, 11)
      expect(traces).toHaveLength(11)
      for (const trace of traces) expectNested(trace)
    } finally {
      await chain.close()
      await collector.kill()
    }
  },
  300_000,
)

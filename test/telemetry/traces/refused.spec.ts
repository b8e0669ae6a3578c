/** A receiver that has refused spans, and then fails: refusals are no failures, after which it is waited for ever longer. */
import { cluster, createHost, type Host } from '@meshscript/sdk/testing'
import { afterEach, expect, test } from 'vitest'
import wasm from '../../../filters/telemetry-headers/assembly/index.ts?filter'

let host: Host | undefined
afterEach(() => host?.close())

test('what it fails to take after refusals is sent again soon', async () => {
  let status = 400
  host = await createHost({
    wasm,
    configuration: {
      version: 1,
      reporter: 'destination',
      workload: { name: 'cart', namespace: 'shop' },
      traces: { exporter: { type: 'otlp', cluster: 'collector' }, batch: { interval: '20ms' } },
    },
    clusters: { collector: cluster.http(() => status) },
  })
  const tries = async (count: number) => {
    for (let i = 0; i < 50 && host!.callouts.length < count; i++) await host!.advance('20ms')
    expect(host!.callouts).toHaveLength(count)
  }
  for (let i = 1; i <= 10; i++) {
    await host.request()
    await tries(i)
  }
  status = 503
  await host.request()
  await tries(11)
  status = 200
  await tries(12)
  const items = (result: string) => `telemetry_items_total.signal=.=spans;.;.result=.=${result};.;`
  await expect(host).toHaveMetric(items('rejected'), 10)
  await expect(host).toHaveMetric(items('sent'), 1)
  const messages = host.logs.map(({ message }) => message).filter((message) => message.startsWith('spans:'))
  expect(messages).toEqual([
    'spans: collector refuses 1: status 400',
    'spans: collector takes none: status 503; they are kept',
    'spans: collector takes them again',
  ])
})

/** Which requests have a span that is sent. The same on both hosts. */
import type { Response } from '@meshscript/sdk/testing'
import { describe, expect, test } from 'vitest'
import routing from '../../routing/assembly/index.ts?filter'
import filter from '../../telemetry-headers/assembly/index.ts?filter'
import { host, startHost } from '../testing.ts'
import { sent, start, traceparent, workload } from './testing.ts'

describe('sampling', () => {
  const isSampled = (response: Response) => sent(response, 'traceparent')!.endsWith('-01')

  // The first eight digits modulo 10 000, as Envoy does.
  test.each([
    ['00000063-0000-4000-8000-000000000000', 1, true],
    ['00000064-0000-4000-8000-000000000000', 1, false],
    ['00002773-0000-4000-8000-000000000000', 1, true],
    ['00000064-0000-9000-8000-000000000000', 0, true],
    ['00000064-0000-a000-8000-000000000000', 0, true],
    ['00000064-0000-b000-8000-000000000000', 0, true],
    ['00000000-0000-4000-8000-000000000000', 0, false],
    ['0000270f-0000-4000-8000-000000000000', 100, true],
  ])('request id %s, %d %%: %s', async (id, sampling, expected) => {
    await start({ sampling })
    expect(isSampled(await host.request({ headers: { 'x-request-id': id } }))).toBe(expected)
  })

  test('what the request says of its trace is respected', async () => {
    await start({ sampling: 0 })
    expect(isSampled(await host.request({ headers: { traceparent: traceparent() } }))).toBe(true)
    expect(isSampled(await host.request())).toBe(false)
    await host.reconfigure({ version: 1, reporter: 'destination', workload, traces: { sampling: 100 } })
    expect(isSampled(await host.request({ headers: { traceparent: traceparent('00') } }))).toBe(false)
  })

  test('x-envoy-force-trace demands one', async () => {
    // Envoy takes it from clients, but not from a filter in front.
    const routes = [
      { headers: { request: { set: { 'x-envoy-force-trace': '1' } } }, destinations: [{ cluster: 'upstream' }] },
    ]
    const forcing = { version: 1, virtualHosts: [{ domains: ['*'], routes }] }
    const configuration = { version: 1, reporter: 'destination', workload, traces: { sampling: 0 } }
    await startHost({
      filters: [
        { wasm: routing, name: 'routing', configuration: forcing },
        { wasm: filter, name: 'telemetry', configuration },
      ],
    })
    expect(isSampled(await host.request())).toBe(true)
  })

  test('by chance, about as many as it says', async () => {
    await start({ sampling: 30, useRequestId: false })
    let sampled = 0
    for (let i = 0; i < 400; i++) if (isSampled(await host.request())) sampled++
    // 120, and 5 standard deviations of 9.2.
    expect(sampled).toBeGreaterThan(74)
    expect(sampled).toBeLessThan(166)
  })
})

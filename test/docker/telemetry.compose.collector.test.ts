/** The demo of metrics and traces, in containers: nested spans and their counts; nothing is left of it. */

import { expect, test } from 'vitest'
import { readSpans } from '../../examples/payments/spans.ts'
import { Demo } from './demo.ts'

const IMAGES = ['envoy', 'node', 'prometheus', 'collector']
const demo = new Demo('examples/payments/telemetry.ts', IMAGES, ['PORT', 'ADMIN_PORT', 'PROMETHEUS_PORT'])

test('spans of three hops, each the parent of the next one', () => {
  const lines = demo.output.split('\n').filter((line) => / (server|client) GET /.test(` ${line}`))
  expect(lines.map((line) => line.trim().split(/ {2,}/).slice(0, 2))).toEqual([
    ['server GET', 'checkout.shop'],
    ['client GET', 'checkout.shop'],
    ['server GET', 'payments.shop'],
  ])
  expect(demo.output).toContain('Each is the parent of the next one.')
})

test('both sides count the requests, and know each other', () => {
  for (const reporter of ['destination', 'source'])
    expect(demo.output).toMatch(new RegExp(`^${reporter} +checkout +payments +200 +5$`, 'm'))
})

test('what it says to try makes another trace', async () => {
  const [, url] = /curl (http:\S+\/charge)\n/.exec(demo.output)!
  const [, file] = /tail -n 1 (\S+)\n/.exec(demo.output)!
  const trace = '4bf92f3577b34da6a3ce929d0e0e4736'
  const response = await fetch(url!, { headers: { traceparent: `00-${trace}-00f067aa0ba902b7-01` } })
  expect(await response.text()).toBe('payments: GET /charge done\n')
  await expect
    .poll(() => readSpans(file!).filter(({ traceId }) => traceId === trace).length, { timeout: 10_000 })
    .toBe(3)
})

test('Ctrl-C ends and removes all of it', async () => {
  expect(await demo.containers()).toHaveLength(5)
  expect(await demo.interrupt()).toBe(0)
  expect(await demo.containers()).toEqual([])
}, 60_000)

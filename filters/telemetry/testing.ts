/** What the specs of telemetry share: one host a test, which is closed after it. */
import { createHost, type Host, type HostOptions } from '@meshscript/sdk/testing'
import { afterEach, expect } from 'vitest'

export const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
export const SPAN = '00f067aa0ba902b7'

/** The host of this test. */
export let host: Host

let isOpen = false
afterEach(async () => {
  if (isOpen) await host.close()
  isOpen = false
})

/** Starts the host of this test. */
export async function startHost(options: HostOptions): Promise<Host> {
  host = await createHost(options)
  isOpen = true
  return host
}

/** Until receivers have at least so many requests. */
export async function received(count = 1): Promise<void> {
  for (let i = 0; i < 100 && host.callouts.length < count; i++) await host.advance('20ms')
  expect(host.callouts.length).toBeGreaterThanOrEqual(count)
}

/** Until the filter has counted so many: it reads a receiver's answer after the receiver has the request. */
export async function counted(stat: string, value: number): Promise<void> {
  const now = async () => (await host.metrics())[stat]
  for (let i = 0; i < 200 && (await now()) !== value; i++) await host.advance('50ms')
  expect(await now(), stat).toBe(value)
}

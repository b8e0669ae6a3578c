/** 10 000 values of a label are offered to real Envoy: its stats are bounded, and its memory stays as it is. */
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { createEnvoyHost, LISTENER } from '../../sdk/testing/envoy/index.ts'
import filter from '../../filters/telemetry/assembly/index.ts?filter'
import { residentMemory } from '../bench/cpu.ts'

const MAX = 200

test('series and memory are bounded', async () => {
  const host = await createEnvoyHost({
    wasm: filter,
    configuration: {
      version: 1,
      reporter: 'destination',
      workload: { name: 'cart', namespace: 'shop' },
      metrics: { REQUEST_COUNT: {}, REQUEST_DURATION: {}, REQUEST_SIZE: {}, RESPONSE_SIZE: {}, maxSeries: MAX },
    },
    routes: [{ directResponse: { status: 200, body: 'ok' } }],
  })
  try {
    const port = host.envoy.ports[LISTENER]!
    await offer(port, 0, 2000)
    const warm = residentMemory(host.envoy.pid)
    await offer(port, 2000, 10_000)
    // So that a leak of a hundred bytes for each further value would show.
    expect(residentMemory(host.envoy.pid)).toBeLessThan(1.02 * warm)
    const counts = Object.entries(await host.metrics()).filter(([stat]) => stat.startsWith('istio_requests_total.'))
    expect(counts).toHaveLength(MAX + 1)
    expect(counts.reduce((sum, [, value]) => sum + (value as number), 0)).toBe(10_000)
  } finally {
    await host.close()
  }
}, 30_000)

/** A request for each number from `from` to before `to`, one after the other on one connection. */
function offer(port: number, from: number, to: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1')
    let next = from
    let answer = ''
    const ask = () => {
      answer = ''
      if (next < to) socket.write(`GET / HTTP/1.1\r\nhost: host-${next++}\r\n\r\n`)
      else socket.end()
    }
    socket.on('connect', ask)
    socket.on('data', (chunk: string) => {
      answer += chunk
      if (answer.endsWith('\r\n\r\nok')) ask()
    })
    socket.on('error', reject)
    socket.on('close', () => resolve())
  })
}

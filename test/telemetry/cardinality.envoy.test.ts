/** 10 000 values of a label, and 30 000 peers, are offered to real Envoy: its stats are bounded, and its memory stays as it is. */
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { createEnvoyHost, LISTENER } from '../../sdk/testing/envoy/index.ts'
import filter from '../../filters/telemetry/assembly/index.ts?filter'
import telling from '../../filters/telemetry-headers/assembly/index.ts?filter'
import { residentMemory } from '../bench/cpu.ts'
import { peerMetadata } from './peer_metadata.ts'

const MAX = 200

test.each<[string, string, object, (n: number) => string, warmUp: number, count: number]>([
  ['authorities', filter, {}, (n) => `host: host-${n}`, 2000, 10_000],
  // Some say more than is remembered.
  [
    'peers',
    telling,
    { metadataExchange: true },
    (n) => `host: a\r\nx-envoy-peer-metadata: ${peerMetadata(n, n % 100 ? 500 : 6000)}`,
    6000,
    30_000,
  ],
])(
  '%s: series and memory are bounded',
  async (_, wasm, further, headersOf, warmUp, count) => {
    const host = await createEnvoyHost({
      wasm,
      configuration: {
        version: 1,
        reporter: 'destination',
        workload: { name: 'cart', namespace: 'shop' },
        metrics: { REQUEST_COUNT: {}, REQUEST_DURATION: {}, REQUEST_SIZE: {}, RESPONSE_SIZE: {}, maxSeries: MAX },
        ...further,
      },
      routes: [{ directResponse: { status: 200, body: 'ok' } }],
    })
    try {
      const port = host.envoy.ports[LISTENER]!
      await offer(port, 0, warmUp, headersOf)
      const warm = residentMemory(host.envoy.pid)
      await offer(port, warmUp, count, headersOf)
      // So that a leak of a hundred bytes for each further value would show.
      expect(residentMemory(host.envoy.pid)).toBeLessThan(1.02 * warm)
      const counts = Object.entries(await host.metrics()).filter(([stat]) => stat.startsWith('istio_requests_total.'))
      expect(counts).toHaveLength(MAX + 1)
      expect(counts.reduce((sum, [, value]) => sum + (value as number), 0)).toBe(count)
    } finally {
      await host.close()
    }
  },
  60_000,
)

/** A request for each number from `from` to before `to`, one after the other on one connection. */
function offer(port: number, from: number, to: number, headersOf: (n: number) => string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1')
    let next = from
    let answer = ''
    const ask = () => {
      answer = ''
      if (next < to) socket.write(`GET / HTTP/1.1\r\n${headersOf(next++)}\r\n\r\n`)
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

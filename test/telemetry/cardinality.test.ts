/** 10 000 values of a label are offered: the series are bounded, and so is the memory. */
import { afterEach, describe, expect, test } from 'vitest'
import { createNodeHost, type NodeHost } from '@meshscript/sdk/testing/node/index'
import filter from '../../filters/telemetry/assembly/index.ts?filter'

const workload = { name: 'cart', namespace: 'shop' }
let host: NodeHost | undefined
afterEach(() => host?.close())

async function start(metrics: object): Promise<(from: number, to: number) => void> {
  const configuration = { version: 1, reporter: 'destination', workload, metrics }
  const made = (host = await createNodeHost({
    wasm: filter,
    configuration,
    routes: [{ directResponse: { status: 200 } }],
    trace: false,
  }))
  return (from, to) => {
    for (let n = from; n < to; n++) made.requestSync({ authority: `host-${n}`, path: `/${n}` })
  }
}

const seriesOf = (name: string) =>
  Object.entries(host!.metricsSync()).filter(([stat]) => stat === name || stat.startsWith(`${name}.`))

describe.each([
  ['of the authority', {}],
  ['of an expression', { tags: { path: "request.path + '!'" }, remove: ['destination_service'] }],
  ['of both', { tags: { path: 'request.path' } }],
])('%s', (_, metric) => {
  test('no more series than there may be; what is beyond is counted together, and the log says so once', async () => {
    const ask = await start({ REQUEST_COUNT: metric, REQUEST_DURATION: {}, maxSeries: 100 })
    ask(0, 10_000)
    for (const name of ['istio_requests_total', 'istio_request_duration_milliseconds'])
      expect(seriesOf(name)).toHaveLength(101)
    const counts = seriesOf('istio_requests_total')
    expect(counts.reduce((sum, [, value]) => sum + (value as number), 0)).toBe(10_000)
    const [, beyond] = counts.find(([stat]) => stat.includes('reporter=.=overflow;'))!
    expect(beyond).toBe(9900)
    expect(host!.logs.filter(({ message }) => message.includes('too many sets'))).toHaveLength(1)
    // Those that are known count on.
    ask(0, 1)
    const known = seriesOf('istio_requests_total').filter(([, value]) => value === 2)
    expect(known).toHaveLength(1)
  })
})

test('1000 series by default, and memory that stays as it is', async () => {
  const ask = await start({ REQUEST_COUNT: {}, REQUEST_DURATION: {}, REQUEST_SIZE: {}, RESPONSE_SIZE: {} })
  ask(0, 2000)
  const warm = host!.memorySize
  ask(2000, 12_000)
  expect(host!.memorySize).toBe(warm)
  expect(seriesOf('istio_requests_total')).toHaveLength(1001)
})

test('long values end, and do not end a label', async () => {
  await start({ REQUEST_COUNT: { tags: { agent: 'request.useragent' } } })
  host!.requestSync({ headers: { 'user-agent': `a;.;.reporter=.=b${'c'.repeat(5000)}` } })
  host!.requestSync({ headers: { 'user-agent': `a;.;.reporter=.=b${'c'.repeat(5001)}` } })
  const [[stat, value]] = seriesOf('istio_requests_total') as [[string, number]]
  expect(value).toBe(2)
  expect(stat.length).toBeLessThan(1600)
  expect(stat.match(/;\.;/g)).toHaveLength(26)
})

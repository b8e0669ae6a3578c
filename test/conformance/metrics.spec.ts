/** Metrics: abi.md 3.6. */
import { describe, expect, test } from 'vitest'
import { Probe, sharedProbe } from './probe/probe.ts'
import { encodeScript } from './probe/script.ts'

const probe = sharedProbe()
const COUNTER = 0
const GAUGE = 1
const HISTOGRAM = 2

describe('a counter', () => {
  test('counts up', async () => {
    await probe().request({
      request_headers: [
        ['metric', 'c', COUNTER, 'requests_total'],
        ['increment', '$c', 1],
        ['increment', '$c', 41],
        ['metric_get', '$c'],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'metric c 0 requests_total -> 0',
      'increment $c 1 -> 0',
      'increment $c 41 -> 0',
      'metric_get $c -> 0 42',
    ])
    expect(await probe().host.metrics()).toMatchObject({ requests_total: 42 })
  })

  test('never down', async () => {
    await probe().request({
      request_headers: [
        ['metric', 'c', COUNTER, 'not_down'],
        ['increment', '$c', 0],
        ['increment', '$c', -1],
        ['increment', '$c', 2],
        ['metric_get', '$c'],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'metric c 0 not_down -> 0',
      'increment $c 0 -> 2',
      'increment $c -1 -> 2',
      'increment $c 2 -> 0',
      'metric_get $c -> 0 2',
    ])
  })

  test('can be recorded, which adds', async () => {
    await probe().request({
      request_headers: [
        ['metric', 'c', COUNTER, 'recorded'],
        ['record', '$c', 5],
        ['record', '$c', 2],
        ['metric_get', '$c'],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'metric c 0 recorded -> 0',
      'record $c 5 -> 0',
      'record $c 2 -> 0',
      'metric_get $c -> 0 7',
    ])
  })
})

describe('a gauge', () => {
  test('goes up, down and anywhere', async () => {
    await probe().request({
      request_headers: [
        ['metric', 'g', GAUGE, 'level'],
        ['record', '$g', 10],
        ['increment', '$g', 5],
        ['increment', '$g', -3],
        ['metric_get', '$g'],
        ['increment', '$g', 0],
        ['record', '$g', 7],
        ['metric_get', '$g'],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'metric g 1 level -> 0',
      'record $g 10 -> 0',
      'increment $g 5 -> 0',
      'increment $g -3 -> 0',
      'metric_get $g -> 0 12',
      'increment $g 0 -> 0',
      'record $g 7 -> 0',
      'metric_get $g -> 0 7',
    ])
    expect(await probe().host.metrics()).toMatchObject({ level: 7 })
  })

  test('below nothing', async () => {
    await probe().request({
      request_headers: [
        ['metric', 'g', GAUGE, 'below'],
        ['increment', '$g', -3],
        ['metric_get', '$g'],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'metric g 1 below -> 0',
      'increment $g -3 -> 0',
      'metric_get $g -> 0 18446744073709551613',
    ])
  })
})

describe('a histogram', () => {
  test('takes samples and gives nothing back', async () => {
    await probe().request({
      request_headers: [
        ['metric', 'h', HISTOGRAM, 'size'],
        ['record', '$h', 3],
        ['record', '$h', 40],
        ['increment', '$h', 1],
        ['metric_get', '$h'],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'metric h 2 size -> 0',
      'record $h 3 -> 0',
      'record $h 40 -> 0',
      'increment $h 1 -> 2',
      'metric_get $h -> 2',
    ])
    expect(await probe().host.metrics()).toMatchObject({ size: { count: 2, sum: 43 } })
  })
})

describe('ids', () => {
  test('a name defined again has another id for the same metric', async () => {
    await probe().request({
      request_headers: [
        ['metric', 'a', COUNTER, 'twice'],
        ['metric', 'b', COUNTER, 'twice'],
        ['id_kind', '$a'],
        ['id_step', '$a', '$b'],
        ['increment', '$a', 1],
        ['increment', '$b', 1],
        ['metric_get', '$a'],
        ['metric_get', '$b'],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'metric a 0 twice -> 0',
      'metric b 0 twice -> 0',
      'id_kind $a -> 0',
      'id_step $a $b -> 4',
      'increment $a 1 -> 0',
      'increment $b 1 -> 0',
      'metric_get $a -> 0 2',
      'metric_get $b -> 0 2',
    ])
  })

  test('say the type', async () => {
    await probe().request({
      request_headers: [
        ['metric', 'c', COUNTER, 'k1'],
        ['id_kind', '$c'],
        ['metric', 'g', GAUGE, 'k2'],
        ['id_kind', '$g'],
        ['metric', 'h', HISTOGRAM, 'k3'],
        ['id_kind', '$h'],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'metric c 0 k1 -> 0',
      'id_kind $c -> 0',
      'metric g 1 k2 -> 0',
      'id_kind $g -> 1',
      'metric h 2 k3 -> 0',
      'id_kind $h -> 2',
    ])
  })

  test('that nobody defined', async () => {
    await probe().request({
      request_headers: [0, 1, 2, 3].flatMap((kind) => [
        ['increment', 400000 + kind, 1] as const,
        ['record', 400000 + kind, 1] as const,
        ['metric_get', 400000 + kind] as const,
      ]),
    })
    await probe().expectLog([
      'request_headers 6 1',
      'increment 400000 1 -> 1',
      'record 400000 1 -> 1',
      'metric_get 400000 -> 1',
      'increment 400001 1 -> 1',
      'record 400001 1 -> 1',
      'metric_get 400001 -> 1',
      'increment 400002 1 -> 2',
      'record 400002 1 -> 1',
      'metric_get 400002 -> 2',
      'increment 400003 1 -> 2',
      'record 400003 1 -> 1',
      'metric_get 400003 -> 2',
    ])
  })

  test('an unknown type, an empty name', async () => {
    await probe().request({
      request_headers: [
        ['metric', 'x', 3, 'unknown_type'],
        ['metric', 'y', COUNTER, ''],
      ],
    })
    await probe().expectLog(['request_headers 6 1', 'metric x 3 unknown_type -> 2', 'metric y 0  -> 0'])
  })

  test('the same name for another type', async () => {
    await probe().request({
      request_headers: [
        ['metric', 'c', COUNTER, 'shared_name'],
        ['metric', 'g', GAUGE, 'shared_name'],
        ['increment', '$c', 1],
        ['record', '$g', 9],
        ['metric_get', '$c'],
        ['metric_get', '$g'],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'metric c 0 shared_name -> 0',
      'metric g 1 shared_name -> 0',
      'increment $c 1 -> 0',
      'record $g 9 -> 0',
      'metric_get $c -> 0 1',
      'metric_get $g -> 0 9',
    ])
  })
})

test('labels are a part of the name', async () => {
  await probe().request({
    request_headers: [
      ['metric', 'c', COUNTER, 'by_code.code.200.user.bob'],
      ['increment', '$c', 1],
    ],
  })
  expect(await probe().host.metrics()).toMatchObject({ 'by_code.code.200.user.bob': 1 })
})

test('workers have one counter together', async () => {
  const probe = await Probe.start(
    { workers: 2 },
    {
      request_headers: [
        ['metric', 'c', COUNTER, 'all'],
        ['increment', '$c', 1],
      ],
    },
  )
  for (let i = 0; i < 20; i++) await probe.host.request()
  expect(await probe.host.metrics()).toMatchObject({ all: 20 })
  await probe.host.close()
})

test('what is counted while configuring is counted once for main thread, worker and trial each', async () => {
  const script = encodeScript({
    configure: [
      ['metric', 'c', COUNTER, 'configured'],
      ['increment', '$c', 1],
    ],
  })
  const one = await Probe.start({ configuration: script })
  expect(await one.host.metrics()).toMatchObject({ configured: 3 })
  await one.host.close()
  const three = await Probe.start({ configuration: script, workers: 3 })
  expect(await three.host.metrics()).toMatchObject({ configured: 5 })
  await three.host.close()
})

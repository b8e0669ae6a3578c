/** Shared data and queues: abi.md 3.7. */
import { describe, expect, test } from 'vitest'
import { compileProbe } from './compile.ts'
import { Probe, sharedProbe } from './probe/probe.ts'
import { encodeScript } from './probe/script.ts'

const probe = sharedProbe({ vmId: 'shared' })

describe('shared data', () => {
  test('is what was set; a key that nobody set is not found', async () => {
    await probe().request({
      request_headers: [
        ['shared_get', 'k1'],
        ['shared_set', 'k1', 'value', 0],
        ['shared_get', 'k1'],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'shared_get k1 -> 1',
      'shared_set k1 value 0 -> 0',
      'shared_get k1 -> 0 "value"',
    ])
  })

  test('compare and swap', async () => {
    await probe().request({
      request_headers: [
        ['shared_set', 'k2', 'one', 0],
        ['shared_get', 'k2', 'cas'],
        ['shared_set', 'k2', 'two', '$cas'],
        ['shared_set', 'k2', 'three', '$cas'],
        ['shared_get', 'k2', 'cas2'],
        ['shared_set', 'k2', 'four', '$cas2'],
        ['shared_get', 'k2'],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'shared_set k2 one 0 -> 0',
      'shared_get k2 cas -> 0 "one"',
      'shared_set k2 two $cas -> 0',
      'shared_set k2 three $cas -> 8',
      'shared_get k2 cas2 -> 0 "two"',
      'shared_set k2 four $cas2 -> 0',
      'shared_get k2 -> 0 "four"',
    ])
  })

  test('a new key is set whatever the number', async () => {
    await probe().request({
      request_headers: [
        ['shared_set', 'k3', 'new', 12345],
        ['shared_get', 'k3'],
      ],
    })
    await probe().expectLog(['request_headers 6 1', 'shared_set k3 new 12345 -> 0', 'shared_get k3 -> 0 "new"'])
  })

  test('without a number a set always succeeds', async () => {
    await probe().request({
      request_headers: [
        ['shared_set', 'k4', '1', 0],
        ['shared_set', 'k4', '2', 0],
        ['shared_get', 'k4'],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'shared_set k4 1 0 -> 0',
      'shared_set k4 2 0 -> 0',
      'shared_get k4 -> 0 "2"',
    ])
  })

  test('an empty value is a value; there is no delete', async () => {
    await probe().request({
      request_headers: [
        ['shared_set', 'k5', '1', 0],
        ['shared_set', 'k5', '', 0],
        ['shared_get', 'k5'],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'shared_set k5 1 0 -> 0',
      'shared_set k5  0 -> 0',
      'shared_get k5 -> 0 null 0',
    ])
  })

  test('an empty key is a key', async () => {
    await probe().request({
      request_headers: [
        ['shared_set', '', 'x', 0],
        ['shared_get', ''],
      ],
    })
    await probe().expectLog(['request_headers 6 1', 'shared_set  x 0 -> 0', 'shared_get  -> 0 "x"'])
  })

  test('keys and values are bytes', async () => {
    const key = Buffer.from([0, 255, 1])
    await probe().request({
      request_headers: [
        ['shared_set', key, Buffer.from([0, 10, 200]), 0],
        ['shared_get', key],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'shared_set <3 bytes> <3 bytes> 0 -> 0',
      'shared_get <3 bytes> -> 0 "\\x00\\x0a\\xc8"',
    ])
  })

  test('outlives the stream and the configuration', async () => {
    await probe().request({ request_headers: [['shared_set', 'k6', 'kept', 0]] })
    await probe().request({ request_headers: [['shared_get', 'k6']] })
    await probe().expectLog(['request_headers 6 1', 'shared_get k6 -> 0 "kept"'])
  })

  test('is shared by all workers', async () => {
    const probe = await Probe.start(
      { vmId: 'w', workers: 2 },
      {
        request_headers: [
          ['shared_get', 'k', 'cas'],
          ['shared_set', 'k', 'x', '$cas'],
        ],
      },
    )
    for (let i = 0; i < 20; i++) await probe.host.request()
    expect(probe.log.filter((line) => line === 'shared_get k cas -> 1')).toHaveLength(1)
    await probe.host.close()
  })
})

describe('several filters', () => {
  const script = (value: string) =>
    encodeScript({
      request_headers: [
        ['shared_get', 'k'],
        ['shared_set', 'k', value, 0],
      ],
    })

  test('of one VM id share data, of different VM ids do not', async () => {
    const wasm = await compileProbe()
    const filters = [
      { wasm, name: 'a', vmId: 'one', configuration: script('a') },
      { wasm, name: 'b', vmId: 'one', configuration: script('b') },
      { wasm, name: 'c', vmId: 'two', configuration: script('c') },
    ]
    const probe = await Probe.start({ filters })
    await probe.host.request()
    await probe.expectLog([
      'request_headers 6 1',
      'shared_get k -> 1',
      'shared_set k a 0 -> 0',
      'request_headers 6 1',
      'shared_get k -> 0 "a"',
      'shared_set k b 0 -> 0',
      'request_headers 6 1',
      'shared_get k -> 1',
      'shared_set k c 0 -> 0',
    ])
    await probe.host.close()
  })

  test('without VM id share data, even with different modules’ VM configurations', async () => {
    const wasm = await compileProbe()
    const filters = [
      { wasm, name: 'a', configuration: script('a') },
      { wasm, name: 'b', vmConfiguration: 'other', configuration: script('b') },
    ]
    const probe = await Probe.start({ filters })
    await probe.host.request()
    await probe.expectLog([
      'request_headers 6 1',
      'shared_get k -> 1',
      'shared_set k a 0 -> 0',
      'request_headers 6 1',
      'shared_get k -> 0 "a"',
      'shared_set k b 0 -> 0',
    ])
    await probe.host.close()
  })
})

describe('a queue', () => {
  test('keeps the order; empty is a status', async () => {
    await probe().request({
      request_headers: [
        ['queue_register', 'q', 'q1'],
        ['enqueue', '$q', 'one'],
        ['enqueue', '$q', ''],
        ['enqueue', '$q', 'three'],
        ['dequeue', '$q'],
        ['dequeue', '$q'],
        ['dequeue', '$q'],
        ['dequeue', '$q'],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'queue_register q q1 -> 0',
      'enqueue $q one -> 0',
      'enqueue $q  -> 0',
      'enqueue $q three -> 0',
      'dequeue $q -> 0 "one"',
      'dequeue $q -> 0 null 0',
      'dequeue $q -> 0 "three"',
      'dequeue $q -> 7',
    ])
  })

  test('of one name is one queue; it can be resolved', async () => {
    await probe().request({
      request_headers: [
        ['queue_register', 'a', 'q2'],
        ['queue_register', 'b', 'q2'],
        ['id_step', '$a', '$b'],
        ['queue_resolve', 'c', 'shared', 'q2'],
        ['id_step', '$a', '$c'],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'queue_register a q2 -> 0',
      'queue_register b q2 -> 0',
      'id_step $a $b -> 0',
      'queue_resolve c shared q2 -> 0',
      'id_step $a $c -> 0',
    ])
  })

  test('that nobody registered', async () => {
    await probe().request({
      request_headers: [
        ['queue_resolve', 'a', 'shared', 'never'],
        ['queue_resolve', 'b', 'other-vm', 'q2'],
        ['enqueue', 999999, 'x'],
        ['dequeue', 999999],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'queue_resolve a shared never -> 1',
      'queue_resolve b other-vm q2 -> 1',
      'enqueue 999999 x -> 1',
      'dequeue 999999 -> 1',
    ])
  })

  test('tells the root context that registered it', async () => {
    await probe().run({
      configure: [['~queue_register', 'q', 'q3']],
      request_headers: [['enqueue', '$q', 'hello']],
      queue_ready: [
        ['dequeue', '$q'],
        ['dequeue', '$q'],
      ],
    })
    const start = probe().log.length
    await probe().host.request()
    await probe().waitFor((log) => log.length >= start + 5)
    const [ofQueue, others] = split(probe().log.slice(start))
    expect(others).toEqual(['request_headers 6 1', 'enqueue $q hello -> 0'])
    expect(ofQueue).toEqual(['queue_ready q', 'dequeue $q -> 0 "hello"', 'dequeue $q -> 7'])
  })

  test('tells for each message', async () => {
    await probe().run({
      configure: [['~queue_register', 'q', 'q4']],
      request_headers: [
        ['enqueue', '$q', '1'],
        ['enqueue', '$q', '2'],
      ],
      queue_ready: [['dequeue', '$q']],
    })
    const start = probe().log.length
    await probe().host.request()
    await probe().waitFor((log) => log.length >= start + 7)
    const [ofQueue, others] = split(probe().log.slice(start))
    expect(others).toEqual(['request_headers 6 1', 'enqueue $q 1 -> 0', 'enqueue $q 2 -> 0'])
    expect(ofQueue).toEqual(['queue_ready q', 'dequeue $q -> 0 "1"', 'queue_ready q', 'dequeue $q -> 0 "2"'])
  })

  /** Lines of the queue, and all others: it may be told in a VM on another thread, while the request goes on. */
  function split(lines: readonly string[]): [string[], string[]] {
    const isOfQueue = (line: string) => /queue_ready|dequeue/.test(line)
    return [lines.filter(isOfQueue), lines.filter((line) => !isOfQueue(line))]
  }
})

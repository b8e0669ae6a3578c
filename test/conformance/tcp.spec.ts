/** TCP: network filters: abi.md 3.5. */
import { describe, expect, test } from 'vitest'
import { sharedProbe } from './probe/probe.ts'
import { ALL, DOWNSTREAM, DOWNSTREAM_DATA, UPSTREAM, UPSTREAM_DATA } from './probe/script.ts'

const probe = sharedProbe({ type: 'network' })

const text = async (connection: { read(min?: number): Promise<Buffer> }, min?: number) =>
  (await connection.read(min)).toString()

describe('data', () => {
  test('goes through, both ways', async () => {
    await probe().run({
      create: [],
      new_connection: [],
      downstream_data: [['get_buffer', DOWNSTREAM_DATA, 0, ALL]],
      upstream_data: [['get_buffer', UPSTREAM_DATA, 0, ALL]],
    })
    const connection = await probe().host.connect()
    await connection.write('abc')
    expect(await text(connection)).toBe('abc')
    await connection.write('de')
    expect(await text(connection, 5)).toBe('abcde')
    await probe().expectLog([
      'create 1',
      'new_connection',
      'downstream_data 3 0',
      'get_buffer 2 0 4294967295 -> 0 "abc"',
      'upstream_data 3 0',
      'get_buffer 3 0 4294967295 -> 0 "abc"',
      'downstream_data 2 0',
      'get_buffer 2 0 4294967295 -> 0 "de"',
      'upstream_data 2 0',
      'get_buffer 3 0 4294967295 -> 0 "de"',
    ])
  })

  test('can be replaced', async () => {
    await probe().run({
      downstream_data: [['set_buffer', DOWNSTREAM_DATA, 0, ALL, '<x>']],
      upstream_data: [['set_buffer', UPSTREAM_DATA, 0, 0, '> ']],
    })
    const connection = await probe().host.connect()
    await connection.write('abc')
    expect(await text(connection)).toBe('> <x>')
    await probe().expectLog([
      'downstream_data 3 0',
      'set_buffer 2 0 4294967295 <x> -> 0',
      'upstream_data 3 0',
      'set_buffer 3 0 0 >  -> 0',
    ])
  })

  test('is collected while the filter pauses', async () => {
    await probe().run({
      downstream_data: [['get_buffer', DOWNSTREAM_DATA, 0, ALL]],
      'downstream_data#1': [['return', 1]],
    })
    const connection = await probe().host.connect()
    await connection.write('abc')
    await connection.write('defg')
    expect(await text(connection)).toBe('abcdefg')
    await probe().expectLog(['downstream_data 3 0', 'downstream_data 7 0', 'get_buffer 2 0 4294967295 -> 0 "abcdefg"'])
  })

  test('that was held goes on with continue_stream', async () => {
    await probe().run({
      downstream_data: [
        ['tick', 20],
        ['return', 1],
      ],
      tick: [
        ['effective', '$stream'],
        ['get_buffer', DOWNSTREAM_DATA, 0, ALL],
        ['continue', DOWNSTREAM],
        ['tick', 0],
      ],
    })
    const connection = await probe().host.connect()
    await connection.write('abc')
    expect(await text(connection)).toBe('abc')
    await probe().expectLog([
      'downstream_data 3 0',
      'tick 20 -> 0',
      'tick',
      'effective $stream -> 0',
      'get_buffer 2 0 4294967295 -> 0 "abc"',
      'continue 2 -> 0',
      'tick 0 -> 0',
    ])
  })

  test('of the upstream is held', async () => {
    await probe().run({ upstream_data: [['continue', UPSTREAM]], 'upstream_data#1': [['return', 1]] })
    const connection = await probe().host.connect()
    await connection.write('abc')
    await probe().waitFor((log) => log.length > 0)
    await connection.write('d')
    expect(await text(connection)).toBe('abcd')
    await probe().expectLog(['upstream_data 3 0', 'upstream_data 4 0', 'continue 3 -> 12'])
  })

  test('written at the end of the stream is added', async () => {
    await probe().run({ downstream_data: [['set_buffer', DOWNSTREAM_DATA, 0, ALL, 'x']] })
    const connection = await probe().host.connect()
    await connection.write('abc')
    expect(await text(connection)).toBe('x')
    await connection.end()
    await probe().expectLog([
      'downstream_data 3 0',
      'set_buffer 2 0 4294967295 x -> 0',
      'downstream_data 0 1',
      'set_buffer 2 0 4294967295 x -> 0',
    ])
    expect(await text(connection, 2)).toBe('xx')
  })
})

describe('the end', () => {
  const ends = { downstream_close: [], upstream_close: [], log: [], done: [], delete: [] }

  test('the client closes: upstream, downstream, then done, log, delete', async () => {
    await probe().run({ downstream_data: [], ...ends })
    const connection = await probe().host.connect()
    await connection.write('abc')
    await connection.read()
    await connection.end()
    await probe().expectLog([
      'downstream_data 3 0',
      'downstream_data 0 1',
      'upstream_close 0',
      'downstream_close 1',
      'done',
      'log',
      'delete',
    ])
  })

  test('the filter closes', async () => {
    await probe().run({ downstream_data: [['close', DOWNSTREAM]], ...ends })
    const connection = await probe().host.connect()
    await connection.write('abc')
    await connection.whenClosed()
    await probe().expectLog(['downstream_data 3 0', 'close 2 -> 0', 'downstream_close 1', 'done', 'log', 'delete'])
    expect((await connection.read(0)).length).toBe(0)
  })

  test('the filter closes the upstream', async () => {
    await probe().run({ downstream_data: [['close', UPSTREAM]], ...ends })
    const connection = await probe().host.connect()
    await connection.write('abc')
    await connection.whenClosed()
    await probe().expectLog(['downstream_data 3 0', 'close 3 -> 0', 'downstream_close 1', 'done', 'log', 'delete'])
  })

  test('the upstream closes', async () => {
    await closing().run({ downstream_data: [], upstream_data: [], ...ends })
    const connection = await closing().host.connect()
    await connection.write('bye')
    await connection.whenClosed()
    await closing().expectLog([
      'downstream_data 3 0',
      'upstream_data 0 1',
      'upstream_close 0',
      'downstream_data 0 1',
      'downstream_close 2',
      'done',
      'log',
      'delete',
    ])
  })
})

const closing = sharedProbe({ type: 'network', upstream: { kind: 'tcp', handler: () => ({ close: true }) } })

describe('new_connection', () => {
  test('that pauses: nothing is read until the stream is continued', async () => {
    await probe().run({
      new_connection: [
        ['tick', 1000],
        ['return', 1],
      ],
      downstream_data: [],
      tick: [
        ['effective', '$stream'],
        ['continue', DOWNSTREAM],
        ['tick', 0],
      ],
    })
    const connection = await probe().host.connect()
    await connection.write('abc')
    await probe().expectLog(['new_connection', 'tick 1000 -> 0'])
    await probe().waitFor((log) => log.includes('tick'))
    expect(await text(connection)).toBe('abc')
    await probe().expectLog([
      'new_connection',
      'tick 1000 -> 0',
      'tick',
      'effective $stream -> 0',
      'continue 2 -> 0',
      'tick 0 -> 0',
      'downstream_data 3 0',
    ])
  })

  test('that pauses does not see the client go', async () => {
    await probe().run({ new_connection: [['return', 1]], downstream_close: [] })
    const connection = await probe().host.connect()
    await connection.end()
    await probe().host.advance(100)
    await probe().expectLog(['new_connection'])
  })

  test('can close', async () => {
    await probe().run({ new_connection: [['close', DOWNSTREAM]], downstream_data: [] })
    const connection = await probe().host.connect()
    await connection.whenClosed()
    await probe().expectLog(['new_connection', 'close 2 -> 0'])
  })
})

test('functions for HTTP streams', async () => {
  await probe().run({
    downstream_data: [
      ['continue', 0],
      ['close', 0],
      ['get', 0, ':path'],
      ['pairs', 0],
      ['get_buffer', 0, 0, ALL],
      ['reply', 403, '', '', '', -1],
      ['property_known', 'source\0address'],
      ['property_known', 'destination\0port'],
      ['property_known', 'connection\0id'],
    ],
  })
  const connection = await probe().host.connect()
  await connection.write('abc')
  await probe().expectLog([
    'downstream_data 3 0',
    'continue 0 -> 0',
    'close 0 -> 0',
    'get 0 :path -> 2',
    'pairs 0 -> 0 null',
    'get_buffer 0 0 4294967295 -> 0 null 0',
    'reply 403    -1 -> 0',
    'property_known source.address -> 0 some',
    'property_known destination.port -> 0 some',
    'property_known connection.id -> 0 some',
  ])
  await connection.end()
})

/** Contexts, the order of callbacks, and what starts how often: abi.md 3.1. */
import { describe, expect, test } from 'vitest'
import { compileModule, compileProbe } from './compile.ts'
import { Probe, sharedProbe } from './probe/probe.ts'
import { encodeScript, PLUGIN_CONFIGURATION, REQUEST_HEADERS } from './probe/script.ts'
import { has } from '../matrix/facts.ts'

const probe = sharedProbe()

const count = (log: readonly string[], line: string) => log.filter((other) => other.startsWith(line)).length
const starting = { root_create: [], vm_start: [], configure: [], root_done: [], root_delete: [], root_log: [] }

describe('starting', () => {
  test('the order is context, VM, configuration', async () => {
    const started = await Probe.start({ vmConfiguration: 'vm' }, starting)
    expect(started.log.slice(0, 3)).toEqual(['root_create', 'vm_start 2', expect.stringMatching(/^configure \d+$/)])
    await started.host.close()
  })

  test('once for main thread, worker and trial each', async () => {
    const script = { root_create: [], vm_start: [], configure: [] }
    for (const [workers, times] of [
      [1, 3],
      [2, 4],
    ] as const) {
      const started = await Probe.start({ workers }, script)
      for (const line of ['root_create', 'vm_start', 'configure']) expect(count(started.log, line)).toBe(times)
      await started.host.close()
    }
  })

  test('vm_start comes once for each root context of a VM', async () => {
    const wasm = await compileProbe()
    const configuration = (name: string) => encodeScript({ vm_start: [['say', name]] })
    const filters = ['a', 'b'].map((name) => ({ wasm, name, rootId: name, configuration: configuration(name) }))
    const started = await Probe.start({ filters })
    expect(count(started.log, 'a')).toBe(3)
    expect(count(started.log, 'b')).toBe(3)
    await started.host.close()
  })

  test('the configuration can be read when the context is created and when it is configured, not in vm_start', async () => {
    const read = [['get_buffer', PLUGIN_CONFIGURATION, 0, 4]] as const
    const started = await Probe.start({}, { root_create: read, vm_start: read, configure: read })
    expect(started.log.slice(0, 6)).toEqual([
      'root_create',
      'get_buffer 7 0 4 -> 0 "PRB1"',
      'vm_start 0',
      'get_buffer 7 0 4 -> 1',
      expect.stringMatching(/^configure \d+$/),
      'get_buffer 7 0 4 -> 0 "PRB1"',
    ])
    await started.host.close()
  })

  test('the end: done, delete, no log', async () => {
    const started = await Probe.start({}, { root_done: [], root_delete: [], root_log: [] })
    await started.host.close()
    expect([...new Set(started.log)]).toEqual(['root_done', 'root_delete'])
  })

  test('an update makes new root contexts in the same VM, and ends the old ones', async () => {
    await probe().run(starting)
    const at = probe().host.logs.length
    await probe().run({ root_create: [], vm_start: [], configure: [] })
    const lines = () =>
      probe()
        .host.logs.slice(at)
        .map(({ message }) => message.split(' ')[0])
    await probe().waitFor(() => lines().filter((line) => line === 'root_delete').length >= 2)
    expect([...new Set(lines())].sort()).toEqual(['configure', 'root_create', 'root_delete', 'root_done', 'vm_start'])
  })
})

describe('streams', () => {
  test('end with log, done, delete', async () => {
    await probe().request({ create: [], request_headers: [], response_headers: [], log: [], done: [], delete: [] })
    await probe().expectLog(['create 1', 'request_headers 6 1', 'response_headers 3 0', 'log', 'done', 'delete'])
  })

  test('done that answers false: deleted when proxy_done is called', async () => {
    await probe().request({
      log: [],
      done: [
        ['tick', 30],
        ['return', 0],
      ],
      delete: [],
      tick: [['effective', '$stream'], ['done'], ['tick', 0]],
    })
    await probe().host.advance(80)
    await probe().expectLog([
      'log',
      'done',
      'tick 30 -> 0',
      'delete',
      'tick',
      'effective $stream -> 2',
      'done -> 1',
      'tick 0 -> 0',
    ])
  })

  test('done when nobody waits for it', async () => {
    await probe().request({ request_headers: [['done']], response_headers: [['done']] })
    await probe().expectLog(['request_headers 6 1', 'done -> 1', 'response_headers 3 0', 'done -> 1'])
  })

  test('of two requests have two contexts', async () => {
    await probe().run({ create: [], delete: [] })
    await probe().host.request()
    await probe().host.request()
    await probe().expectLog(['create 1', 'delete', 'create 2', 'delete'])
  })
})

describe('the effective context', () => {
  test('stays for the callback, and is one’s own again in the next', async () => {
    await probe().request({
      request_headers: [
        ['effective', '$root'],
        ['get', REQUEST_HEADERS, ':path'],
        ['effective', '$stream'],
        ['get', REQUEST_HEADERS, ':path'],
        ['effective', '$root'],
      ],
      response_headers: [['get', 2, ':status']],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'effective $root -> 0',
      'get 0 :path -> 2',
      'effective $stream -> 0',
      'get 0 :path -> 0 "/"',
      'effective $root -> 0',
      'response_headers 3 0',
      'get 2 :status -> 0 "200"',
    ])
  })

  test('of an unknown id', async () => {
    await probe().request({
      request_headers: [
        ['effective', 999999],
        ['get', REQUEST_HEADERS, ':path'],
      ],
    })
    await probe().expectLog(['request_headers 6 1', 'effective 999999 -> 2', 'get 0 :path -> 0 "/"'])
  })
})

describe('ticks', () => {
  test('come again and again until the period is 0', async () => {
    await probe().request({ request_headers: [['tick', 20]], 'tick#1': [], 'tick#2': [], 'tick#3': [['tick', 0]] })
    await probe().host.advance(150)
    await probe().expectLog(['request_headers 6 1', 'tick 20 -> 0', 'tick', 'tick', 'tick', 'tick 0 -> 0'])
  })

  test('have one period per root context, the last one set', async () => {
    await probe().request({
      request_headers: [
        ['tick', 10000],
        ['tick', 20],
      ],
      tick: [['tick', 0]],
    })
    await probe().host.advance(60)
    await probe().expectLog(['request_headers 6 1', 'tick 10000 -> 0', 'tick 20 -> 0', 'tick', 'tick 0 -> 0'])
  })
})

describe('logs and time', () => {
  test('levels', async () => {
    const at = probe().host.logs.length
    await probe().request({
      request_headers: [0, 1, 2, 3, 4, 5, 6].map((level) => ['log', level, `at ${level}`] as const),
    })
    const levels = probe()
      .host.logs.slice(at)
      .filter(({ message }) => message.startsWith('at '))
    expect(levels.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'info at 2',
      'warn at 3',
      'error at 4',
      'critical at 5',
    ])
    expect(probe().log).toContain('log 6 at 6 -> 2')
  })

  test('the level asked for', async () => {
    await probe().request({ request_headers: [['log_level']] })
    await probe().expectLog(['request_headers 6 1', 'log_level -> 0 2'])
  })

  test('bytes, line breaks and nothing', async () => {
    const at = probe().host.logs.length
    await probe().request({
      request_headers: [
        ['~log', 2, 'two\nlines é "quoted" \\'],
        ['~log', 2, ''],
      ],
    })
    expect(
      probe()
        .host.logs.slice(at + 1)
        .map(({ message }) => message),
    ).toEqual(['two\nlines é "quoted" \\', ''])
  })

  test('of the plugin’s name', async () => {
    await probe().request({ request_headers: [] })
    expect(probe().host.logs.at(-1)).toMatchObject({ level: 'info', plugin: 'probe', message: 'request_headers 6 1' })
  })

  test('time', async () => {
    await probe().request({ request_headers: [['time']] })
    await probe().expectLog(['request_headers 6 1', 'time -> 0 sane'])
  })
})

describe('one VM for several plugins', () => {
  /** Counts configurations in a global of the module, which tells how many plugins share it. */
  const source = `
    @external("env", "proxy_log") declare function log(level: u32, data: usize, size: usize): u32
    let configured = 0
    export function proxy_abi_version_0_2_1(): void {}
    export function proxy_on_memory_allocate(size: usize): usize { return heap.alloc(size) }
    export function proxy_on_configure(root: u32, size: u32): u32 { configured++; return 1 }
    export function proxy_on_request_headers(context: u32, count: u32, end: u32): u32 {
      const text = String.UTF8.encode(configured.toString())
      log(2, changetype<usize>(text), text.byteLength)
      return 0
    }`
  const counts = async (filters: readonly Record<string, unknown>[]) => {
    const wasm = await compileModule(source)
    const probe = await Probe.start({ filters: filters.map((filter, i) => ({ wasm, name: `f${i}`, ...filter })) })
    await probe.host.request()
    const log = probe.log
    await probe.host.close()
    return log
  }

  test('made from one module, with the same VM id and configuration: globals are shared', async () => {
    expect(await counts([{}, {}])).toEqual(['2', '2'])
    expect(await counts([{ vmId: 'a' }, { vmId: 'a' }])).toEqual(['2', '2'])
  })

  test('another VM id or VM configuration: they are not', async () => {
    expect(await counts([{ vmId: 'a' }, { vmId: 'b' }])).toEqual(['1', '1'])
    expect(await counts([{}, { vmConfiguration: 'x' }])).toEqual(['1', '1'])
  })

  test('another environment: they are not', async () => {
    const environment = { A: '1' }
    expect(await counts([{ environment }, { environment }])).toEqual(['2', '2'])
    const others = has('environmentDivides') ? ['1', '1'] : ['2', '2']
    expect(await counts([{ environment }, { environment: { A: '2' } }])).toEqual(others)
    expect(await counts([{ environment }, {}])).toEqual(others)
  })

  test('another root id or plugin configuration does not matter', async () => {
    expect(await counts([{ rootId: 'a' }, { rootId: 'b', configuration: 'c' }])).toEqual(['2', '2'])
  })
})

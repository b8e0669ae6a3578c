/** Traps, failure policies and capabilities: abi.md 3.10. */
import { describe, expect, test } from 'vitest'
import { Probe } from './probe/probe.ts'
import { REQUEST_HEADERS, type Script } from './probe/script.ts'
import { compileModule } from './compile.ts'
import { createHost } from '@meshscript/sdk/testing'

async function withProbe<T>(
  options: Parameters<typeof Probe.start>[0],
  script: Script,
  use: (probe: Probe) => Promise<T>,
): Promise<T> {
  const probe = await Probe.start(options, script)
  try {
    return await use(probe)
  } finally {
    await probe.host.close()
  }
}

const statuses = async (probe: Probe, times: number) => {
  const list: number[] = []
  for (let i = 0; i < times; i++) list.push((await probe.host.request()).status)
  return list
}

describe('a trap', () => {
  test.for(['trap', 'overflow', 'out_of_bounds', 'out_of_memory'])(
    '%s: 503 for this and every later request',
    async (operation) => {
      await withProbe({}, { request_headers: [[operation]] }, async (probe) => {
        expect(await statuses(probe, 3)).toEqual([503, 503, 503])
        expect(probe.log).toEqual(['request_headers 6 1'])
      })
    },
  )

  test('in the response', async () => {
    await withProbe({}, { response_headers: [['trap']] }, async (probe) => {
      const first = await probe.host.request()
      const second = await probe.host.request()
      expect([first.status, second.status]).toEqual([503, 503])
    })
  })

  test('in a tick: requests fail from then on', async () => {
    await withProbe({}, { request_headers: [['tick', 1000]], tick: [['trap']] }, async (probe) => {
      expect((await probe.host.request()).status).toBe(200)
      await probe.waitFor((log) => log.includes('tick'))
      expect(await statuses(probe, 2)).toEqual([503, 503])
    })
  })

  test('says so in the details', async () => {
    await withProbe({}, { request_headers: [['trap']] }, async (probe) => {
      expect((await probe.host.request()).details).toBe('wasm_fail_stream')
    })
  })
})

describe('failure policies', () => {
  /** Traps for requests that ask for it. */
  const once = `export function proxy_abi_version_0_2_1(): void {}
    export function proxy_on_memory_allocate(size: usize): usize { return heap.alloc(size) }
    @external("env", "proxy_get_header_map_value") declare function get(map: u32, key: usize, keySize: usize, data: usize, size: usize): u32
    @external("env", "proxy_add_header_map_value") declare function add(map: u32, key: usize, keySize: usize, data: usize, size: usize): u32
    const out = memory.data(8)
    export function proxy_on_request_headers(context: u32, count: u32, end: u32): u32 {
      const key = String.UTF8.encode("x-trap")
      if (get(0, changetype<usize>(key), key.byteLength, out, out + 4) == 0) unreachable()
      const seen = String.UTF8.encode("x-seen")
      add(0, changetype<usize>(seen), seen.byteLength, changetype<usize>(seen), seen.byteLength)
      return 0
    }`
  const trap = { headers: { 'x-trap': '1' } }
  const host = async (failurePolicy: 'FAIL_OPEN' | 'FAIL_CLOSED' | 'FAIL_RELOAD') =>
    createHost({ wasm: await compileModule(once), name: 'once', failurePolicy })

  test('FAIL_CLOSED: 503 for ever', async () => {
    const closed = await host('FAIL_CLOSED')
    expect((await closed.request()).upstream!.headers.has('x-seen')).toBe(true)
    expect((await closed.request(trap)).status).toBe(503)
    expect((await closed.request()).status).toBe(503)
    await closed.advance('1.5s')
    expect((await closed.request()).status).toBe(503)
    await closed.close()
  })

  test('another worker goes on', async () => {
    const workers = await createHost({ wasm: await compileModule(once), name: 'once', workers: 2 })
    await workers.request(trap)
    const after = await Promise.all(Array.from({ length: 40 }, () => workers.request()))
    expect([...new Set(after.map(({ status }) => status))].sort()).toEqual([200, 503])
    await workers.close()
  })

  test('FAIL_OPEN: the request itself fails, later ones pass the filter by', async () => {
    const open = await host('FAIL_OPEN')
    expect((await open.request(trap)).status).toBe(503)
    const next = await open.request()
    expect(next.status).toBe(200)
    expect(next.upstream!.headers.has('x-seen')).toBe(false)
    await open.close()
  })

  test('FAIL_RELOAD: 503, and after a second a fresh VM', async () => {
    const reload = await host('FAIL_RELOAD')
    expect((await reload.request(trap)).status).toBe(503)
    expect((await reload.request()).status).toBe(503)
    await reload.advance('2s')
    const next = await reload.request()
    expect(next.status).toBe(200)
    expect(next.upstream!.headers.has('x-seen')).toBe(true)
    await reload.close()
  })
})

describe('capabilities', () => {
  const base = [
    'proxy_log',
    'proxy_on_memory_allocate',
    'malloc',
    'proxy_on_context_create',
    'proxy_on_configure',
    'proxy_on_vm_start',
    'proxy_get_buffer_bytes',
    'proxy_on_done',
    'proxy_on_log',
    'proxy_on_delete',
  ]

  test('a forbidden host function answers INTERNAL_FAILURE', async () => {
    const allowedCapabilities = [...base, 'proxy_on_request_headers', 'proxy_get_header_map_value']
    const script = {
      request_headers: [
        ['get', REQUEST_HEADERS, ':path'],
        ['add', REQUEST_HEADERS, 'x', 'y'],
        ['property', 'plugin_name'],
        ['log_level'],
      ],
    } as const
    await withProbe({ allowedCapabilities }, script, async (probe) => {
      await probe.host.request()
      await probe.expectLog([
        'request_headers 6 1',
        'get 0 :path -> 0 "/"',
        'add 0 x y -> 10',
        'property plugin_name -> 10',
        'log_level -> 10',
      ])
    })
  })

  test('a forbidden callback is not called', async () => {
    const allowedCapabilities = [...base, 'proxy_on_response_headers']
    await withProbe({ allowedCapabilities }, { request_headers: [], response_headers: [] }, async (probe) => {
      await probe.host.request()
      await probe.expectLog(['response_headers 3 0'])
    })
  })

  test('a forbidden function of WASI answers NOTCAPABLE', async () => {
    const source = `export function proxy_abi_version_0_2_1(): void {}
      export function proxy_on_memory_allocate(size: usize): usize { return heap.alloc(size) }
      @external("env", "proxy_log") declare function log(level: u32, data: usize, size: usize): u32
      @external("wasi_snapshot_preview1", "random_get") declare function random(data: usize, size: usize): u32
      const out = memory.data(8)
      export function proxy_on_request_headers(context: u32, count: u32, end: u32): u32 {
        const text = String.UTF8.encode(random(out, 8).toString())
        log(2, changetype<usize>(text), text.byteLength)
        return 0
      }`
    const host = await createHost({
      wasm: await compileModule(source),
      name: 'module',
      allowedCapabilities: [...base, 'proxy_on_request_headers'],
    })
    await host.request()
    expect(host.logs.map(({ message }) => message)).toEqual(['76'])
    await host.close()
  })
})

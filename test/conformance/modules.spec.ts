/** Which modules load, and how they start: abi.md 1.1, 1.2, 2. */
import { createHost, HostStartError } from '@meshscript/sdk/testing'
import { describe, expect, test } from 'vitest'
import { compileModule, flagsWith } from './compile.ts'
import { has } from '../matrix/facts.ts'

const MARKER = 'export function proxy_abi_version_0_2_1(): void {}\n'
const ALLOCATE = 'export function proxy_on_memory_allocate(size: usize): usize { return heap.alloc(size) }\n'
const SOUND = MARKER + ALLOCATE
const LOG = `@external("env", "proxy_log") declare function log(level: u32, data: usize, size: usize): u32
  function say(text: string): void { const bytes = String.UTF8.encode(text); log(2, changetype<usize>(bytes), bytes.byteLength) }\n`

/** What a module logs from start to the end of one request. */
async function run(
  source: string,
  flags?: readonly string[],
  options: Record<string, unknown> = {},
): Promise<string[]> {
  const host = await createHost({ wasm: await compileModule(source, flags), name: 'module', ...options })
  try {
    await host.request()
    return host.logs.map(({ message }) => message)
  } finally {
    await host.close()
  }
}

/** Why a module does not start. */
async function refusal(
  source: string,
  flags?: readonly string[],
  options: Record<string, unknown> = {},
): Promise<string> {
  const wasm = await compileModule(source, flags)
  const host = await createHost({ wasm, name: 'module', ...options }).catch((error: unknown) => error)
  if (host instanceof HostStartError) return host.message
  await (host as { close?(): Promise<void> }).close?.()
  throw host instanceof Error ? host : new Error('the module was loaded')
}

const external = (name: string, parameters = '', module = 'env') =>
  `@external("${module}", "${name}") declare function imported(${parameters}): u32\n`

describe('refused', () => {
  test('no ABI marker', async () => {
    expect(await refusal(ALLOCATE)).toContain('Missing or unknown Proxy-Wasm ABI version')
  })

  test('an unknown ABI marker', async () => {
    expect(await refusal(`export function proxy_abi_version_0_9_0(): void {}\n${ALLOCATE}`)).toContain(
      'Missing or unknown Proxy-Wasm ABI version',
    )
  })

  test('no allocator', async () => {
    expect(await refusal(MARKER)).toContain('Wasm module is missing malloc function.')
  })

  test('an export of the wrong form', async () => {
    const source = `${SOUND}export function proxy_on_request_headers(context: u32): u32 { return 0 }`
    expect(await refusal(source)).toContain('Bad function signature for: proxy_on_request_headers')
  })

  test('an import that no host has', async () => {
    const source = `${SOUND}${external('proxy_nonsense')}export function proxy_on_tick(root: u32): void { imported() }`
    expect(await refusal(source)).toContain('Failed to load Wasm module due to a missing import: env.proxy_nonsense')
  })

  test('AssemblyScript’s own abort', async () => {
    const source = `${SOUND}export function proxy_on_tick(root: u32): void { assert(root == 1, "no") }`
    expect(await refusal(source, flagsWith({ '--use': null }))).toContain('missing import: env.abort')
  })

  test.for(['proxy_clear_route_cache', 'proxy_continue_request', 'proxy_continue_response'])(
    'the old import %s with the marker 0.2.1 or 0.2.0',
    async (name) => {
      const rest = `${ALLOCATE}${external(name)}export function proxy_on_tick(root: u32): void { imported() }`
      for (const version of ['0_2_1', '0_2_0']) {
        const marker = `export function proxy_abi_version_${version}(): void {}\n`
        expect(await refusal(marker + rest)).toContain(`missing import: env.${name}`)
      }
    },
  )

  test('the old import proxy_get_configuration', async () => {
    const get = external('proxy_get_configuration', 'data: usize, size: usize')
    const source = `${SOUND}${get}export function proxy_on_tick(root: u32): void { imported(0, 0) }`
    expect(await refusal(source)).toContain('missing import: env.proxy_get_configuration')
  })

  test('proxy_get_log_level with the marker 0.2.0', async () => {
    const rest = `${ALLOCATE}${external('proxy_get_log_level', 'level: usize')}export function proxy_on_tick(root: u32): void { imported(8) }`
    expect(await refusal(`export function proxy_abi_version_0_2_0(): void {}\n${rest}`)).toContain(
      'missing import: env.proxy_get_log_level',
    )
    expect(await run(MARKER + rest)).toEqual([])
  })

  test('not a module at all', async () => {
    await expect(createHost({ wasm: Buffer.from('text'), name: 'module' })).rejects.toThrow(HostStartError)
  })

  test('an import of the wrong form', async () => {
    const source = `${SOUND}${external('proxy_done', 'a: u32')}export function proxy_on_tick(root: u32): void { imported(1) }`
    expect(await refusal(source)).toContain('proxy_done')
  })
})

describe('a start section', () => {
  test('without calls of the host is fine', async () => {
    const source = `${SOUND}const at = heap.alloc(8)
      export function first(): u32 { return load<u32>(at) }`
    expect(await run(source, flagsWith({ '--exportStart': null }))).toEqual([])
  })

  test('that calls the host ends Envoy with a segmentation fault', async () => {
    const source = `${SOUND}${LOG}say("too early")`
    expect(await refusal(source, flagsWith({ '--exportStart': null }))).not.toBe('')
  })
})

describe('versions', () => {
  const callbacks = `${LOG}export function proxy_on_request_headers(context: u32, count: u32, end: u32): u32 { say("headers"); return 0 }`

  test.for(['0_2_1', '0_2_0'])('%s', async (version) => {
    expect(await run(`export function proxy_abi_version_${version}(): void {}\n${ALLOCATE}${callbacks}`)).toEqual([
      'headers',
    ])
  })

  test('0_1_0: headers callbacks have two parameters, and the old imports are there', async () => {
    const source = `export function proxy_abi_version_0_1_0(): void {}
      export function malloc(size: usize): usize { return heap.alloc(size) }
      ${LOG}${external('proxy_clear_route_cache')}
      export function proxy_on_request_headers(context: u32, count: u32): u32 { say("headers " + imported().toString()); return 0 }`
    expect(await run(source)).toEqual(['headers 0'])
  })
})

describe('the allocator', () => {
  const GET = `@external("env", "proxy_get_header_map_value")
    declare function get(map: u32, key: usize, keySize: usize, data: usize, size: usize): u32
    const out = memory.data(8)
    export function proxy_on_request_headers(context: u32, count: u32, end: u32): u32 {
      const key = String.UTF8.encode(":path")
      const status = get(0, changetype<usize>(key), key.byteLength, out, out + 4)
      say("status " + status.toString() + " size " + load<u32>(out, 4).toString())
      return 0
    }\n`
  const allocator = (name: string) =>
    `export function ${name}(size: usize): usize { say("${name} " + size.toString()); return heap.alloc(size) }\n`

  test('malloc is asked first', async () => {
    const log = await run(MARKER + LOG + GET + allocator('malloc') + allocator('proxy_on_memory_allocate'))
    expect(log.at(-1)).toBe('status 0 size 1')
    expect(log.some((line) => line.startsWith('malloc'))).toBe(true)
    expect(log.some((line) => line.startsWith('proxy_on_memory_allocate'))).toBe(false)
  })

  test('may log, and nothing else', async () => {
    const time = external('proxy_get_current_time_nanoseconds', 'time: usize')
    const source = `${MARKER}${LOG}${GET}${time}
      export function proxy_on_memory_allocate(size: usize): usize { imported(out); return heap.alloc(size) }`
    const host = await createHost({ wasm: await compileModule(source), name: 'module' })
    expect((await host.request()).status).toBe(503)
    await host.close()
  })

  test('that has nothing to give fails the call', async () => {
    const source = `${MARKER}${LOG}${GET}export function proxy_on_memory_allocate(size: usize): usize { return 0 }`
    expect(await run(source)).toEqual(['status 6 size 0'])
  })
})

describe('start-up functions', () => {
  const said = (log: readonly string[]) => log.slice(0, log.length / 3)

  test('_initialize, then main', async () => {
    const source = `${SOUND}${LOG}say("_initialize")
      export function main(count: u32, values: u32): u32 { say("main " + count.toString() + " " + values.toString()); return 0 }`
    expect(said(await run(source))).toEqual(['_initialize', 'main 0 0'])
  })

  test('_start where there is no _initialize', async () => {
    const source = `${SOUND}${LOG}say("_start")`
    expect(said(await run(source, flagsWith({ '--exportStart': '_start' })))).toEqual(['_start'])
  })

  test('main alone is not called', async () => {
    const source = `${SOUND}${LOG}export function main(count: u32, values: u32): u32 { say("main"); return 0 }`
    expect(await run(source, flagsWith({ '--exportStart': null }))).toEqual([])
  })

  test('may not define metrics', async () => {
    const source = `${SOUND}${external('proxy_define_metric', 'type: u32, name: usize, size: usize, id: usize')}imported(0, 0, 0, 8)`
    expect(await refusal(source)).toContain('restricted_callback')
  })

  test('may not ask for the time by proxy_get_current_time_nanoseconds', async () => {
    const source = `${SOUND}${external('proxy_get_current_time_nanoseconds', 'time: usize')}imported(8)`
    expect(await refusal(source)).toContain('restricted_callback')
  })

  test('may use clock, random and environment of WASI', async () => {
    const source = `${SOUND}${LOG}
      @external("wasi_snapshot_preview1", "clock_time_get") declare function clock(id: u32, precision: u64, time: usize): u32
      @external("wasi_snapshot_preview1", "random_get") declare function random(data: usize, size: usize): u32
      @external("wasi_snapshot_preview1", "environ_sizes_get") declare function environment(count: usize, size: usize): u32
      const out = memory.data(16)
      say(clock(0, 0, out).toString() + random(out, 8).toString() + environment(out, out + 4).toString())`
    expect(said(await run(source))).toEqual(['000'])
  })

  test('vm_start that answers false', async () => {
    expect(await refusal(`${SOUND}export function proxy_on_vm_start(root: u32, size: u32): u32 { return 0 }`)).not.toBe(
      '',
    )
  })
})

describe('WASI', () => {
  const functions = `${SOUND}${LOG}
    const out = memory.data(64)
    @external("MODULE", "fd_write") declare function fd_write(fd: u32, vectors: usize, count: u32, written: usize): u32
    @external("MODULE", "clock_time_get") declare function clock(id: u32, precision: u64, time: usize): u32
    @external("MODULE", "random_get") declare function random(data: usize, size: usize): u32
    @external("MODULE", "proc_exit") declare function exit(code: u32): void
    @external("MODULE", "poll_oneoff") declare function poll(input: usize, output: usize, count: u32, events: usize): u32
    @external("MODULE", "environ_sizes_get") declare function environment_sizes(count: usize, size: usize): u32
    @external("MODULE", "environ_get") declare function environment(entries: usize, data: usize): u32
    @external("MODULE", "args_sizes_get") declare function args_sizes(count: usize, size: usize): u32
    function print(fd: u32, text: string): u32 {
      const bytes = String.UTF8.encode(text)
      store<usize>(out, changetype<usize>(bytes)); store<u32>(out, bytes.byteLength, 4)
      return fd_write(fd, out, 1, out + 8)
    }\n`
  const wasi = (body: string, module = 'wasi_snapshot_preview1') =>
    `${functions.replaceAll('MODULE', module)}export function proxy_on_request_headers(context: u32, count: u32, end: u32): u32 { ${body}; return 0 }`

  test('fd_write logs: 1 as info, 2 as error, one line break less', async () => {
    const source = wasi(
      'print(1, "out\\n"); print(2, "err\\n\\n"); say(print(1, "x").toString() + " " + load<u32>(out, 8).toString()); say(print(3, "x").toString())',
    )
    const host = await createHost({ wasm: await compileModule(source), name: 'module' })
    await host.request()
    expect(host.logs.map(({ level, message }) => `${level} ${message}`)).toEqual([
      'info out',
      'error err\n',
      'info x',
      'info 0 1',
      'info 8',
    ])
    await host.close()
  })

  test('both names of the module', async () => {
    expect(await run(wasi('print(1, "hello")', 'wasi_unstable'))).toEqual(['hello'])
  })

  test('clocks: 0 and 1, else not supported', async () => {
    const source = wasi(
      'say(clock(0, 0, out).toString()); say(clock(1, 0, out).toString()); say(clock(2, 0, out).toString()); say(clock(99, 0, out).toString())',
    )
    expect(await run(source)).toEqual(['0', '0', '58', '58'])
  })

  test('random bytes up to 64 KiB', async () => {
    const source = wasi(
      'const data = heap.alloc(70000); say(random(data, 65536).toString()); say(random(data, 65537).toString())',
    )
    expect(await run(source)).toEqual(['0', '28'])
  })

  test('proc_exit only logs, and goes on', async () => {
    expect((await run(wasi('exit(3); say("still here")'))).at(-1)).toBe('still here')
  })

  test('poll_oneoff has no events', async () => {
    expect(
      await run(
        wasi('store<u32>(out, 7, 8); say(poll(out, out, 1, out + 8).toString() + " " + load<u32>(out, 8).toString())'),
      ),
    ).toEqual([has('pollOneoff') ? '0 0' : '52 7'])
  })

  test('the environment is what the configuration says; there are no arguments', async () => {
    const source = wasi(`
      environment_sizes(out, out + 4)
      say(load<u32>(out).toString() + " " + load<u32>(out, 4).toString())
      environment(out + 8, out + 32)
      say(String.UTF8.decodeUnsafe(load<usize>(out, 8), 7))
      args_sizes(out, out + 4)
      say(load<u32>(out).toString() + " " + load<u32>(out, 4).toString())`)
    expect(await run(source, undefined, { environment: { NAME: 'me' } })).toEqual(['1 8', 'NAME=me', '0 0'])
  })
})

import { existsSync, readdirSync, readFileSync } from 'node:fs'
import * as asc from 'assemblyscript/asc'
import { describe, expect, test } from 'vitest'
import { checkCodes, checkModule } from './check.ts'

const MARKER = 'export function proxy_abi_version_0_2_1(): void {}\n'
const ALLOCATOR = 'export function proxy_on_memory_allocate(size: usize): usize { return heap.alloc(size) }\n'
const SOUND = MARKER + ALLOCATOR

/** Flags of a sound module; a test changes one. */
const flags = { exportStart: '_initialize', runtime: 'stub', use: ['abort='], optimizeLevel: 0 }

async function compile(source: string, changes: Record<string, unknown> = {}): Promise<Uint8Array> {
  const result = (await asc.compileString(source, { ...flags, ...changes })) as unknown as {
    binary: Uint8Array | undefined
    stderr: { toString(): string }
  }
  if (!result.binary) throw new Error(result.stderr.toString())
  return result.binary
}

async function check(source: string, changes?: Record<string, unknown>): Promise<string[]> {
  return checkModule(await compile(source, changes)).map(({ code, message }) => `${code} ${message}`)
}

const declare = (name: string, signature: string, module = 'env') =>
  `@external("${module}", "${name}")\ndeclare function f${signature}\n`
const call = (name: string, signature: string, args: string, module?: string) =>
  `${SOUND}${declare(name, signature, module)}export function proxy_on_tick(id: u32): void { f(${args}) }`

describe('a module that Envoy loads', () => {
  test('has no problems', async () => {
    expect(await check(SOUND)).toEqual([])
  })

  test('may have malloc as its allocator', async () => {
    expect(await check(`${MARKER}export function malloc(size: usize): usize { return heap.alloc(size) }`)).toEqual([])
  })

  test('may import WASI as far as Envoy has it', async () => {
    const random = call('random_get', '(buffer: usize, size: usize): u32', '0, 0', 'wasi_snapshot_preview1')
    expect(await check(random)).toEqual([])
  })

  test('may be of ABI 0.1.0, with what that had', async () => {
    const source = call('proxy_clear_route_cache', '(): u32', '').replace('0_2_1', '0_1_0')
    const headers = '\nexport function proxy_on_request_headers(id: u32, count: u32): u32 { return 0 }'
    expect(await check(source + headers)).toEqual([])
  })
})

describe('a module that Envoy refuses', () => {
  test('is no WebAssembly at all', () => {
    const bytes = new TextEncoder().encode('export default 1')
    expect(checkModule(bytes)).toEqual([
      {
        code: 'WASM001',
        message: 'not a WebAssembly module: it does not begin with the header of a WebAssembly module, version 1',
      },
    ])
  })

  test('is cut off', async () => {
    const bytes = await compile(SOUND)
    expect(checkModule(bytes.subarray(0, bytes.length - 5))).toMatchObject([{ code: 'WASM001' }])
  })

  test('is damaged', async () => {
    const bytes = Uint8Array.from(await compile(`${SOUND}export function f(): i32 { return 0x51525354 }`))
    // i32.const of that number, turned into the constant of another type.
    const at = Buffer.from(bytes).indexOf(Buffer.from([0x41, 0xd4, 0xa6, 0xc9, 0x8a, 0x05]))
    bytes[at] = 0x42
    expect(checkModule(bytes)).toEqual([
      {
        code: 'WASM001',
        message: 'the module is not valid: its bytes are damaged, or it needs features that this Node.js lacks',
      },
    ])
  })

  test('has a start section', async () => {
    const source = `${SOUND}${declare('proxy_done', '(): u32')}f()`
    const { exportStart: _, ...rest } = flags
    const result = (await asc.compileString(source, rest)) as unknown as { binary: Uint8Array }
    expect(checkModule(result.binary)).toMatchObject([{ code: 'WASM002' }])
  })

  test.each([
    [
      'imports its memory',
      { importMemory: true, noExportMemory: true },
      'the module imports its memory; it must define and export it',
    ],
    ['hides its memory', { noExportMemory: true }, 'the module does not export "memory"'],
  ])('%s', async (_, changes, message) => {
    const problems = await check(SOUND, changes)
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(`WASM003 ${message}`)
  })

  test('has no ABI marker', async () => {
    expect(await check(ALLOCATOR)).toEqual([
      'WASM004 the module does not say which ABI it speaks; export a function "proxy_abi_version_0_2_1"',
    ])
  })

  test('has the marker of an ABI that Envoy does not know', async () => {
    expect(await check(SOUND.replace('0_2_1', '0_2_100'))).toEqual([
      'WASM004 Envoy does not know the ABI "proxy_abi_version_0_2_100"; export "proxy_abi_version_0_2_1"',
    ])
  })

  test('has no allocator', async () => {
    expect(await check(MARKER)).toEqual([
      'WASM005 the module has no allocator for what the host passes in; export "proxy_on_memory_allocate"',
    ])
  })

  test('has two allocators', async () => {
    expect(await check(`${SOUND}export function malloc(size: usize): usize { return heap.alloc(size) }`)).toEqual([
      'WASM006 the module exports "malloc" and "proxy_on_memory_allocate": Envoy uses malloc and ignores the other; export one of them',
    ])
  })

  test("imports AssemblyScript's abort", async () => {
    const problems = await check(`${SOUND}export function proxy_on_tick(id: u32): void { assert(id) }`, { use: [] })
    expect(problems).toEqual([
      'WASM007 the module imports env.abort, which no proxy has; name an own handler (asc --use abort=FUNCTION), as meshscript build does',
    ])
  })

  test.each([
    ['env', 'console.log'],
    ['env', 'seed'],
    ['wasi_snapshot_preview1', 'sock_connect'],
    ['other', 'proxy_log'],
  ])('imports %s.%s', async (module, name) => {
    expect(await check(call(name, '(a: i32): i32', '0', module))).toEqual([
      `WASM008 no proxy offers the import ${module}.${name}; remove the call that needs it (asc imports only what is called)`,
    ])
  })

  test('asks for the log level as a module of ABI 0.2.0', async () => {
    const source = call('proxy_get_log_level', '(level: usize): u32', '0').replace('0_2_1', '0_2_0')
    expect(await check(source)).toEqual([
      'WASM008 env.proxy_get_log_level came with ABI 0.2.1, but the module says 0.2.0; export "proxy_abi_version_0_2_1"',
    ])
  })

  test.each([
    ['proxy_clear_route_cache', 'call the foreign function clear_route_cache'],
    ['proxy_continue_request', 'call proxy_continue_stream with stream type 0'],
    ['proxy_continue_response', 'call proxy_continue_stream with stream type 1'],
  ])('imports %s, which is gone', async (name, instead) => {
    expect(await check(call(name, '(): u32', ''))).toEqual([
      `WASM009 env.${name} belongs to ABI 0.1.0 and is missing in newer ones, so that the module does not load; ${instead}`,
    ])
  })

  test('imports a hostcall with other parameters', async () => {
    expect(await check(call('proxy_increment_metric', '(id: u32, offset: i32): u32', '0, 0'))).toEqual([
      'WASM010 env.proxy_increment_metric is (i32, i64) -> i32, but the module imports it as (i32, i32) -> i32',
    ])
  })

  test('exports a callback with other parameters', async () => {
    const headers = 'export function proxy_on_request_headers(id: u32, count: u32): u32 { return 0 }'
    expect(await check(SOUND + headers)).toEqual([
      'WASM011 proxy_on_request_headers must be (i32, i32, i32) -> i32, but the module exports (i32, i32) -> i32',
    ])
  })

  test.each([
    ['proxy_on_grpc_trailing_metadata', '; did you mean "proxy_on_grpc_receive_trailing_metadata"?'],
    ['proxy_on_request_header', '; did you mean "proxy_on_request_headers"?'],
    ['proxy_on_something_else_altogether', ''],
  ])('exports %s, which nobody calls', async (name, hint) => {
    const source = `${SOUND}export function ${name}(a: u32, b: u32, c: u32): void {}`
    expect(await check(source)).toEqual([`WASM012 no host calls "${name}"${hint}`])
  })

  test('is told everything at once, in the order of the codes', async () => {
    const source = 'export function proxy_on_tik(): void { assert(false) }'
    const codes = (await check(source, { use: [] })).map((problem) => problem.slice(0, 7))
    expect(codes).toEqual(['WASM004', 'WASM005', 'WASM007', 'WASM012'])
  })
})

test.each(Object.keys(checkCodes))('%s is explained', (code) => {
  expect(readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')).toContain(`\n| ${code} `)
})

// Modules that the Rust SDK and hand-written code made; they are not part of a published copy.
const peers = new URL('../../../../shared/peers/wasm/', import.meta.url)
if (existsSync(peers)) {
  const modules = readdirSync(peers).filter((name) => name.endsWith('.wasm'))
  test.each(modules)('%s, which Envoy runs, has no problems', (name) => {
    expect(checkModule(readFileSync(new URL(name, peers)))).toEqual([])
  })
}

/** What arrives as configuration: abi.md 3.11. */
import { createHost, HostStartError } from '@meshscript/sdk/testing'
import { describe, expect, test } from 'vitest'
import { compileModule } from './compile.ts'
import { Probe, sharedProbe } from './probe/probe.ts'
import { ALL, encodeScript, PLUGIN_CONFIGURATION, VM_CONFIGURATION } from './probe/script.ts'

/** The plugin's configuration as the filter gets it; the script comes with the VM's. */
async function received(configuration: unknown): Promise<string[]> {
  const script = { configure: [['get_buffer', PLUGIN_CONFIGURATION, 0, ALL]] } as const
  const probe = await Probe.start({ vmConfiguration: encodeScript(script), configuration })
  const log = probe.log
  await probe.host.close()
  return log.slice(0, 2)
}

describe('the plugin’s configuration', () => {
  test('none: size 0, and no bytes', async () => {
    expect(await received(undefined)).toEqual(['configure 0', 'get_buffer 7 0 4294967295 -> 0 null 0'])
  })
  test('empty text is as none', async () => {
    expect(await received('')).toEqual(['configure 0', 'get_buffer 7 0 4294967295 -> 0 null 0'])
  })
  test('text arrives as it is', async () => {
    expect(await received('some text')).toEqual(['configure 9', 'get_buffer 7 0 4294967295 -> 0 "some text"'])
  })
  test('bytes arrive as they are', async () => {
    expect(await received(Buffer.from([0, 255, 10]))).toEqual([
      'configure 3',
      'get_buffer 7 0 4294967295 -> 0 "\\x00\\xff\\x0a"',
    ])
  })
  test('an object is JSON', async () => {
    expect(await received({ a: [1] })).toEqual(['configure 9', 'get_buffer 7 0 4294967295 -> 0 "{"a":[1]}"'])
  })
  test('a Struct is protobuf, not JSON', async () => {
    expect(await received({ struct: { a: 1 } })).toEqual([
      'configure 16',
      'get_buffer 7 0 4294967295 -> 0 "\\x0a\\x0e\\x0a\\x01a\\x12\\x09\\x11\\x00\\x00\\x00\\x00\\x00\\x00\\xf0?"',
    ])
  })
})

test('the VM’s configuration can be read at any time', async () => {
  const probe = await Probe.start(
    { vmConfiguration: 'of the VM' },
    { request_headers: [['get_buffer', VM_CONFIGURATION, 0, ALL]], vm_start: [['get_buffer', VM_CONFIGURATION, 3, 3]] },
  )
  expect(probe.log.slice(0, 2)).toEqual(['vm_start 9', 'get_buffer 6 3 3 -> 0 "the"'])
  await probe.host.request()
  expect(probe.log.slice(-2)).toEqual(['request_headers 6 1', 'get_buffer 6 0 4294967295 -> 0 "of the VM"'])
  await probe.host.close()
})

describe('a refused configuration', () => {
  test.for(['FAIL_CLOSED', 'FAIL_OPEN', 'FAIL_RELOAD'] as const)(
    'the host does not start, with %s too',
    async (failurePolicy) => {
      const start = Probe.start(
        { failurePolicy },
        {
          configure: [
            ['say', 'no'],
            ['return', 0],
          ],
        },
      )
      const error = await start.catch((reason: unknown) => reason)
      expect(error).toBeInstanceOf(HostStartError)
      expect((error as HostStartError).message).toContain('Unable to create Wasm plugin probe')
      expect((error as HostStartError).logs.map(({ message }) => message)).toContain('no')
    },
  )

  test('a trap while configuring too', async () => {
    await expect(Probe.start({}, { configure: [['trap']] })).rejects.toThrow(HostStartError)
  })

  test('in an update: the old one stays', async () => {
    await probe().run({ request_headers: [['say', 'old']] })
    await expect(probe().run({ configure: [['return', 0]], request_headers: [['say', 'new']] })).rejects.toThrow(
      'Failed to configure base Wasm plugin',
    )
    await probe().host.request()
    expect(probe().log.at(-1)).toBe('old')
  })
})

const probe = sharedProbe()

test('an update reaches streams that begin after it', async () => {
  await probe().run({ request_headers: [['say', 'first']], response_headers: [['say', 'first']] })
  const stream = await probe().host.stream({ method: 'POST' })
  await probe().waitFor((log) => log.includes('first'))
  await probe().host.reconfigure(
    encodeScript({ request_headers: [['say', 'second']], response_headers: [['say', 'second']] }),
  )
  await stream.end()
  await stream.response()
  await probe().host.request()
  expect(probe().log.filter((line) => !/ /.test(line))).toEqual(['first', 'first', 'second', 'second'])
})

test('proxy_validate_configuration is not called', async () => {
  const source = `export function proxy_abi_version_0_2_1(): void {}
    export function proxy_on_memory_allocate(size: usize): usize { return heap.alloc(size) }
    @external("env", "proxy_log") declare function log(level: u32, data: usize, size: usize): u32
    function say(text: string): void { const bytes = String.UTF8.encode(text); log(2, changetype<usize>(bytes), bytes.byteLength) }
    export function proxy_validate_configuration(root: u32, size: u32): u32 { say("validate"); return 0 }
    export function proxy_on_configure(root: u32, size: u32): u32 { say("configure"); return 1 }`
  const host = await createHost({ wasm: await compileModule(source), name: 'module', configuration: 'x' })
  expect([...new Set(host.logs.map(({ message }) => message))]).toEqual(['configure'])
  await host.close()
})

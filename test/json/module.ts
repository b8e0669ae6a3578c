/** Runs the reading filter on WebAssembly alone: a configuration in, log lines out. */

import { readFileSync } from 'node:fs'

const OK = 0
const NOT_FOUND = 1
const CRITICAL = 5
const ROOT = 1
/** What Envoy lets a module have. */
const MAX_PAGES = 16_384

interface Exports {
  memory: WebAssembly.Memory
  _initialize(): void
  proxy_on_memory_allocate(size: number): number
  proxy_on_context_create(id: number, parent: number): void
  proxy_on_configure(id: number, size: number): number
}

export interface Reading {
  accepted: boolean
  /** What was logged at level critical. */
  error: string | undefined
  /** The other log lines, as latin1: strings of a configuration may hold anything. */
  tokens: string[]
}

export class ReaderModule {
  private readonly exports: Exports
  private configuration: Uint8Array = new Uint8Array()
  private reading: Reading = { accepted: false, error: undefined, tokens: [] }

  constructor(path: string) {
    const module = new WebAssembly.Module(readFileSync(path))
    const env: Record<string, (...args: number[]) => number> = {}
    // Those of WASI fail as well.
    for (const { name } of WebAssembly.Module.imports(module)) env[name] = () => NOT_FOUND
    env['proxy_log'] = (level = 0, at = 0, size = 0) => this.log(level, at, size)
    env['proxy_get_buffer_bytes'] = (_type, _start, _length, outAddress = 0, outSize = 0) =>
      this.give(outAddress, outSize)
    this.exports = new WebAssembly.Instance(module, { env, wasi_snapshot_preview1: env }).exports as unknown as Exports
    this.exports._initialize()
  }

  /** Bytes of the module's memory. */
  get memory(): number {
    return this.exports.memory.buffer.byteLength
  }

  /** Takes the memory away but for some pages of 64 KiB. */
  leaveMemory(pages: number): void {
    const { memory } = this.exports
    memory.grow(MAX_PAGES - memory.buffer.byteLength / 65_536 - pages)
  }

  read(configuration: Uint8Array | string): Reading {
    this.configuration = typeof configuration === 'string' ? Buffer.from(configuration) : configuration
    this.reading = { accepted: false, error: undefined, tokens: [] }
    // Garbage is collected when a context is made, as Envoy does for each configuration; this one is there already.
    this.exports.proxy_on_context_create(ROOT, 0)
    this.reading.accepted = this.exports.proxy_on_configure(ROOT, this.configuration.length) !== 0
    return this.reading
  }

  private log(level: number, at: number, size: number): number {
    const bytes = Buffer.from(this.exports.memory.buffer, at, size)
    if (level === CRITICAL) this.reading.error ??= new TextDecoder('utf-8', { fatal: true }).decode(bytes)
    else this.reading.tokens.push(bytes.toString('latin1'))
    return OK
  }

  private give(outAddress: number, outSize: number): number {
    const { length } = this.configuration
    const at = length ? this.exports.proxy_on_memory_allocate(length) : 0
    new Uint8Array(this.exports.memory.buffer).set(this.configuration, at)
    const view = new DataView(this.exports.memory.buffer)
    view.setUint32(outAddress, at, true)
    view.setUint32(outSize, length, true)
    return OK
  }
}

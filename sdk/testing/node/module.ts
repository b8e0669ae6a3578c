/** What a module imports, exports and carries, read from its bytes; and compiled modules, once per content. */
import { createHash } from 'node:crypto'
import type { AbiVersion, Signature } from './abi.ts'

export interface ModuleImport {
  module: string
  name: string
  kind: 'function' | 'table' | 'memory' | 'global' | 'tag'
  signature?: Signature
}

export interface ModuleInfo {
  imports: readonly ModuleImport[]
  /** Exported functions. */
  functions: ReadonlyMap<string, Signature>
  hasStart: boolean
  hasNames: boolean
  /** From the section `sourceMappingURL`. */
  sourceMapUrl?: string
  abi?: AbiVersion
}

export interface CompiledModule {
  /** SHA-256 of the bytes. */
  hash: string
  module: WebAssembly.Module
  info: ModuleInfo
}

const VALUE_TYPES: Record<number, string> = {
  0x7f: 'i32',
  0x7e: 'i64',
  0x7d: 'f32',
  0x7c: 'f64',
  0x7b: 'v128',
  0x70: 'funcref',
  0x6f: 'externref',
}
const KINDS = ['function', 'table', 'memory', 'global', 'tag'] as const
const compiled = new Map<string, CompiledModule>()

/** Compiles; throws an error with Envoy's words for a module that it could not read. */
export function compileModule(bytes: Uint8Array): CompiledModule {
  const hash = createHash('sha256').update(bytes).digest('hex')
  const known = compiled.get(hash)
  if (known) return known
  let info: ModuleInfo
  try {
    info = readModule(bytes)
  } catch {
    throw new Error('Failed to parse corrupted Wasm module')
  }
  if (!info.abi) throw new Error('Missing or unknown Proxy-Wasm ABI version')
  let module: WebAssembly.Module
  try {
    module = new WebAssembly.Module(bytes as BufferSource)
  } catch (error) {
    throw new Error('Failed to load Wasm bytecode', { cause: error })
  }
  const result = { hash, module, info }
  compiled.set(hash, result)
  return result
}

class Reader {
  at = 0
  readonly #bytes: Uint8Array

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes
  }

  get done(): boolean {
    return this.at >= this.#bytes.length
  }

  byte(): number {
    const value = this.#bytes[this.at++]
    if (value === undefined) throw new RangeError('unexpected end')
    return value
  }

  u32(): number {
    let result = 0
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte()
      result += (byte & 0x7f) * 2 ** shift
      if ((byte & 0x80) === 0) return result
    }
  }

  bytes(length: number): Uint8Array {
    if (this.at + length > this.#bytes.length) throw new RangeError('unexpected end')
    return this.#bytes.subarray(this.at, (this.at += length))
  }

  name(): string {
    return Buffer.from(this.bytes(this.u32())).toString('utf8')
  }

  list<T>(item: () => T): T[] {
    return Array.from({ length: this.u32() }, item)
  }
}

function readModule(bytes: Uint8Array): ModuleInfo {
  const reader = new Reader(bytes)
  if (Buffer.from(reader.bytes(8)).toString('hex') !== '0061736d01000000') throw new Error('not a module')
  let types: Signature[] = []
  let imports: ModuleImport[] = []
  let own: number[] = []
  let exports: { name: string; kind: number; index: number }[] = []
  const info = { hasStart: false, hasNames: false, sourceMapUrl: undefined as string | undefined }
  const importedFunctions: number[] = []
  while (!reader.done) {
    const id = reader.byte()
    const section = new Reader(reader.bytes(reader.u32()))
    if (id === 0) {
      const name = section.name()
      if (name === 'name') info.hasNames = true
      if (name === 'sourceMappingURL') info.sourceMapUrl = section.name()
    } else if (id === 1) types = section.list(() => functionType(section))
    else if (id === 2) {
      imports = section.list(() => {
        const { index, ...entry } = readImport(section)
        if (entry.kind === 'function') importedFunctions.push(index)
        return { ...entry, ...(entry.kind === 'function' && { signature: types[index] }) }
      })
    } else if (id === 3) own = section.list(() => section.u32())
    else if (id === 7) {
      exports = section.list(() => ({ name: section.name(), kind: section.byte(), index: section.u32() }))
    } else if (id === 8) info.hasStart = true
  }
  const functions = [...importedFunctions, ...own]
  const found = exports
    .filter(({ kind }) => kind === 0)
    .map(({ name, index }) => [name, types[functions[index]!]!] as const)
  return { ...info, imports, functions: new Map(found), abi: abiVersion(found.map(([name]) => name)) }
}

function functionType(section: Reader): Signature {
  if (section.byte() !== 0x60) throw new Error('not a function type')
  const types = () => section.list(() => VALUE_TYPES[section.byte()] ?? 'unknown').join(' ')
  return { params: types(), results: types() }
}

function readImport(section: Reader): ModuleImport & { index: number } {
  const module = section.name()
  const name = section.name()
  const kind = KINDS[section.byte()] ?? 'tag'
  let index = 0
  if (kind === 'function') index = section.u32()
  else if (kind === 'global') section.bytes(2)
  else if (kind === 'tag') {
    section.byte()
    section.u32()
  } else {
    if (kind === 'table') section.byte()
    const flags = section.byte()
    section.u32()
    if (flags & 1) section.u32()
  }
  return { module, name, kind, index }
}

function abiVersion(exports: readonly string[]): AbiVersion | undefined {
  const marker = exports.find((name) => /^proxy_abi_version_0_(1_0|2_0|2_1)$/.test(name))
  return marker?.slice('proxy_abi_version_'.length).replaceAll('_', '.') as AbiVersion | undefined
}

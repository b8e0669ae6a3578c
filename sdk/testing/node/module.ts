/** What a module imports, exports and carries, read from its bytes; and compiled modules, once per content. */
import { createHash } from 'node:crypto'
import { type ExternalKind, parseModule, Reader, type Signature as ModuleSignature } from '../module.ts'
import type { AbiVersion, Signature } from './abi.ts'

export interface ModuleImport {
  module: string
  name: string
  kind: ExternalKind
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

function readModule(bytes: Uint8Array): ModuleInfo {
  const { sections, imports, exports, hasStart } = parseModule(bytes)
  const custom = (name: string) => sections.find((section) => section.name === name)
  const url = custom('sourceMappingURL')
  const functions = new Map<string, Signature>()
  for (const { name, kind, signature } of exports) {
    if (kind === 'function') functions.set(name, flat(signature!))
  }
  return {
    imports: imports.map(({ signature, ...entry }) => ({ ...entry, ...(signature && { signature: flat(signature) }) })),
    functions,
    hasStart,
    hasNames: custom('name') !== undefined,
    sourceMapUrl: url && new Reader(bytes, url.content, url.end).text(),
    abi: abiVersion([...functions.keys()]),
  }
}

function flat({ params, results }: ModuleSignature): Signature {
  return { params: params.join(' '), results: results.join(' ') }
}

function abiVersion(exports: readonly string[]): AbiVersion | undefined {
  const marker = exports.find((name) => /^proxy_abi_version_0_(1_0|2_0|2_1)$/.test(name))
  return marker?.slice('proxy_abi_version_'.length).replaceAll('_', '.') as AbiVersion | undefined
}

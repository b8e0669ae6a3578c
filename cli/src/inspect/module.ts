/** What can be told of a module without running it. */

import { MalformedModule } from '@meshscript/sdk/testing/module'
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { checkModule, type CheckProblem } from '../build/check.ts'
import { UserError } from '../errors.ts'
import { abiMarkers, eventCallbacks } from '../wasm/abi.ts'
import { type Producers, readModuleMetadata } from '../wasm/metadata.ts'
import { type Field, topLevelFields } from './fields.ts'

export interface ModuleReport {
  size: number
  /** As a registry stores it in a layer. */
  gzipSize: number
  /** Hex; `sha256` of a WasmPlugin with an http(s) URL. */
  sha256: string
  /** Version of the proxy-wasm ABI. */
  abi?: string
  /** Version of @meshscript/sdk. */
  sdk?: string
  /** Versions of languages and tools. */
  producers: Producers
  /** `module.name`. */
  imports: string[]
  exports: string[]
  /** The exports that the host calls for events. */
  callbacks: string[]
  /** Of the schema inside; undefined without one. */
  configuration?: Field[]
  schema?: unknown
  /** Why Envoy would not load it; empty when it would. */
  problems: CheckProblem[]
}

/** `name` is for messages. */
export function inspectModule(bytes: Uint8Array, name: string): ModuleReport {
  try {
    const { schema, sdk, producers, imports, exports } = readModuleMetadata(bytes)
    const marker = abiMarkers.find((each) => exports.includes(each))
    return {
      size: bytes.length,
      gzipSize: gzipSync(bytes, { level: 9 }).length,
      sha256: createHash('sha256').update(bytes).digest('hex'),
      abi: marker?.slice('proxy_abi_version_'.length).replaceAll('_', '.'),
      sdk,
      producers,
      imports,
      exports,
      callbacks: eventCallbacks(exports),
      configuration: schema === undefined ? undefined : topLevelFields(schema),
      schema,
      problems: checkModule(bytes),
    }
  } catch (error) {
    if (!(error instanceof MalformedModule)) throw error
    throw new UserError(`${name} is not a WebAssembly module: ${error.message}`, 'INSP002')
  }
}

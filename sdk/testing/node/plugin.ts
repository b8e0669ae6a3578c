/** One filter's configuration, made ready. */
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { basename, extname } from 'node:path'
import type { FailurePolicy, PluginOptions } from '../types.ts'
import { toBinary, toBuffer } from './bytes.ts'
import { type CompiledModule, compileModule } from './module.ts'
import { encodeStruct } from './protobuf.ts'

export class Plugin {
  readonly options: PluginOptions
  readonly name: string
  /** As the guest gets it. */
  readonly nameBytes: string
  readonly rootId: string
  readonly vmId: string
  readonly vmConfiguration: Buffer
  readonly configuration: Buffer
  readonly failurePolicy: FailurePolicy
  readonly allowOnHeadersStopIteration: boolean
  readonly compiled: CompiledModule
  readonly path: string | undefined
  /** Plugins with the same key share a VM, in each worker. */
  readonly vmKey: string
  /** Plugins with the same key share a root context, in each VM. */
  readonly key: string

  /** Throws an error with Envoy's words for a module that it would not load. */
  constructor(options: PluginOptions) {
    const { wasm, rootId = '', vmId = '', vmConfiguration = '', failurePolicy = 'FAIL_CLOSED' } = options
    this.options = options
    this.path = typeof wasm === 'string' ? wasm : undefined
    this.name = pluginName(options)
    this.nameBytes = toBinary(this.name)
    this.rootId = toBinary(rootId)
    this.vmId = toBinary(vmId)
    this.vmConfiguration = toBuffer(vmConfiguration)
    this.configuration = configurationBytes(options.configuration)
    this.failurePolicy = failurePolicy
    this.allowOnHeadersStopIteration = options.allowOnHeadersStopIteration ?? false
    this.compiled = compileModule(typeof wasm === 'string' ? readFileSync(wasm) : wasm)
    const environment = Object.entries(options.environment ?? {}).sort()
    this.vmKey = digest(vmId, this.vmConfiguration, this.compiled.hash, JSON.stringify(environment))
    this.key = digest(rootId, this.configuration, this.name)
  }

  with(configuration: unknown): Plugin {
    return new Plugin({ ...this.options, configuration })
  }
}

export function pluginName({ name, wasm }: PluginOptions): string {
  return name ?? (typeof wasm === 'string' ? basename(wasm, extname(wasm)) : 'filter')
}

/** Objects as JSON; text and bytes as they are; `{struct}` as protobuf. */
function configurationBytes(configuration: unknown): Buffer {
  if (configuration === undefined) return Buffer.alloc(0)
  if (typeof configuration === 'string' || configuration instanceof Uint8Array) return toBuffer(configuration)
  const struct = onlyStruct(configuration)
  return struct ? encodeStruct(struct) : Buffer.from(JSON.stringify(configuration))
}

function onlyStruct(configuration: unknown): Record<string, unknown> | undefined {
  if (typeof configuration !== 'object' || configuration === null) return undefined
  const entries: [string, unknown][] = Object.entries(configuration)
  const [key, value] = entries[0] ?? []
  const alone = entries.length === 1 && key === 'struct' && typeof value === 'object' && value !== null
  return alone ? (value as Record<string, unknown>) : undefined
}

function digest(...parts: (string | Uint8Array)[]): string {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part).update('||')
  return hash.digest('hex')
}

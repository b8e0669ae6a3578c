/** All functions that a module may import, bound to a VM. */
import { type Signature, Status } from '../abi.ts'
import {
  describeParameters,
  type Hostcall,
  hostcallSignature,
  type Outcome,
  parameterWidth,
  readParameters,
  writeResults,
} from '../hostcall.ts'
import type { ModuleInfo } from '../module.ts'
import type { Vm } from '../vm.ts'
import { WASI, type WasiFunction } from '../wasi.ts'
import { buffers } from './buffers.ts'
import { calls } from './calls.ts'
import { headers } from './headers.ts'
import { legacy } from './legacy.ts'
import { lifecycle } from './lifecycle.ts'
import { metrics } from './metrics.ts'
import { properties } from './properties.ts'
import { shared } from './shared.ts'
import { streams } from './streams.ts'

type RawFunction = (...args: (number | bigint)[]) => number | undefined

const HOSTCALLS: Record<string, Hostcall> = {
  ...lifecycle,
  ...headers,
  ...buffers,
  ...streams,
  ...calls,
  ...shared,
  ...metrics,
  ...properties,
}

/** Refused while a module of that version is linked. */
const NOT_IN: Record<string, readonly string[]> = {
  '0.1.0': ['get_log_level', 'continue_stream', 'close_stream'],
  '0.2.0': ['get_log_level'],
  '0.2.1': [],
}

const EMSCRIPTEN: Record<string, { signature: Signature; call: RawFunction }> = {
  pthread_equal: { signature: { params: 'i32 i32', results: 'i32' }, call: (a, b) => (a === b ? 1 : 0) },
  emscripten_notify_memory_growth: { signature: { params: 'i32', results: '' }, call: () => undefined },
}

const NOT_CAPABLE = 76
const widths = new Map(Object.values({ ...HOSTCALLS, ...legacy }).map((call) => [call, parameterWidth(call)]))

/** What the module gets, or why it cannot be linked. */
export function createImports(vm: Vm, info: ModuleInfo): { imports: WebAssembly.Imports; missing?: string } {
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {}
  for (const { module, name, kind, signature } of info.imports) {
    const full = `${module}.${name}`
    const found = kind === 'function' ? lookup(vm, module, name) : undefined
    if (!found) return { imports, missing: `Failed to load Wasm module due to a missing import: ${full}` }
    if (found.signature.params !== signature!.params || found.signature.results !== signature!.results) {
      return {
        imports,
        missing:
          `Failed to load Wasm module due to an import type mismatch: ${full}, want: ${print(signature!)}, ` +
          `but host exports: ${print(found.signature)}`,
      }
    }
    ;(imports[module] ??= {})[name] = found.call
  }
  return { imports }
}

function print({ params, results }: Signature): string {
  return `${params || 'void'} -> ${results || 'void'}`
}

function lookup(vm: Vm, module: string, name: string): { signature: Signature; call: RawFunction } | undefined {
  if (module === 'env') return env(vm, name)
  if (module !== 'wasi_unstable' && module !== 'wasi_snapshot_preview1') return undefined
  const wasi = Object.hasOwn(WASI, name) ? WASI[name] : undefined
  return wasi && { signature: wasi.signature, call: bindWasi(vm, `${module}.${name}`, wasi, vm.capability(name)) }
}

function env(vm: Vm, name: string): { signature: Signature; call: RawFunction } | undefined {
  if (Object.hasOwn(EMSCRIPTEN, name)) return EMSCRIPTEN[name]
  if (!name.startsWith('proxy_')) return undefined
  const short = name.slice('proxy_'.length)
  const table = vm.abi === '0.1.0' ? { ...HOSTCALLS, ...legacy } : HOSTCALLS
  if (!Object.hasOwn(table, short) || NOT_IN[vm.abi]!.includes(short)) return undefined
  const call = table[short]!
  const full = `env.${name}`
  return { signature: hostcallSignature(call), call: vm.capability(name) ? bind(vm, full, call) : forbidden(vm, full) }
}

function forbidden(vm: Vm, name: string): RawFunction {
  return () => {
    vm.checkAllowed(name)
    vm.sink?.hostcall(name, vm.context.id, ['(capability not allowed)'], Status.InternalFailure)
    return Status.InternalFailure
  }
}

function bind(vm: Vm, name: string, call: Hostcall): RawFunction {
  const width = widths.get(call)!
  const run = call.call as unknown as (context: unknown, ...args: unknown[]) => Outcome
  const anyway = call.results.filter((kind) => kind.endsWith('anyway'))
  return (...raw) => {
    vm.checkAllowed(name)
    const context = vm.context
    const args = readParameters(vm.memory, call, raw)
    const described = vm.sink && describeParameters(call, args)
    let status: number = Status.InvalidMemoryAccess
    if (args) {
      const outcome = run(context, ...args)
      if (typeof outcome === 'number') {
        status = outcome
        // Where they are written in any case, failure writes zeros.
        if (anyway.length > 0) {
          const nothing = call.results.map((kind) => (kind.startsWith('bytes') ? '' : 0))
          status = writeResults(vm, call.results, nothing, raw, width) || outcome
        }
      } else if ('status' in outcome) status = outcome.status
      else status = writeResults(vm, call.results, outcome, raw, width)
    }
    if (described) vm.sink?.hostcall(name, context.id, described, status)
    return status
  }
}

function bindWasi(vm: Vm, name: string, wasi: WasiFunction, allowed: boolean): RawFunction {
  const run = wasi.call as (vm: Vm, ...args: (number | bigint)[]) => number | undefined
  return (...raw) => {
    vm.checkAllowed(name)
    const result = allowed ? run(vm, ...raw) : NOT_CAPABLE
    vm.sink?.hostcall(name, vm.context.id, raw, result ?? undefined)
    return wasi.signature.results === '' ? undefined : (result ?? 0)
  }
}

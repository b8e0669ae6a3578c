/** Verifies that Envoy will load a module, by its sections alone. What it refuses here would be a NACK, or a crash, in the proxy. */

import { abiMarkers, callbacks, hostcalls, removedHostcalls, wasiFunctions, wasiModules } from '../wasm/abi.ts'
import {
  type Import,
  MalformedModule,
  parseModule,
  type Signature,
  type WasmModule,
} from '@meshscript/sdk/testing/module'

export interface CheckProblem {
  /** Stable; explained in docs/errors.md. */
  code: CheckCode
  /** What is wrong, and what to do. */
  message: string
}

export const checkCodes = {
  WASM001: 'not a valid WebAssembly module',
  WASM002: 'start section',
  WASM003: 'memory not exported',
  WASM004: 'ABI marker',
  WASM005: 'no allocator',
  WASM006: 'two allocators',
  WASM007: 'env.abort imported',
  WASM008: 'unknown import',
  WASM009: 'import that ABI 0.2 removed',
  WASM010: 'import with a wrong signature',
  WASM011: 'callback with a wrong signature',
  WASM012: 'unknown callback',
} as const
export type CheckCode = keyof typeof checkCodes

/** Every problem of the module, in the order of the codes; none when a host with ABI 0.2.1 will load it. */
export function checkModule(bytes: Uint8Array): CheckProblem[] {
  let wasm: WasmModule
  try {
    wasm = parseModule(bytes)
  } catch (error) {
    if (!(error instanceof MalformedModule)) throw error
    return [{ code: 'WASM001', message: `not a WebAssembly module: ${error.message}` }]
  }
  if (!WebAssembly.validate(bytes as Uint8Array<ArrayBuffer>)) {
    return [
      {
        code: 'WASM001',
        message: 'the module is not valid: its bytes are damaged, or it needs features that this Node.js lacks',
      },
    ]
  }
  return [
    ...checkStart(wasm),
    ...checkMemory(wasm),
    ...checkMarker(wasm),
    ...checkAllocator(wasm),
    ...wasm.imports.flatMap((entry) => [...checkImport(entry, markerOf(wasm))]),
    ...checkCallbacks(wasm),
  ].sort((a, b) => (a.code < b.code ? -1 : a.code > b.code ? 1 : 0))
}

type Marker = (typeof abiMarkers)[number]

function hasFunction(wasm: WasmModule, name: string): boolean {
  return wasm.exports.some((entry) => entry.kind === 'function' && entry.name === name)
}

function markerOf(wasm: WasmModule): Marker | undefined {
  return abiMarkers.find((name) => hasFunction(wasm, name))
}

function* checkStart(wasm: WasmModule): Iterable<CheckProblem> {
  if (!wasm.hasStart) return
  yield {
    code: 'WASM002',
    message:
      'the module has a start section, which runs before Envoy is ready for it and crashes Envoy when it calls the host; ' +
      'export the start function instead (asc --exportStart _initialize)',
  }
}

function* checkMemory(wasm: WasmModule): Iterable<CheckProblem> {
  if (wasm.imports.some((entry) => entry.kind === 'memory')) {
    yield {
      code: 'WASM003',
      message: 'the module imports its memory; it must define and export it (asc without --importMemory)',
    }
  } else if (!wasm.exports.some((entry) => entry.kind === 'memory' && entry.name === 'memory')) {
    yield { code: 'WASM003', message: 'the module does not export "memory" (asc without --noExportMemory)' }
  }
}

function* checkMarker(wasm: WasmModule): Iterable<CheckProblem> {
  if (markerOf(wasm)) return
  const other = wasm.exports.find((entry) => entry.name.startsWith('proxy_abi_version'))
  yield {
    code: 'WASM004',
    message: other
      ? `Envoy does not know the ABI ${JSON.stringify(other.name)}; export "proxy_abi_version_0_2_1"`
      : 'the module does not say which ABI it speaks; export a function "proxy_abi_version_0_2_1"',
  }
}

function* checkAllocator(wasm: WasmModule): Iterable<CheckProblem> {
  const malloc = hasFunction(wasm, 'malloc')
  const allocate = hasFunction(wasm, 'proxy_on_memory_allocate')
  if (malloc && allocate) {
    yield {
      code: 'WASM006',
      message:
        'the module exports "malloc" and "proxy_on_memory_allocate": Envoy uses malloc and ignores the other; export one of them',
    }
  } else if (!malloc && !allocate) {
    yield {
      code: 'WASM005',
      message: 'the module has no allocator for what the host passes in; export "proxy_on_memory_allocate"',
    }
  }
}

function* checkImport({ module, name, kind, signature }: Import, marker: Marker | undefined): Iterable<CheckProblem> {
  const full = `${module}.${name}`
  if (kind !== 'function') {
    if (kind !== 'memory')
      yield { code: 'WASM008', message: `the module imports the ${kind} ${full}; hosts offer functions only` }
    return
  }
  if ((wasiModules as readonly string[]).includes(module)) {
    if (!wasiFunctions.has(name)) yield unknownImport(full)
    return
  }
  if (full === 'env.abort') {
    yield {
      code: 'WASM007',
      message:
        'the module imports env.abort, which no proxy has; name an own handler (asc --use abort=FUNCTION), as meshscript build does',
    }
    return
  }
  const instead = module === 'env' ? removedHostcalls.get(name) : undefined
  if (instead !== undefined) {
    if (marker === 'proxy_abi_version_0_1_0') return
    yield {
      code: 'WASM009',
      message: `${full} belongs to ABI 0.1.0 and is missing in newer ones, so that the module does not load; ${instead}`,
    }
    return
  }
  const expected = module === 'env' ? hostcalls.get(name) : undefined
  if (!expected) {
    yield unknownImport(full)
  } else if (name === 'proxy_get_log_level' && marker === 'proxy_abi_version_0_2_0') {
    yield {
      code: 'WASM008',
      message: `${full} came with ABI 0.2.1, but the module says 0.2.0; export "proxy_abi_version_0_2_1"`,
    }
  } else if (signature && !same(expected, signature)) {
    yield { code: 'WASM010', message: `${full} is ${show(expected)}, but the module imports it as ${show(signature)}` }
  }
}

function unknownImport(name: string): CheckProblem {
  return {
    code: 'WASM008',
    message: `no proxy offers the import ${name}; remove the call that needs it (asc imports only what is called)`,
  }
}

function* checkCallbacks(wasm: WasmModule): Iterable<CheckProblem> {
  const olderHeaders = markerOf(wasm) === 'proxy_abi_version_0_1_0'
  for (const { name, kind, signature } of wasm.exports) {
    if (kind !== 'function') continue
    const expected = callbacks.get(name)
    if (expected) {
      if (olderHeaders && /^proxy_on_re(quest|sponse)_headers$/.test(name)) continue
      if (signature && !same(expected, signature)) {
        yield {
          code: 'WASM011',
          message: `${name} must be ${show(expected)}, but the module exports ${show(signature)}`,
        }
      }
    } else if (/^proxy_(on|validate)_/.test(name)) {
      const near = nearest(name)
      yield { code: 'WASM012', message: `no host calls "${name}"${near ? `; did you mean "${near}"?` : ''}` }
    }
  }
}

function same(a: Signature, b: Signature): boolean {
  return show(a) === show(b)
}

function show({ params, results }: Signature): string {
  return `(${params.join(', ')}) -> ${results.length === 1 ? results[0] : `(${results.join(', ')})`}`
}

/** The callback that an unknown one was probably meant to be. */
function nearest(name: string): string | undefined {
  const [best] = [...callbacks.keys()]
    .map((other) => ({ other, distance: editDistance(name, other) }))
    .sort((a, b) => a.distance - b.distance)
  return best && best.distance <= name.length / 3 ? best.other : undefined
}

/** Letters to insert, remove or replace to turn `a` into `b`. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}

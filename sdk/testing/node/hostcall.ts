/** How a hostcall is declared: what its parameters mean, so that one place reads, writes and traces them. */
import { BUFFER_NAMES, MAP_NAMES, type Signature, Status, STREAM_NAMES } from './abi.ts'
import { toText } from './bytes.ts'
import type { Context } from './context.ts'
import type { GuestMemory } from './memory.ts'
import { type Pair, parsePairs } from './pairs.ts'

/** What a function gets for each parameter. `text` is a string of bytes. */
export interface ParameterTypes {
  u32: number
  i32: number
  i64: bigint
  u64: bigint
  map: number
  buffer: number
  stream: number
  text: string
  bytes: Buffer
  pairs: Pair[]
}
export type ParameterKind = keyof ParameterTypes
/** Out parameters, behind the others. `anyway`: written on failure too, then with 0. */
export type ResultKind = 'u32' | 'u64' | 'bytes' | 'u32 anyway' | 'bytes anyway'
export type ResultValue = number | bigint | string | Buffer

/** A function that does not exist: nothing is written, not even where it would be anyway. */
export const NO_FUNCTION = { status: Status.NotFound }

/** A status, or with OK the results. */
export type Outcome = number | typeof NO_FUNCTION | readonly ResultValue[]

export interface Hostcall {
  params: readonly ParameterKind[]
  results: readonly ResultKind[]
  call: (context: Context, ...args: never[]) => Outcome
}

/** Declares a hostcall, its function typed by the parameters. */
export function hostcall<const P extends readonly ParameterKind[]>(
  params: P,
  results: readonly ResultKind[],
  call: (context: Context, ...args: { -readonly [K in keyof P]: ParameterTypes[P[K]] }) => Outcome,
): Hostcall {
  return { params, results, call: call as unknown as Hostcall['call'] }
}

const WIDTH: Record<ParameterKind, readonly string[]> = {
  u32: ['i32'],
  i32: ['i32'],
  i64: ['i64'],
  u64: ['i64'],
  map: ['i32'],
  buffer: ['i32'],
  stream: ['i32'],
  text: ['i32', 'i32'],
  bytes: ['i32', 'i32'],
  pairs: ['i32', 'i32'],
}

export function hostcallSignature({ params, results }: Hostcall): Signature {
  const outs = results.flatMap((kind) => (kind.startsWith('bytes') ? ['i32', 'i32'] : ['i32']))
  return { params: [...params.flatMap((kind) => WIDTH[kind]), ...outs].join(' '), results: 'i32' }
}

/** Undefined where something is not in the guest's memory. */
export function readParameters(memory: GuestMemory, { params }: Hostcall, raw: readonly (number | bigint)[]) {
  const values: unknown[] = []
  let at = 0
  for (const kind of params) {
    const first = raw[at++]!
    if (kind === 'i64') values.push(first)
    else if (kind === 'u64') values.push(BigInt.asUintN(64, first as bigint))
    else if (kind === 'i32') values.push(first)
    else if (kind === 'text' || kind === 'bytes' || kind === 'pairs') {
      const pointer = (first as number) >>> 0
      const size = (raw[at++] as number) >>> 0
      const value = kind === 'text' ? memory.text(pointer, size) : memory.bytes(pointer, size)
      if (value === undefined) return undefined
      values.push(kind === 'pairs' ? parsePairs(value as Buffer) : value)
    } else values.push((first as number) >>> 0)
  }
  return values
}

/** How many raw arguments the parameters take: the out pointers are behind them. */
export function parameterWidth({ params }: Hostcall): number {
  return params.reduce((sum, kind) => sum + WIDTH[kind].length, 0)
}

/** Parameters for a person. */
export function describeParameters({ params }: Hostcall, values: readonly unknown[] | undefined): unknown[] {
  if (!values) return ['(bad pointer)']
  return values.map((value, index) => {
    const kind = params[index]
    if (kind === 'map') return MAP_NAMES[value as number] ?? value
    if (kind === 'buffer') return BUFFER_NAMES[value as number] ?? value
    if (kind === 'stream') return STREAM_NAMES[value as number] ?? value
    if (kind === 'text') return toText(value as string)
    if (kind === 'bytes') return toText((value as Buffer).toString('latin1'))
    if (kind === 'pairs') return (value as Pair[]).map(([name, text]) => [name, toText(text)])
    return value
  })
}

export function writeResults(
  vm: { memory: GuestMemory; allocate(size: number): number },
  results: readonly ResultKind[],
  values: readonly ResultValue[],
  raw: readonly (number | bigint)[],
  from: number,
): number {
  let at = from
  for (const [index, kind] of results.entries()) {
    const value = values[index]!
    const out = (raw[at++] as number) >>> 0
    if (kind === 'u64') {
      if (!vm.memory.setU64(out, value as bigint)) return Status.InvalidMemoryAccess
    } else if (kind.startsWith('u32')) {
      if (!vm.memory.setU32(out, value as number)) return Status.InvalidMemoryAccess
    } else {
      const data = value as Buffer | string
      const outSize = (raw[at++] as number) >>> 0
      let pointer = 0
      // Foreign functions allocate what they answer, even if it is empty.
      if (data.length > 0 || (kind === 'bytes anyway' && data instanceof Buffer)) {
        pointer = vm.allocate(data.length)
        if (pointer === 0 || !vm.memory.write(pointer, data)) return Status.InvalidMemoryAccess
      }
      if (!writeOut(vm.memory, kind, out, pointer) || !writeOut(vm.memory, kind, outSize, data.length)) {
        return Status.InvalidMemoryAccess
      }
    }
  }
  return Status.Ok
}

/** A foreign function's caller may say by a null pointer that it wants no result. */
function writeOut(memory: GuestMemory, kind: ResultKind, pointer: number, value: number): boolean {
  return (kind === 'bytes anyway' && pointer === 0) || memory.setU32(pointer, value)
}

/**
 * A reader of WebAssembly binaries: the sections that say what a module needs and offers, and nothing of its code.
 *
 * @module
 */

export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128' | 'funcref' | 'externref' | 'unknown'
export type ExternalKind = 'function' | 'table' | 'memory' | 'global' | 'tag'

export interface Signature {
  params: readonly ValueType[]
  results: readonly ValueType[]
}

export interface Import {
  module: string
  name: string
  kind: ExternalKind
  /** Functions only. */
  signature?: Signature
}

export interface Export {
  name: string
  kind: ExternalKind
  /** Functions only. */
  signature?: Signature
}

export interface Section {
  id: number
  /** Custom sections only. */
  name?: string
  /** Where the section begins, its id included. */
  start: number
  /** Where its contents begin; those of a custom section after its name. */
  content: number
  end: number
}

export interface WasmModule {
  sections: readonly Section[]
  imports: readonly Import[]
  exports: readonly Export[]
  /** Whether a function runs at instantiation, before the host is ready for it. */
  hasStart: boolean
}

export class MalformedModule extends Error {
  override name = 'MalformedModule'
}

export const SectionId = { custom: 0, type: 1, import: 2, function: 3, export: 7, start: 8, code: 10 } as const

const valueTypes: Record<number, ValueType> = {
  0x7f: 'i32',
  0x7e: 'i64',
  0x7d: 'f32',
  0x7c: 'f64',
  0x7b: 'v128',
  0x70: 'funcref',
  0x6f: 'externref',
}
const kinds: readonly ExternalKind[] = ['function', 'table', 'memory', 'global', 'tag']
const utf8 = new TextDecoder()

/** Reads little-endian numbers and names from a part of a binary. */
export class Reader {
  constructor(
    private readonly bytes: Uint8Array,
    public at: number,
    private readonly end: number,
  ) {}

  get done(): boolean {
    return this.at >= this.end
  }

  byte(): number {
    if (this.at >= this.end) throw new MalformedModule(`unexpected end at byte ${this.at}`)
    return this.bytes[this.at++]!
  }

  u32(): number {
    let result = 0
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.byte()
      result += (byte & 0x7f) * 2 ** shift
      if (byte < 0x80) return result
    }
    throw new MalformedModule(`number too long at byte ${this.at}`)
  }

  take(length: number): Uint8Array {
    if (length > this.end - this.at) throw new MalformedModule(`unexpected end at byte ${this.end}`)
    this.at += length
    return this.bytes.subarray(this.at - length, this.at)
  }

  rest(): Uint8Array {
    return this.take(this.end - this.at)
  }

  text(): string {
    return utf8.decode(this.take(this.u32()))
  }

  list<T>(read: () => T): T[] {
    const result: T[] = []
    for (let count = this.u32(); count > 0; count--) result.push(read())
    return result
  }

  /** Skips the limits of a table or memory. */
  limits(): void {
    const flags = this.byte()
    this.u32()
    if (flags & 1) this.u32()
  }
}

/** Parses what `WasmModule` holds. Throws `MalformedModule` where the bytes are no WebAssembly module. */
export function parseModule(bytes: Uint8Array): WasmModule {
  const sections = readSections(bytes)
  const reader = (id: number) => {
    const section = sections.find((candidate) => candidate.id === id)
    return section && new Reader(bytes, section.content, section.end)
  }
  const types = readTypes(reader(SectionId.type))
  const imports = readImports(reader(SectionId.import), types)
  const functions = imports.filter((entry) => entry.kind === 'function').map((entry) => entry.signature)
  const own = reader(SectionId.function)
  if (own) functions.push(...own.list(() => types[own.u32()]))
  const exporting = reader(SectionId.export)
  const exports = exporting
    ? exporting.list((): Export => {
        const name = exporting.text()
        const kind = kinds[exporting.byte()] ?? 'tag'
        const index = exporting.u32()
        return kind === 'function' ? { name, kind, signature: functions[index] } : { name, kind }
      })
    : []
  return { sections, imports, exports, hasStart: sections.some((section) => section.id === SectionId.start) }
}

function readSections(bytes: Uint8Array): Section[] {
  const header = [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]
  if (bytes.length < 8 || header.some((byte, index) => bytes[index] !== byte)) {
    throw new MalformedModule('it does not begin with the header of a WebAssembly module, version 1')
  }
  const reader = new Reader(bytes, 8, bytes.length)
  const sections: Section[] = []
  while (!reader.done) {
    const start = reader.at
    const id = reader.byte()
    const size = reader.u32()
    const section: Section = { id, start, content: reader.at, end: reader.at + size }
    reader.take(size)
    if (id === SectionId.custom) {
      const inner = new Reader(bytes, section.content, section.end)
      section.name = inner.text()
      section.content = inner.at
    }
    sections.push(section)
  }
  return sections
}

function readTypes(reader: Reader | undefined): (Signature | undefined)[] {
  if (!reader) return []
  const values = () => reader.list(() => valueTypes[reader.byte()] ?? 'unknown')
  const types: (Signature | undefined)[] = []
  for (let count = reader.u32(); count > 0; count--) {
    // Anything but plain functions (garbage-collected types) can't be part of an ABI function: the rest is left alone.
    if (reader.byte() !== 0x60) break
    types.push({ params: values(), results: values() })
  }
  return types
}

function readImports(reader: Reader | undefined, types: readonly (Signature | undefined)[]): Import[] {
  if (!reader) return []
  return reader.list((): Import => {
    const module = reader.text()
    const name = reader.text()
    const kind = kinds[reader.byte()] ?? 'tag'
    switch (kind) {
      case 'function':
        return { module, name, kind, signature: types[reader.u32()] }
      case 'table':
        reader.byte()
        reader.limits()
        break
      case 'memory':
        reader.limits()
        break
      case 'global':
        reader.take(2)
        break
      case 'tag':
        reader.byte()
        reader.u32()
    }
    return { module, name, kind }
  })
}

/** Rewrites the custom sections of a module. Code keeps its place as long as they stand behind it, as asc puts them. */

import { parseModule, Reader, SectionId } from '@meshscript/sdk/testing/module'

const NAME_SUBSECTION_FUNCTIONS = 1

export interface CustomSectionOptions {
  /** `all` as they are; `functions`: what a backtrace shows and nothing else; `none`. */
  names: 'all' | 'functions' | 'none'
  /** Contents of sections to add at the end, by name. Those of the same name in the module are left out. */
  add?: ReadonlyMap<string, Uint8Array>
}

/** Returns the module with names as asked and without `sourceMappingURL`, so that the bytes don't depend on a file's name. */
export function rewriteCustomSections(bytes: Uint8Array, { names, add = new Map() }: CustomSectionOptions): Uint8Array {
  const parts: Uint8Array[] = [bytes.subarray(0, 8)]
  for (const section of parseModule(bytes).sections) {
    const name = section.id === SectionId.custom ? section.name! : undefined
    if (name !== undefined && (name === 'sourceMappingURL' || add.has(name))) continue
    if (name === 'name' && names !== 'all') {
      if (names === 'functions') parts.push(functionNames(bytes, section.content, section.end))
      continue
    }
    parts.push(bytes.subarray(section.start, section.end))
  }
  for (const [name, content] of add) parts.push(customSection(name, content))
  return Buffer.concat(parts)
}

function functionNames(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const reader = new Reader(bytes, start, end)
  while (!reader.done) {
    const id = reader.byte()
    const content = reader.take(reader.u32())
    if (id === NAME_SUBSECTION_FUNCTIONS)
      return customSection('name', Buffer.concat([Buffer.from([id]), sized(content)]))
  }
  return new Uint8Array()
}

function customSection(name: string, content: Uint8Array): Uint8Array {
  const body = sized(Buffer.concat([sized(Buffer.from(name)), content]))
  return Buffer.concat([Buffer.from([SectionId.custom]), body])
}

/** The bytes behind their length. */
export function sized(content: Uint8Array): Uint8Array {
  return Buffer.concat([u32(content.length), content])
}

/** LEB128, as all numbers in a module. */
export function u32(value: number): Uint8Array {
  const bytes: number[] = []
  let rest = value
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
    rest >>>= 7
  } while (rest)
  return Buffer.from(bytes)
}

/** Rewrites the custom sections of a module. Code keeps its place as long as they stand behind it, as asc puts them. */

import { parseModule, Reader, SectionId } from './module.ts'

const NAME_SUBSECTION_FUNCTIONS = 1

export interface CustomSectionOptions {
  /** `all` as they are; `functions`: what a backtrace shows and nothing else; `none`. */
  names: 'all' | 'functions' | 'none'
}

/** Returns the module with names as asked and without `sourceMappingURL`, so that the bytes don't depend on a file's name. */
export function rewriteCustomSections(bytes: Uint8Array, { names }: CustomSectionOptions): Uint8Array {
  const parts: Uint8Array[] = [bytes.subarray(0, 8)]
  for (const section of parseModule(bytes).sections) {
    if (section.id === SectionId.custom && section.name === 'sourceMappingURL') continue
    if (section.id === SectionId.custom && section.name === 'name' && names !== 'all') {
      if (names === 'functions') parts.push(functionNames(bytes, section.content, section.end))
      continue
    }
    parts.push(bytes.subarray(section.start, section.end))
  }
  return Buffer.concat(parts)
}

function functionNames(bytes: Uint8Array, start: number, end: number): Uint8Array {
  const reader = new Reader(bytes, start, end)
  while (!reader.done) {
    const id = reader.byte()
    const content = reader.take(reader.u32())
    if (id === NAME_SUBSECTION_FUNCTIONS) {
      const body = Buffer.concat([sized(Buffer.from('name')), Buffer.from([id]), sized(content)])
      return Buffer.concat([Buffer.from([SectionId.custom]), sized(body)])
    }
  }
  return new Uint8Array()
}

/** The bytes behind their length. */
function sized(content: Uint8Array): Uint8Array {
  const length: number[] = []
  let rest = content.length
  do {
    length.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
    rest >>>= 7
  } while (rest)
  return Buffer.concat([Buffer.from(length), content])
}

/**
 * What a module says of itself: who made it, by the standard custom section `producers`, and the JSON Schema of its
 * configuration in the section `meshscript.configuration`. Hosts ignore both.
 */

import { parseModule, Reader, SectionId } from '@meshscript/sdk/testing/module'
import { sized, u32 } from './custom_sections.ts'

export const CONFIGURATION_SECTION = 'meshscript.configuration'
const PRODUCERS_SECTION = 'producers'

/** Versions by name, by field (`language`, `processed-by`, `sdk`). */
export type Producers = Record<string, Record<string, string>>

export interface ModuleMetadata {
  /** Version of @meshscript/sdk that it was built with. */
  sdk?: string
  producers: Producers
  /** JSON Schema of the configuration. */
  schema?: unknown
  /** `module.name`. */
  imports: string[]
  exports: string[]
}

/** The sections to add to a module. */
export function metadataSections(producers: Producers, schema?: unknown): Map<string, Uint8Array> {
  const sections = new Map([[PRODUCERS_SECTION, encodeProducers(producers)]])
  if (schema !== undefined) sections.set(CONFIGURATION_SECTION, Buffer.from(JSON.stringify(schema)))
  return sections
}

/** Throws `MalformedModule` where the bytes are no module. A section that can't be read is as none: other tools write them too. */
export function readModuleMetadata(bytes: Uint8Array): ModuleMetadata {
  const { sections, imports, exports } = parseModule(bytes)
  const read = <T>(name: string, decode: (reader: Reader) => T): T | undefined => {
    const section = sections.find((candidate) => candidate.id === SectionId.custom && candidate.name === name)
    if (!section) return undefined
    try {
      return decode(new Reader(bytes, section.content, section.end))
    } catch {
      return undefined
    }
  }
  const producers = read(PRODUCERS_SECTION, decodeProducers) ?? {}
  return {
    sdk: producers['sdk']?.['@meshscript/sdk'],
    producers,
    schema: read(CONFIGURATION_SECTION, (reader): unknown => JSON.parse(Buffer.from(reader.rest()).toString('utf8'))),
    imports: imports.map(({ module, name }) => `${module}.${name}`),
    exports: exports.map(({ name }) => name),
  }
}

const text = (value: string) => sized(Buffer.from(value))

function encodeProducers(producers: Producers): Uint8Array {
  const fields = Object.entries(producers)
  const parts = [u32(fields.length)]
  for (const [field, versions] of fields) {
    const values = Object.entries(versions)
    parts.push(text(field), u32(values.length), ...values.flatMap(([name, version]) => [text(name), text(version)]))
  }
  return Buffer.concat(parts)
}

function decodeProducers(reader: Reader): Producers {
  const value = () => [reader.text(), reader.text()] as const
  const field = () => [reader.text(), Object.fromEntries(reader.list(value))] as const
  return Object.fromEntries(reader.list(field))
}

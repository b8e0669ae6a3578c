/** What a built module carries of its making: the tools with their versions, and the schema of its configuration. */

import * as asc from 'assemblyscript/asc'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import packageJson from '../../package.json' with { type: 'json' }
import { UserError } from '../errors.ts'
import { metadataSections } from '../wasm/metadata.ts'
import { type Project } from './project.ts'

/** Custom sections by name. `sources` are for a watcher, should it fail. */
export function embeddedSections(project: Project, sources: readonly string[]): Map<string, Uint8Array> {
  const { sdk } = project
  const { version } = JSON.parse(readFileSync(join(sdk, 'package.json'), 'utf8')) as { version: string }
  const producers = {
    language: { AssemblyScript: asc.version },
    'processed-by': { meshscript: packageJson.version },
    sdk: { '@meshscript/sdk': version },
  }
  return metadataSections(producers, schemaOf(project, sources))
}

/** The files that the schema of the configuration is made of. */
export function schemaFiles({ schema, bundle = [] }: Project): string[] {
  return [schema, ...bundle.map((part) => part.schema)].filter((file) => file !== undefined)
}

function schemaOf({ schema, bundle }: Project, sources: readonly string[]): unknown {
  if (!bundle) return schema && readSchema(schema, sources)
  const parts = bundle.map(({ name, schema: file }): [string, unknown] => [
    name,
    file === undefined ? {} : asPart(readSchema(file, sources), name),
  ])
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: `Configuration of a bundle: ${bundle.map(({ name }) => name).join(', ')}`,
    description: 'Requests pass the filters in this order, responses in reverse. A filter without a part is off.',
    type: 'object',
    required: ['version'],
    additionalProperties: false,
    properties: {
      $schema: { type: 'string', description: 'Where this schema is, for editors.' },
      version: { const: 1, description: 'Version of this format.' },
      ...Object.fromEntries(parts),
    },
  }
}

/** A schema within another one: its references lead to where it stands now. */
function asPart(schema: object, name: string): object {
  const { $schema: _, $id: __, ...rest } = schema as { $schema?: unknown; $id?: unknown }
  const at = `#/properties/${encodeURIComponent(name.replaceAll('~', '~0').replaceAll('/', '~1'))}`
  return JSON.parse(JSON.stringify(rest), (key, value: unknown) =>
    key === '$ref' && typeof value === 'string' && value.startsWith('#') ? at + value.slice(1) : value,
  ) as object
}

function readSchema(file: string, sources: readonly string[]): object {
  const fail = (why: string) => new UserError(`${file} ${why}`, 'BUILD005', [], sources)
  let schema: unknown
  try {
    schema = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    throw fail(`is not valid JSON: ${(error as Error).message}`)
  }
  if (typeof schema !== 'object' || schema === null || Array.isArray(schema)) {
    throw fail('is no JSON Schema: it must be an object')
  }
  return schema
}

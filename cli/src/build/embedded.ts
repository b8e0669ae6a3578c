/** What a built module carries of its making: the tools with their versions, and the schema of its configuration. */

import * as asc from 'assemblyscript/asc'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import packageJson from '../../package.json' with { type: 'json' }
import { UserError } from '../errors.ts'
import { metadataSections } from '../wasm/metadata.ts'
import { type Project } from './project.ts'

/** Custom sections by name. `sources` are for a watcher, should it fail. */
export function embeddedSections({ sdk, schema }: Project, sources: readonly string[]): Map<string, Uint8Array> {
  const { version } = JSON.parse(readFileSync(join(sdk, 'package.json'), 'utf8')) as { version: string }
  const producers = {
    language: { AssemblyScript: asc.version },
    'processed-by': { meshscript: packageJson.version },
    sdk: { '@meshscript/sdk': version },
  }
  return metadataSections(producers, schema && readSchema(schema, sources))
}

function readSchema(file: string, sources: readonly string[]): unknown {
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

/** The authorization filter, its schema and real configurations of it. */

import { Ajv } from 'ajv'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { authorizationCases } from '../authorization/cases.ts'
import { root } from '../bench/paths.ts'
import { unsayable } from './unsayable.ts'

const FOLDER = join(root, 'filters/authorization')
/** The deepest nesting that the JSON reader takes. */
const MAX_DEPTH = 64

/** What the compiler makes of the recorded policies. */
const real = authorizationCases().flatMap(({ configuration }) => (configuration ? [configuration] : []))

export const authorization = {
  path: 'filters/authorization/assembly/index.ts',
  real,
  grow,
  isValid: validator(),
}

/** All policies of all real configurations, over and over. */
function grow(bytes: number): object {
  const policies = (real as readonly { policies: { name: string }[] }[]).flatMap(
    (configuration) => configuration.policies,
  )
  const count = Math.ceil(bytes / JSON.stringify(policies).length)
  const copies = Array.from({ length: count }, (_, i) =>
    policies.map((policy, j) => ({ ...policy, name: `${i}.${j}` })),
  )
  return { version: 1, policies: copies.flat() }
}

function validator(): (configuration: unknown) => boolean {
  const schema = JSON.parse(readFileSync(join(FOLDER, 'schema.json'), 'utf8')) as object
  const validate = new Ajv({ strict: true, strictRequired: false }).compile<{ policies: { name: string }[] }>(schema)
  return (configuration) => {
    if (depth(configuration) > MAX_DEPTH || !validate(configuration)) return false
    const names = configuration.policies.map(({ name }) => name)
    return new Set(names).size === names.length && unsayable(configuration)
  }
}

function depth(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depth))
}

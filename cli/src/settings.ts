/**
 * The settings of a project: `meshscript.json`, or the section `meshscript` of `package.json`, in the nearest folder that
 * has one of them. What may be in it is said by meshscript.schema.json alone, for editors and for this reader.
 */

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import schema from '../meshscript.schema.json' with { type: 'json' }
import { UserError } from './errors.ts'
import { nearest } from './resources/nearest.ts'

export interface Settings {
  /** Where they stand; undefined where there are none. */
  file?: string
  /** Imports of the left are taken from the right. */
  alias?: Record<string, string>
  /** The filter's file or folder, as an absolute path. */
  filter?: string
  /** File with the filter's configuration, as an absolute path. */
  configuration?: string
  /** Reference of the image, without a tag. */
  registry?: string
  insecure?: boolean
  deploy?: DeploySettings
  run?: { upstream?: string }
}

export interface DeploySettings {
  namespace?: string
  phase?: 'UNSPECIFIED_PHASE' | 'AUTHN' | 'AUTHZ' | 'STATS'
  priority?: number
  selector?: Record<string, string>
  failStrategy?: 'FAIL_CLOSE' | 'FAIL_OPEN' | 'FAIL_RELOAD'
  pluginName?: string
}

/** The part of JSON Schema that meshscript.schema.json uses. */
interface Schema {
  type: string
  properties?: Record<string, Schema>
  additionalProperties?: boolean | Schema
  enum?: string[]
  pattern?: string
  minLength?: number
  minimum?: number
  maximum?: number
}

/** The settings that hold for a folder. Where both files of a folder have some, fields of `meshscript.json` win. */
export function readSettings(folder: string): Settings {
  for (let dir = resolve(folder); ; dir = dirname(dir)) {
    const settings = settingsIn(dir)
    if (settings) return settings
    if (dirname(dir) === dir) return {}
  }
}

function settingsIn(folder: string): Settings | undefined {
  const packageJson = join(folder, 'package.json')
  const own = join(folder, 'meshscript.json')
  const section = existsSync(packageJson)
    ? (parse(packageJson) as { meshscript?: unknown } | null)?.meshscript
    : undefined
  if (section !== undefined) check(section, schema, packageJson, 'meshscript')
  if (!existsSync(own)) return section === undefined ? undefined : located(section as object, packageJson)
  const settings = parse(own)
  check(settings, schema, own, '')
  return located({ ...(section as object | undefined), ...(settings as object) }, own)
}

function parse(file: string): unknown {
  try {
    // Windows' editors may begin a file with a byte order mark.
    return JSON.parse(readFileSync(file, 'utf8').replace(/^\uFEFF/, ''))
  } catch (error) {
    throw new UserError(`${file} is not valid JSON: ${(error as Error).message}`, 'SET002')
  }
}

/** Paths are meant relative to their file. */
function located(settings: object, file: string): Settings {
  const { $schema: _, ...rest } = settings as Settings & { $schema?: string }
  const located: Settings = { ...rest, file }
  for (const name of ['filter', 'configuration'] as const) {
    if (rest[name] !== undefined) located[name] = resolve(dirname(file), rest[name])
  }
  return located
}

function check(value: unknown, schema: Schema, file: string, path: string): void {
  const refuse = (expected: string): never => {
    throw new UserError(`${file}: ${path || 'the document'} has to be ${expected}`, 'SET003')
  }
  switch (schema.type) {
    case 'object': {
      if (typeof value !== 'object' || value === null || Array.isArray(value)) return refuse('an object')
      for (const [name, field] of Object.entries(value)) {
        const inner = path ? `${path}.${name}` : name
        const rule = fieldSchema(schema, name)
        if (!rule) throw new UserError(`${file}: ${unknownField(inner, name, schema)}`, 'SET001')
        check(field, rule, file, inner)
      }
      return
    }
    case 'integer': {
      const { minimum = -Infinity, maximum = Infinity } = schema
      if (!Number.isInteger(value)) return refuse('a whole number')
      if ((value as number) < minimum || (value as number) > maximum) return refuse(`from ${minimum} to ${maximum}`)
      return
    }
    case 'boolean':
      if (typeof value !== 'boolean') return refuse('true or false')
      return
    default: {
      if (typeof value !== 'string') return refuse('a string')
      if (schema.enum && !schema.enum.includes(value)) return refuse(`one of ${schema.enum.join(', ')}`)
      if (value.length < (schema.minLength ?? 0)) return refuse('more than nothing')
      if (schema.pattern && !new RegExp(schema.pattern).test(value)) return refuse('HOST:PORT')
    }
  }
}

function fieldSchema({ properties = {}, additionalProperties }: Schema, name: string): Schema | undefined {
  if (Object.hasOwn(properties, name)) return properties[name]
  return typeof additionalProperties === 'object' ? additionalProperties : undefined
}

function unknownField(path: string, name: string, { properties = {} }: Schema): string {
  const meant = nearest(name, Object.keys(properties))
  const known = Object.keys(properties).filter((key) => key !== '$schema')
  return `unknown field ${path}; ${meant === undefined ? `known are ${known.join(', ')}` : `did you mean ${meant}?`}`
}

/** Reads a filter's configuration for a resource, where it is JSON with numbers of 64 bits. */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseDocument } from 'yaml'
import { displayPath } from '../diagnostics.ts'
import { UserError } from '../errors.ts'

/** JSON or YAML; an object. What would not arrive as it was written is refused. */
export function readConfiguration(file: string, cwd: string): Record<string, unknown> {
  const name = displayPath(resolve(cwd, file), cwd)
  let text: string
  try {
    text = readFileSync(resolve(cwd, file), 'utf8').replace(/^\uFEFF/, '')
  } catch (error) {
    throw new UserError(`${name} can't be read: ${(error as Error).message}`, 'DEP002')
  }
  return parseConfiguration(text, name)
}

export function parseConfiguration(text: string, name: string): Record<string, unknown> {
  const refuse = (reason: string): never => {
    throw new UserError(`${name}: ${reason}`, 'DEP003')
  }
  // JSON is YAML, but for tabs.
  const document = parseDocument(isJson(text) ? text.replaceAll('\t', ' ') : text, { intAsBigInt: true })
  const [error] = document.errors
  if (error) return refuse(`it is neither JSON nor YAML: ${error.message.split('\n', 1)[0]!.replace(/:$/, '')}`)
  let value: unknown
  try {
    value = document.toJS()
  } catch (error) {
    return refuse((error as Error).message)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return refuse('a configuration in a resource is an object')
  return plain(value, '', refuse) as Record<string, unknown>
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

function plain(value: unknown, path: string, refuse: (reason: string) => never): unknown {
  if (typeof value === 'bigint') {
    if (Number.isSafeInteger(Number(value))) return Number(value)
    refuse(`${path} is ${value}: Istio passes numbers on as 64-bit floats, which lose it; write a string`)
  }
  if (typeof value === 'number' && !Number.isFinite(value)) refuse(`${path} is ${value}, which JSON does not have`)
  if (Array.isArray(value)) return value.map((item, index) => plain(item, `${path}[${index}]`, refuse))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, plain(item, path ? `${path}.${key}` : key, refuse)]),
  )
}

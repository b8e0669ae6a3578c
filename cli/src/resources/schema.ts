/** Checks a syntax tree against the part of JSON Schema that the schemas of Kubernetes CRDs use. */
import { isMap, isScalar, isSeq, type Node, type Scalar } from 'yaml'
import type { Code } from './codes.ts'
import type { Diagnostics } from './diagnostics.ts'
import { nearest } from './nearest.ts'
import { formatPath, type Entry, type Path, type Tree } from './nodes.ts'
import type { Span } from './source.ts'

/** A regular expression is one. */
export interface Test {
  test(text: string): boolean
}

export type Type = 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean'

export interface Schema {
  /** Absent: anything is accepted. Several: the first one that fits counts. */
  type?: Type | readonly Type[]
  /** Fields of an object; any other is an error unless `additionalProperties` describes it. */
  properties?: Record<string, Schema>
  additionalProperties?: Schema
  /** What the keys of an object must be, where they are not fields. */
  keys?: { test: Test; expected: string; hint?: string }
  minProperties?: number
  /** Fields that exclude each other. */
  atMostOneOf?: readonly string[]
  required?: readonly string[]
  items?: Schema
  minItems?: number
  maxItems?: number
  /** The field by which the items of a list must differ. */
  uniqueBy?: string
  enum?: readonly string[]
  minLength?: number
  maxLength?: number
  /** `expected` goes on "… is not", e.g. `a duration`; `hint` says what to write. */
  pattern?: { test: Test; expected: string; hint?: string }
  /** Of a number. */
  minimum?: number
  maximum?: number
}

export interface CheckContext {
  tree: Tree
  diagnostics: Diagnostics
  /** Title of the resource, for the diagnostics. */
  resource: string
  /** Keys match in any case; the tree is corrected. */
  caseInsensitive?: boolean
}

/** Reports every place where `node` is not as `schema` says. */
export function checkSchema(context: CheckContext, node: Node, schema: Schema, path: Path): void {
  const { tree } = context
  const report = (code: Code, message: string, hint?: string, span: Span = tree.span(node), at: Path = path) => {
    const { diagnostics, resource } = context
    diagnostics.add('error', code, message, { resource, field: formatPath(at), span, ...(hint && { hint }) })
  }

  const type = typeof schema.type === 'object' ? pickType(node, schema.type) : schema.type
  switch (type) {
    case undefined:
      return
    case 'object': {
      if (!isMap(node)) return report('MS1102', `expected a mapping, got ${describe(node)}`)
      checkObject(context, node, schema, path, report)
      return
    }
    case 'array': {
      if (!isSeq(node)) {
        const hint = isScalar(node) && schema.items?.type === 'string' ? `[${quote(node)}]` : undefined
        return report('MS1102', `expected a list, got ${describe(node)}`, hint && `write ${hint}`)
      }
      const count = node.items.length
      const { minItems = 0, maxItems = Infinity, items = {} } = schema
      if (count > maxItems) report('MS1105', `at most ${maxItems} items are allowed, got ${count}`)
      if (count < minItems) report('MS1105', `at least ${minItems} items are needed, got ${count}`)
      if (schema.uniqueBy) checkUnique(context, node.items, schema.uniqueBy, path)
      node.items.forEach((item, index) => {
        const resolved = tree.resolve(item)
        if (resolved) checkSchema(context, resolved, items, [...path, index])
        else if (items.type) {
          const span = (item as Node | null)?.range ? tree.span(item as Node) : undefined
          report('MS1102', `expected ${expected(items.type)}, got nothing`, undefined, span, [...path, index])
        }
      })
      return
    }
    case 'string': {
      const value = isScalar(node) ? node.value : undefined
      if (typeof value !== 'string') {
        const hint = isScalar(node) ? `put it into quotes: ${quote(node)}` : undefined
        return report('MS1102', `expected ${expected(schema.type!)}, got ${describe(node)}`, hint)
      }
      if (schema.enum && !schema.enum.includes(value)) {
        const near = nearest(value, schema.enum)
        const hint = near ? `write ${near}` : `write one of ${schema.enum.join(', ')}`
        report('MS1104', `${JSON.stringify(value)} is not allowed here`, hint)
      }
      if (value.length < (schema.minLength ?? 0)) report('MS1106', 'must not be empty')
      else if (schema.pattern && !schema.pattern.test.test(value)) {
        report('MS1106', `${JSON.stringify(value)} is not ${schema.pattern.expected}`, schema.pattern.hint)
      }
      if (value.length > (schema.maxLength ?? Infinity)) {
        report('MS1106', `at most ${schema.maxLength} characters are allowed, got ${value.length}`)
      }
      return
    }
    case 'integer':
    case 'number':
    case 'boolean': {
      const value = isScalar(node) ? node.value : undefined
      if (!fits(node, type)) return report('MS1102', `expected ${expected(schema.type!)}, got ${describe(node)}`)
      const { minimum = -Infinity, maximum = Infinity } = schema
      if (typeof value === 'number' && (value < minimum || value > maximum)) {
        const range = maximum === Infinity ? `at least ${minimum}` : `from ${minimum} to ${maximum}`
        report('MS1106', `${value} is out of range`, `write a number ${range}`)
      }
    }
  }
}

type Report = (code: Code, message: string, hint?: string, span?: Span, at?: Path) => void

function checkObject(
  context: CheckContext,
  node: Parameters<Tree['entries']>[0],
  schema: Schema,
  path: Path,
  report: Report,
) {
  const { tree } = context
  const { properties = {}, additionalProperties } = schema
  if (context.caseInsensitive) correctCase(context, tree.entries(node), Object.keys(properties), path)
  const entries = tree.entries(node)
  for (const { key, keyNode, value } of entries) {
    const field = Object.hasOwn(properties, key) ? properties[key] : additionalProperties
    if (field) {
      if (schema.keys && !schema.keys.test.test(key)) {
        const { expected, hint } = schema.keys
        report('MS1106', `the key ${JSON.stringify(key)} is not ${expected}`, hint, tree.span(keyNode), [...path, key])
      }
      if (value) checkSchema(context, value, field, [...path, key])
      else if (field.type && [...path, key][0] === 'spec') warnNoValue(context, keyNode, [...path, key])
      continue
    }
    const names = Object.keys(properties)
    const near = nearest(key, names)
    const hint = near ? `did you mean ${JSON.stringify(near)}?` : `known fields: ${names.join(', ')}`
    report('MS1101', `unknown field ${JSON.stringify(key)}`, hint, tree.span(keyNode), [...path, key])
  }
  const [first, second] = entries.filter(({ key, value }) => value && schema.atMostOneOf?.includes(key))
  if (first && second) {
    const message = `only one of ${first.key} and ${second.key} can be set`
    report('MS1204', message, 'remove one of them', tree.span(second.keyNode), [...path, second.key])
  }
  const { minProperties = 0 } = schema
  if (entries.length < minProperties) {
    report('MS1105', `at least ${minProperties} ${minProperties === 1 ? 'entry is' : 'entries are'} needed`)
  }
  for (const name of schema.required ?? []) {
    if (entries.some(({ key, value }) => key === name && value)) continue
    report('MS1103', `${JSON.stringify(name)} is missing`, undefined, undefined, [...path, name])
  }
}

function checkUnique(context: CheckContext, items: readonly unknown[], field: string, path: Path) {
  const { tree, diagnostics, resource } = context
  const seen = new Set<unknown>()
  items.forEach((item, index) => {
    const node = tree.resolve(item)
    const value = isMap(node) ? tree.entries(node).find(({ key }) => key === field)?.value : undefined
    if (!isScalar(value)) return
    if (seen.has(value.value)) {
      const message = `${field} ${JSON.stringify(value.value)} is there twice`
      const details = { resource, field: formatPath([...path, index, field]), span: tree.span(value) }
      diagnostics.add('error', 'MS1109', message, { ...details, hint: 'remove one of them' })
    }
    seen.add(value.value)
  })
}

/** As in Kubernetes `key: null` is the same as no key. Where that widens a rule, an indentation may have gone wrong. */
function warnNoValue({ tree, diagnostics, resource }: CheckContext, keyNode: Node, path: Path) {
  const message = `${JSON.stringify(path.at(-1))} has no value: it is as if it were not there`
  const hint = 'remove it, or check the indentation of what follows'
  diagnostics.add('warning', 'MS1107', message, { resource, field: formatPath(path), span: tree.span(keyNode), hint })
}

/** Renames keys that differ from a field in case alone: from here on the resource is as if it had been written rightly. */
function correctCase({ tree, diagnostics, resource }: CheckContext, entries: Entry[], names: string[], path: Path) {
  for (const { key, keyNode } of entries) {
    const name = names.includes(key) ? undefined : names.find((each) => each.toLowerCase() === key.toLowerCase())
    if (!name) continue
    const details = { resource, field: formatPath([...path, key]), span: tree.span(keyNode) }
    if (entries.some((entry) => entry.key === name)) {
      const hint = 'remove one of them'
      diagnostics.add('error', 'MS1109', `${JSON.stringify(name)} is there twice`, { ...details, hint })
    } else {
      const hint = `write ${name}`
      const message = `${JSON.stringify(key)} is read as ${JSON.stringify(name)}`
      diagnostics.add('warning', 'MS1108', message, { ...details, hint })
    }
    ;(keyNode as Scalar).value = name
  }
}

function fits(node: Node, type: Type): boolean {
  if (type === 'object') return isMap(node)
  if (type === 'array') return isSeq(node)
  const value = isScalar(node) ? node.value : undefined
  if (type === 'integer') return Number.isInteger(value)
  return type === typeof value
}

/** The first type that the node has, else the first of all. */
const pickType = (node: Node, types: readonly Type[]) => types.find((type) => fits(node, type)) ?? types[0]

const expected = (type: Type | readonly Type[]) =>
  [type]
    .flat()
    .map((each) => article[each])
    .join(' or ')

const article = {
  object: 'a mapping',
  array: 'a list',
  string: 'a string',
  integer: 'a whole number',
  number: 'a number',
  boolean: 'true or false',
}

function describe(node: Node): string {
  if (isMap(node)) return 'a mapping'
  if (isSeq(node)) return 'a list'
  const { value, source } = node as { value?: unknown; source?: string }
  const text = source ?? String(value)
  if (typeof value === 'string') return `the string ${JSON.stringify(value)}`
  if (typeof value === 'boolean') return `the truth value ${text}`
  return typeof value === 'number' || typeof value === 'bigint' ? `the number ${text}` : text
}

const quote = (node: { value?: unknown; source?: string }) => JSON.stringify(node.source ?? String(node.value))

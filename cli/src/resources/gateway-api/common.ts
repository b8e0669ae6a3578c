/** What the routes of the Gateway API have in common: their CRDs' schemas, and what these say in CEL. */
import type { Code } from '../codes.ts'
import type { Path } from '../nodes.ts'
import { checkRegex } from '../regex.ts'
import type { Schema } from '../schema.ts'

export interface ParentRef {
  group?: string
  kind?: string
  namespace?: string
  name: string
  sectionName?: string
  port?: number
}

export interface BackendObject {
  group?: string
  kind?: string
  name: string
  namespace?: string
  port?: number
}

export interface HeaderValue {
  name: string
  value: string
}

export interface HeaderMatch extends HeaderValue {
  type?: 'Exact' | 'RegularExpression'
}

export interface HeaderModifier {
  set?: HeaderValue[]
  add?: HeaderValue[]
  remove?: string[]
}

export interface Mirror {
  backendRef: BackendObject
  percent?: number
  fraction?: { numerator: number; denominator?: number }
}

export interface ExtensionRef {
  group: string
  kind: string
  name: string
}

export const text: Schema = { type: 'string' }
export const object = (properties: Record<string, Schema>, required: string[] = []): Schema => ({
  type: 'object',
  properties,
  required,
})
export const list = (items: Schema, maxItems?: number): Schema => ({
  type: 'array',
  items,
  ...(maxItems !== undefined && { maxItems }),
})

const matching = (test: RegExp, expected: string, maxLength: number, hint?: string): Schema => ({
  type: 'string',
  minLength: 1,
  maxLength,
  pattern: { test, expected, ...(hint && { hint }) },
})

const DNS_LABELS = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
/** May be empty: the core group. */
export const group: Schema = {
  type: 'string',
  maxLength: 253,
  pattern: { test: { test: (text) => text === '' || DNS_LABELS.test(text) }, expected: 'an API group' },
}
export const kind = matching(/^[a-zA-Z]([-a-zA-Z0-9]*[a-zA-Z0-9])?$/, 'a kind', 63)
export const objectName: Schema = { type: 'string', minLength: 1, maxLength: 253 }
export const namespace = matching(/^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/, 'a namespace', 63)
export const sectionName = matching(DNS_LABELS, 'the name of a section', 253)
export const ruleName = matching(DNS_LABELS, 'the name of a rule: lower-case letters, digits, "-" and "."', 253)
export const port: Schema = { type: 'integer', minimum: 1, maximum: 65535 }
/** A host without wildcard and port. */
export const hostname = matching(DNS_LABELS, 'a host name', 253, 'write lower-case letters, without a port')

/** The first label may be a wildcard. */
export const wildcardHostname = matching(
  /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  'a host name',
  253,
  'write e.g. "shop.example.com" or "*.example.com", without a port',
)
export const hostnames = list(wildcardHostname, 16)
export const parentRefs = list(object({ group, kind, namespace, name: objectName, sectionName, port }, ['name']), 32)
export const headerName = matching(/^[A-Za-z0-9!#$%&'*+\-.^_`|~]+$/, 'the name of a header', 256)
const headerValue: Schema = { type: 'string', minLength: 1, maxLength: 4096 }
const headerValues = list(object({ name: headerName, value: headerValue }, ['name', 'value']), 16)
export const headerMatches = list(
  object({ type: { type: 'string', enum: ['Exact', 'RegularExpression'] }, name: headerName, value: headerValue }, [
    'name',
    'value',
  ]),
  16,
)
export const headerModifier = object({ set: headerValues, add: headerValues, remove: list(text, 16) })
const backendObject = { group, kind, name: objectName, namespace, port }
export const mirror: Schema = {
  ...object(
    {
      backendRef: object(backendObject, ['name']),
      percent: { type: 'integer', minimum: 0, maximum: 100 },
      fraction: object({ numerator: { type: 'integer', minimum: 0 }, denominator: { type: 'integer', minimum: 1 } }, [
        'numerator',
      ]),
    },
    ['backendRef'],
  ),
  atMostOneOf: ['percent', 'fraction'],
}
export const extensionRef = object({ group, kind, name: objectName }, ['group', 'kind', 'name'])
/** Not compiled; a part of what it says is checked by the API server. */
export const anything: Schema = { type: 'object', additionalProperties: {} }
export const backendRefs = (filters: Schema): Schema =>
  list(object({ ...backendObject, weight: { type: 'integer', minimum: 0, maximum: 1_000_000 }, filters }, ['name']), 16)

export type Report = (code: Code, path: Path, message: string, hint?: string) => void

/** A filter's settings are in the field that is called like its type. */
export function checkFilters(
  filters: readonly { type: string }[],
  fields: Readonly<Record<string, string>>,
  path: Path,
  report: Report,
): void {
  filters.forEach((filter, index) => {
    const at = [...path, index]
    const own = fields[filter.type]!
    if (!(own in filter)) report('MS1103', [...at, own], `a filter of type ${filter.type} needs ${own}`)
    for (const other of Object.keys(filter)) {
      if (other === 'type' || other === own) continue
      report('MS1204', [...at, other], `${other} does not go with type: ${filter.type}`, 'write another filter for it')
    }
    // Mirrors and extensions may be there several times.
    if (/^(RequestMirror|ExtensionRef)$/.test(filter.type)) return
    if (filters.findIndex(({ type }) => type === filter.type) < index)
      report('MS1109', [...at, 'type'], `the filter ${filter.type} is there twice`, 'write one that does both')
  })
}

/** Only one thing may be done to a header. */
export function checkModifier(modifier: HeaderModifier, path: Path, report: Report): void {
  const seen = new Set<string>()
  const check = (name: string, at: Path) => {
    const lower = name.toLowerCase()
    if (seen.has(lower)) report('MS1109', at, `the header ${name} is there twice`, 'let one entry say all of it')
    seen.add(lower)
    if (lower.startsWith(':') || lower === 'host')
      report('MS1301', at, `${name} is no header of its own in Envoy`, 'write urlRewrite.hostname')
  }
  const { set = [], add = [], remove = [] } = modifier
  set.forEach((entry, index) => check(entry.name, [...path, 'set', index, 'name']))
  add.forEach((entry, index) => check(entry.name, [...path, 'add', index, 'name']))
  remove.forEach((entry, index) => check(entry, [...path, 'remove', index]))
}

/** Names of rules differ, and there are at most 128 matches in all. */
export function checkRules(rules: readonly { name?: string; matches?: unknown[] }[], report: Report): void {
  rules.forEach(({ name }, index) => {
    if (name !== undefined && rules.findIndex((rule) => rule.name === name) < index)
      report('MS1109', ['spec', 'rules', index, 'name'], `the rule ${name} is there twice`, 'rename one of them')
  })
  const count = rules.reduce((sum, { matches = [] }) => sum + matches.length, 0)
  if (count > 128) report('MS1105', ['spec', 'rules'], `at most 128 matches are allowed, got ${count}`)
}

/** Several references to one parent must differ in port or section. */
export function checkParents(parents: readonly ParentRef[], report: Report): void {
  parents.forEach((parent, index) => {
    const isSame = (other: ParentRef) =>
      (['group', 'kind', 'namespace', 'name', 'port', 'sectionName'] as const).every(
        (field) => other[field] === parent[field],
      )
    if (parents.findIndex(isSame) < index)
      report('MS1109', ['spec', 'parentRefs', index], `the parent ${parent.name} is there twice`, 'remove one of them')
  })
}

export function checkBackend(backend: BackendObject, path: Path, report: Report): void {
  const { group = '', kind = 'Service', port } = backend
  if (group === '' && kind === 'Service' && port === undefined)
    report('MS1103', [...path, 'port'], 'a Service needs a port', 'write port: 80, or the one that it has')
}

/** A regular expression, which must be one of RE2. */
export function checkPattern(regex: string, path: Path, report: Report): void {
  const problem = checkRegex(regex)
  if (problem) report('MS1222', path, problem.message, problem.hint)
}

/** GEP-2257's durations: `1h30m`, `500ms`, `0s`. */
export const duration: Schema = {
  type: 'string',
  pattern: {
    test: /^([0-9]{1,5}(h|m|s|ms)){1,4}$/,
    expected: 'a duration of the Gateway API',
    hint: 'write e.g. 500ms, 5s or 1m30s: whole numbers of h, m, s and ms',
  },
}

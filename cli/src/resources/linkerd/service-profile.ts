/** Linkerd's ServiceProfile (linkerd.io/v1alpha2). */
import type { Code } from '../codes.ts'
import type { Diagnostics } from '../diagnostics.ts'
import type { ReadKind } from '../kind.ts'
import type { Path } from '../nodes.ts'
import { parseQuantity } from '../quantity.ts'
import { checkRegex } from '../regex.ts'
import type { Resource } from '../resource.ts'
import type { Schema } from '../schema.ts'
import { durationSchema, parseDuration } from '../targets.ts'

/** All fields that are there must hold. */
export interface RequestMatch {
  /** Of the whole path. */
  pathRegex?: string
  method?: string
  all?: RequestMatch[]
  any?: RequestMatch[]
  not?: RequestMatch
}

export interface ResponseMatch {
  status?: { min?: number; max?: number }
  all?: ResponseMatch[]
  any?: ResponseMatch[]
  not?: ResponseMatch
}

export interface ProfileRoute {
  name: string
  condition: RequestMatch
  isRetryable?: boolean
  timeout?: string
  responseClasses?: { condition: ResponseMatch; isFailure?: boolean }[]
}

export interface ServiceProfileSpec {
  routes?: ProfileRoute[]
  retryBudget?: { retryRatio: number; minRetriesPerSecond: number; ttl: string }
  dstOverrides?: { authority: string; weight: number | string }[]
  opaquePorts?: string[]
}

export type ServiceProfile = Resource<ServiceProfileSpec>

const text: Schema = { type: 'string', minLength: 1 }
const list = (items: Schema): Schema => ({ type: 'array', items })
const requestFields: Record<string, Schema> = { pathRegex: text, method: text }
const requestMatch: Schema = { type: 'object', minProperties: 1, properties: requestFields }
Object.assign(requestFields, { all: list(requestMatch), any: list(requestMatch), not: requestMatch })
const code: Schema = { type: 'integer', minimum: 100, maximum: 599 }
const responseFields: Record<string, Schema> = {
  status: { type: 'object', minProperties: 1, properties: { min: code, max: code } },
}
const responseMatch: Schema = { type: 'object', minProperties: 1, properties: responseFields }
Object.assign(responseFields, { all: list(responseMatch), any: list(responseMatch), not: responseMatch })

const spec: Schema = {
  type: 'object',
  properties: {
    routes: list({
      type: 'object',
      required: ['name', 'condition'],
      properties: {
        name: text,
        condition: requestMatch,
        isRetryable: { type: 'boolean' },
        timeout: durationSchema,
        responseClasses: list({
          type: 'object',
          required: ['condition'],
          properties: { condition: responseMatch, isFailure: { type: 'boolean' } },
        }),
      },
    }),
    retryBudget: {
      type: 'object',
      required: ['retryRatio', 'minRetriesPerSecond', 'ttl'],
      properties: {
        retryRatio: { type: 'number', minimum: 0 },
        minRetriesPerSecond: { type: 'integer', minimum: 0 },
        ttl: {
          type: 'string',
          pattern: { test: { test: (text) => parseDuration(text) !== undefined }, expected: 'a duration' },
        },
      },
    },
    dstOverrides: {
      type: 'array',
      items: {
        type: 'object',
        required: ['authority', 'weight'],
        properties: { authority: text, weight: { type: ['number', 'string'] } },
      },
    },
    opaquePorts: list(text),
  },
}

export const serviceProfile: ReadKind = {
  use: 'read',
  versions: ['v1alpha1', 'v1alpha2'],
  fields: { spec },
  check: checkServiceProfile,
  about: 'traffic',
}

/** Name and namespace of the Service that a profile is for. */
export function serviceOf({ metadata }: Resource): { name: string; namespace: string } | undefined {
  const [, name, namespace] = /^([^.]+)\.([^.]+)\.svc\.cluster\.local$/.exec(metadata.name) ?? []
  return name !== undefined && namespace !== undefined ? { name, namespace } : undefined
}

/** Host and port of an override: `web-v2.shop.svc.cluster.local:8080`. The port may be left out. */
export function authorityOf(authority: string): { host: string; port?: number } | undefined {
  const [, host, port] = /^([^.:]+\.[^.:]+\.svc\.cluster\.local)\.?(?::(\d+))?$/.exec(authority) ?? []
  return host === undefined ? undefined : { host, ...(port !== undefined && { port: Number(port) }) }
}

export const overrideWeight = (weight: number | string): number | undefined =>
  typeof weight === 'number' ? weight : parseQuantity(weight)

function checkServiceProfile(profile: ServiceProfile, diagnostics: Diagnostics): void {
  const report = (code: Code, path: Path, message: string, hint?: string) =>
    profile.report(diagnostics, 'error', code, path, message, hint)
  if (!serviceOf(profile)) {
    const hint = 'write NAME.NAMESPACE.svc.cluster.local'
    report('MS1106', ['metadata', 'name'], 'a ServiceProfile has the full name of a Service', hint)
  }
  const { routes = [], dstOverrides = [] } = profile.spec
  const checkMatch = (match: RequestMatch, path: Path) => {
    const { pathRegex, all = [], any = [], not } = match
    const problem = pathRegex === undefined ? undefined : checkRegex(pathRegex)
    if (problem) report('MS1222', [...path, 'pathRegex'], problem.message, problem.hint)
    all.forEach((each, index) => checkMatch(each, [...path, 'all', index]))
    any.forEach((each, index) => checkMatch(each, [...path, 'any', index]))
    if (not) checkMatch(not, [...path, 'not'])
  }
  routes.forEach(({ condition }, index) => checkMatch(condition, ['spec', 'routes', index, 'condition']))
  let total = 0
  dstOverrides.forEach(({ authority, weight }, index) => {
    const at = ['spec', 'dstOverrides', index]
    const hint = 'write NAME.NAMESPACE.svc.cluster.local:PORT'
    if (!authorityOf(authority)) report('MS1106', [...at, 'authority'], `${authority} is not a Service`, hint)
    const value = overrideWeight(weight)
    total += value ?? 1
    if (value === undefined || value < 0)
      report('MS1106', [...at, 'weight'], `${JSON.stringify(weight)} is not a weight`, 'write e.g. 1, 500m or 0')
  })
  if (dstOverrides.length && total === 0)
    report('MS1106', ['spec', 'dstOverrides'], 'the weights add up to 0', 'give at least one of them a weight')
}

/** GRPCRoute (gateway.networking.k8s.io v1, v1alpha2). */
import type { Diagnostics } from '../diagnostics.ts'
import type { ReadKind } from '../kind.ts'
import type { Path } from '../nodes.ts'
import type { Resource } from '../resource.ts'
import {
  anything,
  backendRefs,
  checkBackend,
  checkFilters,
  checkModifier,
  checkParents,
  checkPattern,
  checkRules,
  extensionRef,
  headerMatches,
  headerModifier,
  hostnames,
  list,
  mirror,
  object,
  parentRefs,
  ruleName,
  type HeaderMatch,
  type ParentRef,
  type Report,
} from './common.ts'
import type { HttpBackendRef, HttpFilter } from './http-route.ts'

export interface GrpcRouteMatch {
  method?: { type?: 'Exact' | 'RegularExpression'; service?: string; method?: string }
  headers?: HeaderMatch[]
}

/** Filters and backends are as those of an HTTPRoute, of which they have a part. */
export interface GrpcRouteRule {
  name?: string
  matches?: GrpcRouteMatch[]
  filters?: HttpFilter[]
  backendRefs?: HttpBackendRef[]
  sessionPersistence?: unknown
}

export interface GrpcRouteSpec {
  parentRefs?: ParentRef[]
  hostnames?: string[]
  rules?: GrpcRouteRule[]
}

export type GrpcRoute = Resource<GrpcRouteSpec>

const filterFields = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestMirror: 'requestMirror',
  ExtensionRef: 'extensionRef',
}
const filters = list(
  object(
    {
      type: { type: 'string', enum: Object.keys(filterFields) },
      requestHeaderModifier: headerModifier,
      responseHeaderModifier: headerModifier,
      requestMirror: mirror,
      extensionRef,
    },
    ['type'],
  ),
  16,
)
const name = { type: 'string', maxLength: 1024 } as const
const method = object({ type: { type: 'string', enum: ['Exact', 'RegularExpression'] }, service: name, method: name })
const rule = object({
  name: ruleName,
  matches: list(object({ method, headers: headerMatches }), 64),
  filters,
  backendRefs: backendRefs(filters),
  sessionPersistence: anything,
})
const spec = object({
  parentRefs,
  hostnames,
  useDefaultGateways: { type: 'string', enum: ['All', 'None'] },
  rules: list(rule, 16),
})

export const grpcRoute: ReadKind = {
  use: 'read',
  versions: ['v1', 'v1alpha2'],
  fields: { spec },
  required: ['spec'],
  check: checkGrpcRoute,
  about: 'traffic',
}

function checkGrpcRoute(route: GrpcRoute, diagnostics: Diagnostics): void {
  const report: Report = (code, path, message, hint) => route.report(diagnostics, 'error', code, path, message, hint)
  const { parentRefs = [], rules = [] } = route.spec
  checkParents(parentRefs, report)
  checkRules(rules, report)
  rules.forEach(({ matches = [], filters = [], backendRefs = [] }, index) => {
    const path = ['spec', 'rules', index]
    matches.forEach((match, number) => checkMatch(match, [...path, 'matches', number], report))
    checkGrpcFilters(filters, [...path, 'filters'], report)
    backendRefs.forEach((backend, number) => {
      checkBackend(backend, [...path, 'backendRefs', number], report)
      checkGrpcFilters(backend.filters ?? [], [...path, 'backendRefs', number, 'filters'], report)
    })
  })
}

const SERVICE = /^\.?[a-z_][a-z_0-9]*(\.[a-z_][a-z_0-9]*)*$/i
const METHOD = /^[A-Za-z_][A-Za-z_0-9]*$/

function checkMatch({ method: wanted, headers = [] }: GrpcRouteMatch, path: Path, report: Report): void {
  const { type = 'Exact', service, method } = wanted ?? {}
  const at = [...path, 'method']
  if (wanted && !service && !method) report('MS1103', at, 'service or method is needed')
  for (const [field, value, form] of [
    ['service', service, SERVICE],
    ['method', method, METHOD],
  ] as const) {
    if (!value) continue
    if (type === 'RegularExpression') checkPattern(value, [...at, field], report)
    else if (!form.test(value)) {
      const hint = field === 'service' ? 'write e.g. shop.v1.Cart' : 'write e.g. GetCart'
      report('MS1106', [...at, field], `${JSON.stringify(value)} is not the name of a gRPC ${field}`, hint)
    }
  }
  headers.forEach((header, index) => {
    const where = [...path, 'headers', index]
    if (header.type === 'RegularExpression') checkPattern(header.value, [...where, 'value'], report)
    if (headers.findIndex((other) => other.name.toLowerCase() === header.name.toLowerCase()) < index)
      report('MS1109', [...where, 'name'], `${header.name} is there twice`, 'write one expression for both')
  })
}

function checkGrpcFilters(filters: readonly HttpFilter[], path: Path, report: Report): void {
  checkFilters(filters, filterFields, path, report)
  filters.forEach(({ requestHeaderModifier, responseHeaderModifier, requestMirror }, index) => {
    const at = [...path, index]
    if (requestHeaderModifier) checkModifier(requestHeaderModifier, [...at, 'requestHeaderModifier'], report)
    if (responseHeaderModifier) checkModifier(responseHeaderModifier, [...at, 'responseHeaderModifier'], report)
    if (requestMirror) checkBackend(requestMirror.backendRef, [...at, 'requestMirror', 'backendRef'], report)
  })
}

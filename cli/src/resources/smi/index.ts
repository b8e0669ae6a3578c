/** The kinds of the Service Mesh Interface (access.smi-spec.io, specs.smi-spec.io, split.smi-spec.io). */
import type { Diagnostics } from '../diagnostics.ts'
import type { Family, Fields } from '../kind.ts'
import type { Path } from '../nodes.ts'
import { checkRegex } from '../regex.ts'
import type { Resource } from '../resource.ts'
import type { Schema } from '../schema.ts'
import { trafficSplit } from './traffic-split.ts'

/** A ServiceAccount or, from v1alpha4 on, an IdentityBinding. */
export interface Identity {
  kind: 'ServiceAccount' | 'IdentityBinding'
  name: string
  /** Default: that of the TrafficTarget. */
  namespace?: string
}

export interface TargetRule {
  kind: 'HTTPRouteGroup' | 'TCPRoute' | 'UDPRoute'
  name: string
  /** Names of matches of the group. Absent or empty: all. */
  matches?: string[]
}

/** The same for all versions: v1alpha1 has these fields at the top, and calls the rules `specs`. */
export interface TrafficTarget {
  destination: Identity & { port?: number }
  rules: TargetRule[]
  sources: Identity[]
  /** Where the rules and the rest are in the resource. */
  rulesPath: Path
  path: Path
  resource: Resource
}

export interface RouteMatch {
  name: string
  /** From the start of the path on; what follows is of no matter. */
  pathRegex?: string
  methods?: string[]
  /** A mapping, or a list of mappings: the specification and the CRDs differ. */
  headers?: Record<string, string> | Record<string, string>[]
}

export interface IdentityBindingSpec {
  schemes: {
    podLabelSelectors?: { name?: string; matchLabels: Record<string, string> }[]
    spiffeIdentities?: string[]
    serviceAccount?: string
  }
}

const text: Schema = { type: 'string', minLength: 1 }
const port: Schema = { type: 'integer', minimum: 1, maximum: 65535 }

const identity = (version: string, more: Record<string, Schema> = {}): Schema => ({
  type: 'object',
  required: ['kind', 'name'],
  properties: {
    kind: { type: 'string', enum: version === 'v1alpha4' ? ['ServiceAccount', 'IdentityBinding'] : ['ServiceAccount'] },
    name: text,
    namespace: text,
    ...(version === 'v1alpha4' && { group: { type: 'string' } }),
    ...more,
  },
})

function targetFields(version: string): Fields {
  const withPort = version === 'v1alpha1' || version === 'v1alpha2'
  const rules: Schema = {
    type: 'array',
    minItems: 1,
    items: {
      type: 'object',
      required: ['kind', 'name'],
      properties: {
        kind: {
          type: 'string',
          enum: withPort ? ['HTTPRouteGroup', 'TCPRoute'] : ['HTTPRouteGroup', 'TCPRoute', 'UDPRoute'],
        },
        name: text,
        matches: { type: 'array', items: text },
      },
    },
  }
  const fields = {
    destination: identity(version, withPort ? { port } : {}),
    sources: { type: 'array', minItems: 1, items: identity(version) } as const,
  }
  if (version === 'v1alpha1') return { ...fields, specs: rules }
  return {
    spec: { type: 'object', required: ['destination', 'rules', 'sources'], properties: { ...fields, rules } },
  }
}

const matches: Schema = {
  type: 'array',
  items: {
    type: 'object',
    required: ['name'],
    properties: {
      name: text,
      pathRegex: { type: 'string' },
      methods: {
        type: 'array',
        items: {
          type: 'string',
          enum: ['*', 'GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH'],
        },
      },
      headers: {
        type: ['object', 'array'],
        additionalProperties: { type: 'string' },
        items: { type: 'object', additionalProperties: { type: 'string' } },
      },
    },
  },
}

/** In v1alpha1 and v1alpha2 `matches` is at the top. */
const hasSpec = (version: string) => version === 'v1alpha3' || version === 'v1alpha4'

function routeFields(version: string): Fields {
  return hasSpec(version) ? { spec: { type: 'object', required: ['matches'], properties: { matches } } } : { matches }
}

const bindingSpec: Schema = {
  type: 'object',
  required: ['schemes'],
  properties: {
    schemes: {
      type: 'object',
      minProperties: 1,
      properties: {
        podLabelSelectors: {
          type: 'array',
          minItems: 1,
          items: {
            type: 'object',
            required: ['matchLabels'],
            properties: {
              name: { type: 'string' },
              matchLabels: { type: 'object', minProperties: 1, additionalProperties: { type: 'string' } },
            },
          },
        },
        spiffeIdentities: { type: 'array', items: text },
        serviceAccount: text,
      },
    },
  },
}

const accessVersions = ['v1alpha1', 'v1alpha2', 'v1alpha3', 'v1alpha4']
const specsVersions = ['v1alpha1', 'v1alpha2', 'v1alpha3', 'v1alpha4']
const authorization = { use: 'read', about: 'authorization' } as const

export const smi: Family = {
  complete: ['access.smi-spec.io', 'specs.smi-spec.io', 'split.smi-spec.io'],
  groups: {
    'access.smi-spec.io': {
      TrafficTarget: { ...authorization, versions: accessVersions, fields: targetFields, check: checkTarget },
      IdentityBinding: {
        ...authorization,
        versions: ['v1alpha4'],
        fields: { spec: bindingSpec },
        check: checkBinding,
      },
    },
    'specs.smi-spec.io': {
      HTTPRouteGroup: {
        use: 'read',
        versions: specsVersions,
        fields: routeFields,
        check: checkRouteGroup,
      },
      TCPRoute: {
        ...authorization,
        versions: specsVersions,
        fields: {
          spec: {
            type: 'object',
            properties: { matches: { type: 'object', properties: { ports: { type: 'array', items: port } } } },
          },
        },
      },
      UDPRoute: { use: 'ignore', versions: specsVersions, why: 'it is not about HTTP' },
    },
    'split.smi-spec.io': { TrafficSplit: trafficSplit },
  },
}

/** A TrafficTarget in the one form for all versions. */
export function readTarget(resource: Resource): TrafficTarget {
  const isFirst = resource.version === 'v1alpha1'
  const fields = (isFirst ? resource.fields : resource.spec) as Record<string, unknown>
  const path = isFirst ? [] : ['spec']
  return {
    destination: fields['destination'] as TrafficTarget['destination'],
    rules: (fields[isFirst ? 'specs' : 'rules'] ?? []) as TargetRule[],
    sources: (fields['sources'] ?? []) as Identity[],
    rulesPath: [...path, isFirst ? 'specs' : 'rules'],
    path,
    resource,
  }
}

/** The matches of an HTTPRouteGroup. */
export function readMatches(resource: Resource): { matches: RouteMatch[]; path: Path } {
  const inSpec = hasSpec(resource.version)
  const fields = (inSpec ? resource.spec : resource.fields) as { matches?: RouteMatch[] }
  return { matches: fields.matches ?? [], path: inSpec ? ['spec', 'matches'] : ['matches'] }
}

/** Name and expression of each header of a match. */
export function headersOf({ headers = {} }: RouteMatch): { name: string; regex: string; path: Path }[] {
  const list = Array.isArray(headers) ? headers : [headers]
  return list.flatMap((each, index) =>
    Object.entries(each).map(([name, regex]) => ({
      name,
      regex,
      path: ['headers', ...(Array.isArray(headers) ? [index] : []), name],
    })),
  )
}

/** v1alpha1 has no `spec` whose schema could ask for them. */
function checkTarget(resource: Resource, diagnostics: Diagnostics) {
  if (resource.version !== 'v1alpha1') return
  for (const name of ['destination', 'specs', 'sources']) {
    if (resource.fields[name]) continue
    resource.report(diagnostics, 'error', 'MS1103', [name], `"${name}" is missing`)
  }
}

function checkBinding(resource: Resource<IdentityBindingSpec>, diagnostics: Diagnostics) {
  const { podLabelSelectors, serviceAccount } = resource.spec.schemes ?? {}
  if (!podLabelSelectors || !serviceAccount) return
  const message = 'only one of podLabelSelectors and serviceAccount can be set'
  resource.report(diagnostics, 'error', 'MS1204', ['spec', 'schemes', 'serviceAccount'], message)
}

function checkRouteGroup(resource: Resource, diagnostics: Diagnostics) {
  const { matches, path } = readMatches(resource)
  const seen = new Set<string>()
  matches.forEach((match, index) => {
    const at = [...path, index]
    if (seen.has(match.name)) {
      resource.report(diagnostics, 'error', 'MS1109', [...at, 'name'], `the match ${match.name} is there twice`)
    }
    seen.add(match.name)
    const check = (regex: string, where: Path) => {
      const problem = checkRegex(regex)
      if (problem) resource.report(diagnostics, 'error', 'MS1222', [...at, ...where], problem.message, problem.hint)
    }
    if (match.pathRegex !== undefined) check(match.pathRegex, ['pathRegex'])
    for (const header of headersOf(match)) check(header.regex, header.path)
  })
}

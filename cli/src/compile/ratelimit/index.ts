/** Linkerd's HTTPLocalRateLimitPolicies → the rate limit filter's configuration, for requests that a workload gets. */
import { Diagnostics } from '../../resources/diagnostics.ts'
import { Inventory } from '../../resources/kubernetes/inventory.ts'
import type { ClientRef, RateLimitPolicy } from '../../resources/linkerd/http-local-rate-limit-policy.ts'
import { selectsLabels } from '../../resources/kubernetes/label-selector.ts'
import type { Server } from '../../resources/linkerd/server.ts'
import { defaultMeshConfig, type MeshConfig } from '../../resources/mesh-config.ts'
import { parseResources, type ParseOptions } from '../../resources/parse.ts'
import type { Resource } from '../../resources/resource.ts'
import type { Source } from '../../resources/source.ts'
import { accountPrincipals, trustDomains } from '../kubernetes/identity.ts'
import type { Workload } from '../workload.ts'
import type { RateLimitConfig, RateLimitRuleConfig } from './model.ts'

export interface RateLimitOptions extends ParseOptions {
  workload: Workload
  /** The workload's port that requests come to. */
  port?: number
  mesh?: MeshConfig
  /** Default: a new one; it is in the result. */
  diagnostics?: Diagnostics
}

export interface CompiledRateLimits {
  /** Undefined when there are errors. */
  configuration?: RateLimitConfig
  diagnostics: Diagnostics
}

/** Compiles the rate limits of the texts for the sidecar of a workload. */
export function compileRateLimits(sources: readonly Source[], options: RateLimitOptions): CompiledRateLimits {
  const { workload, mesh = defaultMeshConfig, diagnostics = new Diagnostics() } = options
  const resources = parseResources(sources, diagnostics, { ...options, about: 'traffic' })
  const attached = attachedPolicies(resources, options, diagnostics)
  if (diagnostics.hasErrors) return { diagnostics }
  const [first] = attached
  const rules = first ? rulesOf(first.policy, mesh) : []
  if (rules.length === 0) {
    const message = `no HTTPLocalRateLimitPolicy limits requests to ${workload.namespace}/${workload.name}`
    diagnostics.add('warning', 'MS1402', message)
  }
  return { configuration: { version: 1, rules }, diagnostics }
}

interface Attached {
  policy: RateLimitPolicy
  server: Server
}

/** The policies whose Server is a port of the workload. At most one can count. */
function attachedPolicies(
  resources: readonly Resource[],
  { workload, port }: RateLimitOptions,
  diagnostics: Diagnostics,
): Attached[] {
  const named = namedPorts(resources, workload)
  const attached = resources.filter(isPolicy).flatMap((policy): Attached[] => {
    const { namespace } = policy.metadata
    const { name } = policy.spec.targetRef
    const server = resources
      .filter(isServer)
      .find(({ metadata }) => metadata.name === name && metadata.namespace === namespace)
    if (!server) {
      const message = `the input has no Server ${namespace}/${name}: its limit is left out`
      const hint = 'give its file too'
      policy.report(diagnostics, 'warning', 'MS1221', ['spec', 'targetRef', 'name'], message, hint)
      return []
    }
    const { podSelector, port: serverPort } = server.spec
    const isOfWorkload = namespace === workload.namespace && podSelector && selectsLabels(podSelector, workload.labels)
    const number = typeof serverPort === 'number' ? serverPort : named[serverPort.toLowerCase()]
    const isOfPort = port === undefined || number === undefined || number === port
    return isOfWorkload && isOfPort ? [{ policy, server }] : []
  })
  const [first, ...others] = attached
  for (const { policy, server } of others) {
    if (!first) break
    const isSame = server === first.server
    const message = isSame
      ? `${first.policy.title} limits the same Server: Linkerd lets only one count`
      : `${first.policy.title} limits another port of the workload`
    const hint = isSame ? 'merge the two' : 'compile for one port of the workload: --port'
    policy.report(diagnostics, 'error', 'MS1414', ['spec', 'targetRef'], message, hint)
  }
  return attached
}

const isPolicy = (resource: Resource): resource is RateLimitPolicy => resource.kind === 'HTTPLocalRateLimitPolicy'
const isServer = (resource: Resource): resource is Server =>
  resource.kind === 'Server' && resource.group === 'policy.linkerd.io'

/** Ports of the workload's pods by name, as far as the input has its pods. */
function namedPorts(resources: readonly Resource[], workload: Workload): Readonly<Record<string, number>> {
  const pods = new Inventory(resources).pods.filter(
    ({ namespace, labels }) =>
      namespace === workload.namespace &&
      Object.entries(workload.labels).every(([key, value]) => Object.hasOwn(labels, key) && labels[key] === value),
  )
  return Object.assign({}, ...pods.map(({ ports }) => ports)) as Record<string, number>
}

/** As Linkerd's proxy: first all together; then an override or else the client, those without an identity as one. */
function rulesOf({ metadata, spec }: RateLimitPolicy, mesh: MeshConfig): RateLimitRuleConfig[] {
  const { total, identity, overrides = [] } = spec
  const name = `${metadata.namespace}/${metadata.name}`
  const limit = (requests: number) => ({ requests, per: '1s' as const })
  const rules: RateLimitRuleConfig[] = []
  if (total) rules.push({ name: `${name}[total]`, limit: limit(total.requestsPerSecond) })
  overrides.forEach(({ requestsPerSecond, clientRefs }, index) => {
    const match = clientRefs.flatMap((client) => principalsOf(client, metadata.namespace, mesh))
    const group = `${name}[clients]`
    rules.push({ name: `${name}[overrides[${index}]]`, match, group, limit: limit(requestsPerSecond) })
  })
  if (identity)
    rules.push({
      name: `${name}[identity]`,
      ...(overrides.length > 0 && { group: `${name}[clients]` }),
      descriptors: [{ principal: true }],
      limit: limit(identity.requestsPerSecond),
    })
  return rules
}

/** The SPIFFE identity, and the DNS name that Linkerd's own certificates have. */
function principalsOf({ name, namespace }: ClientRef, own: string, mesh: MeshConfig) {
  const account = { name, namespace: namespace || own }
  // The filter compares exact text with SPIFFE identities alone, as Envoy's RBAC does.
  const dnsNames = trustDomains(mesh).map((domain) =>
    `${account.name}.${account.namespace}.serviceaccount.identity.linkerd.${domain}`.replaceAll('.', '\\.'),
  )
  return [
    ...accountPrincipals(account, mesh).map((principal) => ({ principal })),
    ...dnsNames.map((regex) => ({ principal: { regex } })),
  ]
}

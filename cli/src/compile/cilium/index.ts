/** Cilium's network policies → the authorization filter's configuration. */
import { rulesOf } from '../../resources/cilium/types.ts'
import { Inventory } from '../../resources/kubernetes/inventory.ts'
import type { MeshConfig } from '../../resources/mesh-config.ts'
import type { Resource } from '../../resources/resource.ts'
import type { Span } from '../../resources/source.ts'
import type { AuthorizationConfig, PolicyConfig } from '../authorization-config.ts'
import type { Compiled, Direction, FamilyOptions } from '../compiled.ts'
import { accountsOf, unknownAccount } from '../kubernetes/identity.ts'
import { checkActions } from './actions.ts'
import { PolicyRule, type Cluster } from './context.ts'
import { compileGrants, type Grant } from './grants.ts'
import { accountKey, namespaceKey, requirementsOf, selectsEndpoint, type Endpoint } from './selector.ts'

/** What Cilium's own filter answers. */
const denial = { status: 403, body: 'Access denied\r\n' }

/** Compiles the policies of one direction that select the workload. */
export function compileCilium(resources: readonly Resource[], options: FamilyOptions): Compiled {
  const { workload, mesh, diagnostics, direction = 'inbound' } = options
  const cluster: Cluster = { inventory: new Inventory(resources), workload, mesh, direction }
  const all = resources.filter((each) => each.group === 'cilium.io')
  const selecting = all
    .flatMap((resource) => rulesOf(resource).map(({ rule, path }) => new PolicyRule(resource, rule, path, diagnostics)))
    .filter((each) => selectsWorkload(each, cluster))
  const { allow, deny } = sectionsOf[direction]
  const rules = selecting.filter((each) => speaksOf(each, direction))
  const selected = [...new Set(rules.map(({ resource }) => resource))]
  noteOthers(selecting, selected, direction)

  const grants = compileGrants(
    rules.flatMap((rule) => rule.entries(allow)),
    cluster,
    false,
  )
  const denials = compileGrants(
    rules.flatMap((rule) => rule.entries(deny)),
    cluster,
    true,
  )
  checkActions(grants)
  noteDirectPeer([...denials, ...grants])
  notePaths(grants, mesh)
  const places = new Map<string, Span>()
  const isDefault = rules.some((rule) => deniesByDefault(rule, direction))
  const policies = [
    ...toPolicies(denials, 'DENY', places),
    ...(isDefault ? toPolicies(grants, 'ALLOW', places) : keepOpen(rules, grants, direction)),
  ]
  // Without a single rule all is refused: a policy must say so.
  const [first] = rules.filter((rule) => deniesByDefault(rule, direction))
  if (first && !policies.some(({ action }) => action === 'ALLOW')) {
    policies.push({ name: first.id, action: 'ALLOW', rules: [] })
  }
  if (diagnostics.hasErrors) return { diagnostics, rules: places, selected }
  const configuration: AuthorizationConfig = { version: 1, mode: 'enforce', denial, policies }
  return { configuration, diagnostics, rules: places, selected }
}

const sectionsOf = {
  inbound: { allow: 'ingress', deny: 'ingressDeny' },
  outbound: { allow: 'egress', deny: 'egressDeny' },
} as const

/** Whether a rule has something to say of a direction. */
function speaksOf(policy: PolicyRule, direction: Direction): boolean {
  const { allow, deny } = sectionsOf[direction]
  const { rule } = policy
  return !!rule[allow]?.length || !!rule[deny]?.length || rule.enableDefaultDeny?.[allow] === true
}

/** From the first such rule on, all is refused that none allows. */
function deniesByDefault(policy: PolicyRule, direction: Direction): boolean {
  return policy.rule.enableDefaultDeny?.[sectionsOf[direction].allow] ?? speaksOf(policy, direction)
}

/** Rules that only allow change nothing where all is allowed. */
function keepOpen(rules: readonly PolicyRule[], grants: readonly Grant[], direction: Direction): PolicyConfig[] {
  const { allow } = sectionsOf[direction]
  const restricting = grants.find(({ isHttp }) => isHttp)
  if (restricting) {
    const { policy } = restricting
    const message =
      'without a default denial the filter cannot refuse just the requests that these HTTP rules leave out'
    policy.refuse([...policy.path, 'enableDefaultDeny', allow], message, 'remove enableDefaultDeny')
  }
  for (const rule of rules) {
    if (!rule.rule[allow]?.length) continue
    const message = 'nothing is denied by default: what this allows was allowed before'
    rule.report('info', 'MS1423', [...rule.path, allow], message)
  }
  return []
}

function toPolicies(grants: readonly Grant[], action: 'ALLOW' | 'DENY', places: Map<string, Span>): PolicyConfig[] {
  const byName = new Map<string, Grant[]>()
  for (const grant of grants) {
    const name = action === 'DENY' ? `${grant.policy.id}-deny` : grant.policy.id
    byName.set(name, [...(byName.get(name) ?? []), grant])
  }
  return [...byName]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, list]) => {
      list.forEach(({ policy, path }, index) => places.set(`${name}-rule[${index}]`, policy.resource.locate(path)))
      return { name, action, rules: list.map(({ rule }) => rule) }
    })
}

/** Whether a rule is about the workload. */
function selectsWorkload(policy: PolicyRule, { inventory, workload }: Cluster): boolean {
  const { endpointSelector, nodeSelector } = policy.rule
  if (nodeSelector) {
    policy.report('info', 'MS1423', [...policy.path, 'nodeSelector'], 'it is about nodes, not about pods')
    return false
  }
  if (policy.namespace !== undefined && policy.namespace !== workload.namespace) return false
  const path = [...policy.path, 'endpointSelector']
  const requirements = requirementsOf(endpointSelector ?? {}).filter((each) => {
    // Cilium puts the policy's own namespace in place of any other.
    if (policy.namespace === undefined || each.key !== namespaceKey) return true
    if (!each.values.includes(policy.namespace)) {
      const message = `a CiliumNetworkPolicy selects pods of its own namespace, ${policy.namespace}, whatever it says here`
      policy.report('warning', 'MS1401', path, message, 'write a CiliumClusterwideNetworkPolicy')
    }
    return false
  })
  const accounts = accountsOf(workload, inventory)
  const endpoint: Endpoint = {
    namespace: workload.namespace,
    labels: workload.labels,
    serviceAccount: accounts.length === 1 ? accounts[0] : undefined,
  }
  const selection = selectsEndpoint(requirements, endpoint, inventory)
  if (selection !== 'unknown') return selection
  const isAccount = requirements.some(({ key }) => key === accountKey) && endpoint.serviceAccount === undefined
  const { message, hint } = isAccount
    ? unknownAccount(workload, accounts)
    : {
        message: `the labels of namespace ${workload.namespace}, or the name of the cluster, are not known`,
        hint: 'add the namespace to the input: kubectl get namespaces -o yaml',
      }
  policy.report('error', 'MS1321', path, message, hint)
  return false
}

/** Where X-Forwarded-For counts, Envoy does not show a filter who is connected. */
function noteDirectPeer(grants: readonly Grant[]) {
  const grant = grants.find(({ rule }) => rule.from?.some(({ ipBlocks }) => ipBlocks))
  if (!grant) return
  const message = 'the direct peer is compared: where X-Forwarded-For counts, the filter must be told its address'
  grant.policy.report(
    'info',
    'MS1406',
    grant.path,
    message,
    'put set_filter_state in front, see MS1406 in docs/errors.md',
  )
}

/** Cilium's proxy has its own way with slashes; rules that count on it would be by-passed where the listener has another. */
function notePaths(grants: readonly Grant[], { pathNormalization }: MeshConfig) {
  const isAboutPath = ({ rule }: Grant) => rule.when?.some((each) => 'header' in each && each.header === ':path')
  const grant = grants.find(isAboutPath)
  if (!grant || pathNormalization?.normalization === 'DECODE_AND_MERGE_SLASHES') return
  const message = "Cilium's proxy merges slashes and decodes %2F before it compares paths: the listener must do so, too"
  const hint = 'set pathNormalization of the mesh to DECODE_AND_MERGE_SLASHES, see MS1407 in docs/errors.md'
  grant.policy.report('info', 'MS1407', grant.path, message, hint)
}

/** A policy for the other direction is easily thought to be in force. */
function noteOthers(selecting: readonly PolicyRule[], selected: readonly Resource[], direction: Direction) {
  const other = direction === 'inbound' ? 'outbound' : 'inbound'
  for (const policy of selecting) {
    if (selected.includes(policy.resource) || !speaksOf(policy, other)) continue
    const message = `not applied: it is about ${other} requests`
    policy.report('info', 'MS1423', policy.path, message, `give --direction ${other} to compile it`)
  }
}

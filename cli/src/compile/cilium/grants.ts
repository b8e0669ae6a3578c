/** Entries of `ingress` and the like → rules of the filter. */
import type { DirectionRule } from '../../resources/cilium/types.ts'
import type { Path } from '../../resources/nodes.ts'
import type { OperationConfig, PortMatcher, RuleConfig, SourceConfig } from '../authorization-config.ts'
import { compileCallers } from './callers.ts'
import type { Cluster, PolicyRule } from './context.ts'
import { compileDestinations, type Destination } from './destinations.ts'
import { compileHttp, type HttpGrant } from './http.ts'
import { checkProtocols, compilePorts, overlap, type NamedPort, type PortGrant } from './ports.ts'

/** One rule of the filter, with what it was made from. */
export interface Grant {
  policy: PolicyRule
  rule: RuleConfig
  isHttp: boolean
  path: Path
}

export interface Entry {
  policy: PolicyRule
  entry: DirectionRule
  path: Path
}

/** An entry's peers, before they are joined with its ports. */
interface Peers {
  from: SourceConfig[] | undefined
  destinations: Destination[]
}

/** The rules that the entries of all policies that select the workload stand for. */
export function compileGrants(entries: readonly Entry[], cluster: Cluster, isDeny: boolean): Grant[] {
  checkProtocols(entries)
  const authenticated = entries.map((each) => needsAuthentication(each, entries))
  return entries.flatMap(({ policy, entry, path }, index) => {
    const ports = portsOf(policy, entry, path, cluster)
    // Peers of what is of no consequence need not be found.
    if (ports.length === 0) return []
    if (entry.authentication?.mode === 'test-always-fail') {
      const at = [...path, 'authentication']
      policy.report('warning', 'MS1401', at, 'test-always-fail never lets a request pass: nothing is allowed by this')
      return []
    }
    const peers = peersOf(policy, entry, path, cluster, isDeny)
    if (!peers) return []
    const from = authenticated[index] ? withPrincipal(peers.from) : peers.from
    return ports.flatMap((port) =>
      peers.destinations.flatMap((destination) => {
        const numbers = mapPorts(port, destination)
        if (numbers !== 'all' && numbers.length === 0) return []
        const http = port.http?.flatMap(({ rule, path }) => {
          const compiled = compileHttp(policy, rule, path, cluster.inventory)
          return compiled ? [{ compiled, path }] : []
        })
        const requests: { compiled?: HttpGrant; path: Path }[] = http ?? [{ path: port.path }]
        return requests.map(({ compiled, path }) => ({
          policy,
          isHttp: port.http !== undefined,
          rule: toRule(from, destination, { ...port, ports: numbers }, compiled),
          path,
        }))
      }),
    )
  })
}

function peersOf(
  policy: PolicyRule,
  entry: DirectionRule,
  path: Path,
  cluster: Cluster,
  isDeny: boolean,
): Peers | undefined {
  if (cluster.direction === 'outbound') {
    const destinations = compileDestinations(policy, entry, path, cluster, isDeny)
    return destinations.length > 0 ? { from: undefined, destinations } : undefined
  }
  const callers = compileCallers(policy, entry, path, cluster, isDeny)
  if (callers === 'anyone') return { from: undefined, destinations: [{}] }
  // Nobody must not become anybody.
  return callers.length > 0 ? { from: callers, destinations: [{}] } : undefined
}

function portsOf(policy: PolicyRule, entry: DirectionRule, path: Path, cluster: Cluster): PortGrant[] {
  const { toPorts, icmps } = entry
  if (icmps?.length) policy.report('info', 'MS1423', [...path, 'icmps'], 'ICMP allows no HTTP request')
  if (!toPorts?.length) {
    const hasPeers = Object.keys(entry).some((field) => /^(from|to)[A-Z]/.test(field) && field !== 'toPorts')
    // An empty entry selects nothing: it is there to deny by default.
    return hasPeers && !icmps?.length ? [{ ports: 'all', path }] : []
  }
  const pods = () =>
    cluster.direction === 'inbound' ? cluster.inventory.podsOf(cluster.workload) : cluster.inventory.pods
  const namedPort: NamedPort = (name) => {
    const numbers = [...new Set(pods().flatMap((pod) => pod.ports[name] ?? []))]
    // The same name may mean another port of another pod.
    return cluster.direction === 'inbound' || numbers.length === 1 ? numbers : []
  }
  return toPorts.flatMap((each, index) => compilePorts(policy, each, [...path, 'toPorts', index], namedPort) ?? [])
}

function mapPorts({ ports }: PortGrant, { mapPort }: Destination): readonly PortMatcher[] | 'all' {
  if (ports === 'all' || !mapPort) return ports
  return [...new Set(ports.flatMap(mapPort))]
}

function toRule(
  from: SourceConfig[] | undefined,
  { hosts, when: where = [] }: Destination,
  { ports, serverNames }: PortGrant,
  http: HttpGrant | undefined,
): RuleConfig {
  const to: OperationConfig = {
    ...(http?.methods && { methods: http.methods }),
    ...(hosts && { hosts }),
    ...(ports !== 'all' && { ports: [...ports] }),
  }
  const when = [
    ...where,
    ...(serverNames ? [{ attribute: 'connection.sni' as const, values: serverNames }] : []),
    ...(http?.when ?? []),
  ]
  return {
    ...(from && { from }),
    ...(Object.keys(to).length > 0 && { to: [to] }),
    ...(when.length > 0 && { when }),
    ...(http?.actions.length && { headerActions: http.actions }),
  }
}

/**
 * Whether callers must have authenticated themselves: where an entry asks for it, and where it says nothing and another one for the
 * same peers and ports does, since Cilium merges the two.
 */
function needsAuthentication({ policy, entry, path }: Entry, all: readonly Entry[]): boolean {
  const { authentication } = entry
  const rivals = all.filter((other) => other.entry !== entry && isAboutSame(entry, other.entry))
  const isRequired = ({ entry: { authentication } }: Entry) => authentication?.mode === 'required'
  if (!authentication) return rivals.some(isRequired)
  if (authentication.mode === 'disabled' && rivals.some(isRequired)) {
    const message = 'another entry for the same peers and ports requires authentication'
    policy.report('error', 'MS1204', [...path, 'authentication', 'mode'], message, 'write the same mode in both')
  }
  return authentication.mode === 'required'
}

function isAboutSame(a: DirectionRule, b: DirectionRule): boolean {
  const peers = (rule: DirectionRule) =>
    JSON.stringify(Object.entries(rule).filter(([field]) => !['toPorts', 'authentication', 'icmps'].includes(field)))
  if (peers(a) !== peers(b)) return false
  const numbers = ({ toPorts = [] }: DirectionRule) =>
    toPorts.flatMap(({ ports = [] }) => ports.map(({ port }) => (Number(port) > 0 ? Number(port) : undefined)))
  const [left, right] = [numbers(a), numbers(b)]
  const isOpen = (list: readonly (number | undefined)[]) => list.length === 0 || list.includes(undefined)
  if (isOpen(left) || isOpen(right)) return true
  return overlap(left.filter(isNumber), right.filter(isNumber))
}

const isNumber = (value: number | undefined): value is number => value !== undefined

/** Callers by their address, or any, must show a certificate too. */
function withPrincipal(from: SourceConfig[] | undefined): SourceConfig[] {
  return (from ?? [{}]).map((source) => (source.principals ? source : { ...source, principals: [{ present: true }] }))
}

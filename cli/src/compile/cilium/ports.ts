/** `toPorts`: which ports an entry speaks of, and what it asks of the requests on them. */
import { protocolsOf, type HttpRule, type PortProtocol, type PortRule } from '../../resources/cilium/types.ts'
import type { Path } from '../../resources/nodes.ts'
import { escapeRegex } from '../../resources/regex.ts'
import type { Matcher, PortMatcher } from '../authorization-config.ts'
import type { PolicyRule } from './context.ts'

export interface PortGrant {
  ports: readonly PortMatcher[] | 'all'
  /** Names of the TLS server (SNI) that the connection must ask for; undefined: any. */
  serverNames?: Matcher[]
  /** Undefined: every request. */
  http?: { rule: HttpRule; path: Path }[]
  path: Path
}

/** Finds the number of a port by its name. */
export type NamedPort = (name: string) => readonly number[]

/** What one item of `toPorts` grants to HTTP requests; undefined: nothing. */
export function compilePorts(
  policy: PolicyRule,
  portRule: PortRule,
  path: Path,
  namedPort: NamedPort,
): PortGrant | undefined {
  for (const field of ['terminatingTLS', 'originatingTLS', 'listener'] as const) {
    if (portRule[field] === undefined) continue
    const reasons = {
      terminatingTLS: 'the listener terminates TLS, before any filter',
      originatingTLS: 'the cluster originates TLS, after all filters',
      listener: 'a filter cannot hand a connection over to another listener',
    }
    policy.refuse([...path, field], `the filter cannot enforce ${field}: ${reasons[field]}`)
  }
  const note = (at: Path, message: string) => policy.report('info', 'MS1423', at, message)
  const [protocol] = protocolsOf(portRule)
  if (protocol && protocol !== 'http') {
    note([...path, 'rules'], `rules for ${protocol} allow no HTTP request`)
    return undefined
  }
  const { ports = [], rules, serverNames = [] } = portRule
  if (ports.length === 0) {
    policy.report('warning', 'MS1421', path, 'an entry without ports allows nothing', 'write ports')
    return undefined
  }
  const isTcp = ({ protocol = '' }: PortProtocol) => ['TCP', 'ANY', ''].includes(protocol)
  const numbers = ports.flatMap((each, index) =>
    isTcp(each) ? portNumbers(policy, each, [...path, 'ports', index], namedPort) : [],
  )
  if (!ports.some(isTcp)) {
    note([...path, 'ports'], 'ports of other protocols than TCP allow no HTTP request')
    return undefined
  }
  if (numbers.length === 0) return undefined
  return {
    ports: numbers.includes('all') ? 'all' : numbers.filter((each) => each !== 'all'),
    ...(serverNames.length > 0 && { serverNames: serverNames.map(serverName) }),
    // An empty list is there for visibility alone.
    ...(rules?.http?.length && {
      http: rules.http.map((rule, index) => ({ rule, path: [...path, 'rules', 'http', index] })),
    }),
    path,
  }
}

function portNumbers(
  policy: PolicyRule,
  { port, endPort = 0 }: PortProtocol,
  path: Path,
  namedPort: NamedPort,
): (PortMatcher | 'all')[] {
  if (/^\d+$/.test(port)) {
    const number = Number(port)
    if (number === 0) return ['all']
    return [endPort > number ? { from: number, to: endPort } : number]
  }
  const numbers = namedPort(port.toLowerCase())
  if (numbers.length === 0) {
    const message = `no container of the input has a port that is called ${JSON.stringify(port)}`
    const hint = 'write its number, or add the pods to the input: kubectl get pods -o yaml'
    policy.report('error', 'MS1321', [...path, 'port'], message, hint)
  }
  return [...numbers]
}

/** `*` is a part of one label, `**` one or more labels. */
function serverName(name: string): Matcher {
  const lower = name.toLowerCase()
  if (!lower.includes('*')) return { exact: lower }
  const regex = lower
    .split('**')
    .map((part) => part.split('*').map(escapeRegex).join('[-a-z0-9_]*'))
    .join('[-a-z0-9_]+([.][-a-z0-9_]+)*')
  return { regex: lower === '*' ? '[-a-z0-9_]+([.][-a-z0-9_]+)*' : regex }
}

/** Whether two lists of ports have one in common. */
export function overlap(a: PortGrant['ports'], b: PortGrant['ports']): boolean {
  if (a === 'all' || b === 'all') return true
  const range = (port: PortMatcher) => (typeof port === 'number' ? { from: port, to: port } : port)
  return a.some((x) => b.some((y) => range(x).from <= range(y).to && range(y).from <= range(x).to))
}

/** Two kinds of rules on one port: Cilium does not merge them either. */
export function checkProtocols(
  entries: readonly { policy: PolicyRule; entry: { toPorts?: PortRule[] }; path: Path }[],
) {
  const seen = new Map<string, string>()
  for (const { policy, entry, path } of entries) {
    entry.toPorts?.forEach((each, index) => {
      const [protocol] = protocolsOf(each)
      for (const { port } of protocol ? (each.ports ?? []) : []) {
        const other = seen.get(port) ?? protocol!
        seen.set(port, other)
        if (other === protocol) continue
        const message = `port ${port} has rules of ${other} and of ${protocol}`
        policy.report('error', 'MS1204', [...path, 'toPorts', index, 'rules'], message, 'one port speaks one protocol')
      }
    })
  }
}

/** Cilium's network policies (cilium.io/v2): their kinds, and what Cilium's own validation says of them. */
import type { Diagnostics } from '../diagnostics.ts'
import type { Family, ReadKind } from '../kind.ts'
import type { Path } from '../nodes.ts'
import { checkRegex } from '../regex.ts'
import type { Resource } from '../resource.ts'
import { contains, normalizeBlock, parseBlock } from './cidr.ts'
import { ciliumRuleSchema } from './schema.ts'
import {
  isClusterwide,
  peerFields,
  protocolsOf,
  rulesOf,
  sections,
  type CidrRule,
  type CiliumRule,
  type DirectionRule,
  type EndpointSelector,
  type HttpRule,
  type PortRule,
} from './types.ts'

const policy: ReadKind = {
  use: 'read',
  versions: ['v2'],
  fields: { spec: ciliumRuleSchema, specs: { type: 'array', items: ciliumRuleSchema } },
  check: checkPolicy,
  caseInsensitive: true,
}

export const cilium: Family = {
  groups: {
    'cilium.io': {
      CiliumNetworkPolicy: policy,
      CiliumClusterwideNetworkPolicy: { ...policy, clusterScoped: true },
    },
  },
}

type Report = (
  code: 'MS1103' | 'MS1106' | 'MS1204' | 'MS1207' | 'MS1222',
  path: Path,
  message: string,
  hint?: string,
) => void

function checkPolicy(resource: Resource, diagnostics: Diagnostics) {
  const report: Report = (code, path, message, hint) => resource.report(diagnostics, 'error', code, path, message, hint)
  const rules = rulesOf(resource)
  if (rules.length === 0) report('MS1103', ['spec'], '"spec" is missing')
  for (const { rule, path } of rules) {
    checkRule(rule, path, report)
    if (!rule.nodeSelector || isClusterwide(resource)) continue
    const message = 'a CiliumNetworkPolicy cannot select nodes'
    report('MS1207', [...path, 'nodeSelector'], message, 'write a CiliumClusterwideNetworkPolicy')
  }
}

function checkRule(rule: CiliumRule, path: Path, report: Report) {
  const { endpointSelector, nodeSelector } = rule
  if (endpointSelector && nodeSelector) {
    report('MS1204', [...path, 'nodeSelector'], 'only one of endpointSelector and nodeSelector can be set')
  }
  if (!endpointSelector && !nodeSelector) {
    report('MS1103', [...path, 'endpointSelector'], '"endpointSelector" is missing', 'write {} to select every pod')
  }
  if (endpointSelector) checkSelector(endpointSelector, [...path, 'endpointSelector'], report)
  if (sections.every((section) => !rule[section]?.length)) {
    // With an empty list the API server takes it, and nothing is enforced.
    const message = 'Cilium refuses a rule without an entry in ingress, ingressDeny, egress or egressDeny'
    report('MS1103', path, message, 'write ingress: [{}] to refuse all requests to the pods')
  }
  for (const section of sections) {
    rule[section]?.forEach((each, index) => {
      checkDirection(each, section.startsWith('ingress') ? 'ingress' : 'egress', [...path, section, index], report)
    })
  }
}

function checkDirection(rule: DirectionRule, direction: 'ingress' | 'egress', path: Path, report: Report) {
  const peers = peerFields[direction].filter((field) => rule[field]?.length)
  if (peers.length > 1) {
    const message = `${peers.slice(0, 2).join(' and ')} cannot be combined`
    report('MS1204', [...path, peers[1]!], message, 'write two entries')
  }
  if (rule.icmps?.length && rule.toPorts?.length) {
    report('MS1204', [...path, 'icmps'], 'icmps and toPorts cannot be combined', 'write two entries')
  }
  if (rule.toServices?.length && rule.toPorts?.length) {
    report('MS1204', [...path, 'toServices'], 'toServices and toPorts cannot be combined', 'write toEndpoints')
  }
  for (const field of ['fromEndpoints', 'toEndpoints'] as const) {
    rule[field]?.forEach((selector, index) => checkSelector(selector, [...path, field, index], report))
  }
  for (const field of ['fromCIDR', 'toCIDR'] as const) {
    rule[field]?.forEach((block, index) => checkBlock(block, [...path, field, index], report))
  }
  for (const field of ['fromCIDRSet', 'toCIDRSet'] as const) {
    rule[field]?.forEach((set, index) => checkBlockSet(set, [...path, field, index], report))
  }
  rule.toFQDNs?.forEach(({ matchName, matchPattern }, index) => {
    if (matchName === undefined && matchPattern === undefined) {
      report('MS1103', [...path, 'toFQDNs', index, 'matchName'], '"matchName" or "matchPattern" is missing')
    }
  })
  rule.toPorts?.forEach((each, index) => checkPorts(each, direction, [...path, 'toPorts', index], report))
}

function checkSelector({ matchExpressions = [] }: EndpointSelector, path: Path, report: Report) {
  matchExpressions.forEach(({ operator, values = [] }, index) => {
    const needsValues = operator === 'In' || operator === 'NotIn'
    const at = [...path, 'matchExpressions', index, 'values']
    if (needsValues && values.length === 0) report('MS1103', at, `${operator} needs values`)
    if (!needsValues && values.length > 0) report('MS1204', at, `${operator} has no values`, 'remove them, or write In')
  })
}

function checkBlockSet({ cidr, except = [], ...groups }: CidrRule, path: Path, report: Report) {
  const [group] = (['cidrGroupRef', 'cidrGroupSelector'] as const).filter((field) => groups[field])
  if (cidr === undefined) {
    if (!group) report('MS1103', [...path, 'cidr'], '"cidr" is missing')
    return
  }
  if (group) report('MS1204', [...path, group], `cidr and ${group} cannot be combined`, 'write two entries')
  const isBlock = checkLength(cidr, [...path, 'cidr'], report)
  except.forEach((block, index) => {
    const at = [...path, 'except', index]
    if (checkLength(block, at, report) && isBlock && !contains(cidr, block)) {
      report('MS1106', at, `${block} is not a part of ${cidr}`)
    }
  })
}

/** In a set, unlike a plain list, a single address is not a block of its own. */
function checkLength(text: string, path: Path, report: Report): boolean {
  if (!checkBlock(text, path, report)) return false
  if (text.includes('/')) return true
  report('MS1106', path, `${text} has no length`, `write ${JSON.stringify(normalizeBlock(text))}`)
  return false
}

function checkBlock(text: string, path: Path, report: Report): boolean {
  if (parseBlock(text)) return true
  report('MS1106', path, `${JSON.stringify(text)} is not an address block`, 'write e.g. "10.0.0.0/8"')
  return false
}

function checkPorts(rule: PortRule, direction: 'ingress' | 'egress', path: Path, report: Report) {
  const { ports = [], rules, serverNames, terminatingTLS, listener } = rule
  const protocols = protocolsOf(rule)
  const at = [...path, 'rules']
  if (rules?.l7 && !rules.l7proto) report('MS1103', [...at, 'l7proto'], 'l7 needs l7proto')
  if (protocols.length > 1) {
    report('MS1204', at, `rules of ${protocols.join(' and ')} cannot be mixed`, 'write an entry of toPorts for each')
  }
  if (protocols.includes('dns') && direction === 'ingress') {
    report('MS1204', [...at, 'dns'], 'DNS rules are not allowed on ingress')
  }
  if (serverNames?.length && protocols.length > 0 && !terminatingTLS) {
    report('MS1204', [...path, 'serverNames'], 'serverNames with rules need terminatingTLS')
  }
  if (listener && protocols.length > 0) report('MS1204', [...path, 'listener'], 'listener and rules cannot be combined')
  ports.forEach(({ port, protocol = 'ANY' }, index) => {
    const where = [...path, 'ports', index]
    if (/^\d+$/.test(port) && Number(port) > 65535) report('MS1106', [...where, 'port'], `${port} is not a port`)
    if (/^0\d/.test(port)) {
      // "010" is 8 to Cilium.
      const message = `${JSON.stringify(port)} is read as an octal number`
      report('MS1106', [...where, 'port'], message, 'write it without the zeros in front')
    }
    if (protocols.length === 0 || protocols.includes('dns')) return
    if (protocol !== 'TCP') {
      const message = `rules apply to TCP only, not to ${protocol || 'ANY'}`
      report('MS1204', [...where, 'protocol'], message, 'write protocol: TCP')
    }
    if (Number(port) === 0) report('MS1106', [...where, 'port'], 'rules need a port other than 0')
  })
  rules?.http?.forEach((each, index) => checkHttp(each, [...at, 'http', index], report))
}

function checkHttp(rule: HttpRule, path: Path, report: Report) {
  for (const field of ['path', 'method', 'host'] as const) {
    const problem = rule[field] === undefined ? undefined : checkRegex(rule[field])
    if (problem) report('MS1222', [...path, field], problem.message, problem.hint)
  }
}

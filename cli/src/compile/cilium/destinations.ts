/** The `to…` fields of egress: whom the workload may call → what the filter sees of a destination. */
import { contains, normalizeBlock } from '../../resources/cilium/cidr.ts'
import type { CidrRule, DirectionRule, EndpointSelector, Fqdn, ServiceRef } from '../../resources/cilium/types.ts'
import type { KnownPod, KnownService } from '../../resources/kubernetes/inventory.ts'
import type { Path } from '../../resources/nodes.ts'
import { escapeRegex } from '../../resources/regex.ts'
import type { ConditionConfig, Matcher, PortMatcher } from '../authorization-config.ts'
import { hostBlock, isMadeFrom } from '../kubernetes/identity.ts'
import type { Cluster, PolicyRule } from './context.ts'
import {
  isAboutCluster,
  isAboutNamespace,
  isForeign,
  namespaceKey,
  requirementsOf,
  selectsEndpoint,
} from './selector.ts'

/** One of the alternatives of an entry. */
export interface Destination {
  hosts?: Matcher[]
  when?: ConditionConfig[]
  /** The ports of a service that lead to a port of its pods. */
  mapPort?: (port: PortMatcher) => PortMatcher[]
  /** Of a named port. */
  pods?: readonly KnownPod[]
}

/** Whom an entry of `egress` or `egressDeny` is about; none: nobody. Whatever it cannot name is reported. */
export function compileDestinations(
  policy: PolicyRule,
  entry: DirectionRule,
  path: Path,
  cluster: Cluster,
  isDeny: boolean,
): Destination[] {
  for (const field of ['toRequires', 'toGroups', 'toNodes'] as const) {
    if (entry[field]) policy.refuse([...path, field], `the filter cannot enforce ${field}`)
  }
  if (entry.authentication?.mode === 'required') {
    const message = 'the filter of the caller cannot see whether the destination has authenticated itself'
    policy.refuse([...path, 'authentication'], message, 'write it into an ingress policy of the destination')
  }
  const compiler = new DestinationsCompiler(policy, cluster, isDeny)
  const { toEndpoints, toCIDR, toCIDRSet, toEntities, toFQDNs, toServices } = entry
  if (toEndpoints) return compiler.endpoints(toEndpoints, [...path, 'toEndpoints'])
  if (toCIDR) {
    return compiler.blocks(
      toCIDR.map((cidr) => ({ cidr })),
      [...path, 'toCIDR'],
    )
  }
  if (toCIDRSet) return compiler.blocks(toCIDRSet, [...path, 'toCIDRSet'])
  if (toEntities) return compiler.entities(toEntities, [...path, 'toEntities'])
  if (toFQDNs) return compiler.names(toFQDNs, [...path, 'toFQDNs'])
  if (toServices) return compiler.services(toServices, [...path, 'toServices'])
  return [{}]
}

const addPods = 'add them to the input: kubectl get pods,services -A -o yaml'

class DestinationsCompiler {
  readonly #policy: PolicyRule
  readonly #cluster: Cluster
  readonly #isDeny: boolean

  constructor(policy: PolicyRule, cluster: Cluster, isDeny: boolean) {
    this.#policy = policy
    this.#cluster = cluster
    this.#isDeny = isDeny
  }

  endpoints(selectors: readonly EndpointSelector[], path: Path): Destination[] {
    const { inventory } = this.#cluster
    const { namespace } = this.#policy
    const wanted = selectors.map((selector, index) => {
      const requirements = requirementsOf(selector).filter((each) => !isAboutCluster(each))
      if (requirements.some(isForeign)) {
        const message = 'the filter cannot tell whether a destination has a label of another source than Kubernetes'
        this.#policy.refuse([...path, index], message)
      }
      if (namespace !== undefined && !requirements.some(isAboutNamespace)) {
        requirements.push({ key: namespaceKey, source: 'k8s', operator: 'In', values: [namespace] })
      }
      return requirements
    })
    const selections = inventory.pods.map((pod) => wanted.map((each) => selectsEndpoint(each, pod, inventory)))
    if (selections.some((each) => !each.includes(true) && each.includes('unknown'))) {
      const hint = 'add the namespaces to the input: kubectl get namespaces -o yaml'
      this.#policy.report('error', 'MS1321', path, 'the labels of the namespaces are not known', hint)
      return []
    }
    const pods = inventory.pods.filter((_, index) => selections[index]!.includes(true))
    const unreachable = pods.find((pod) => pod.addresses.length === 0 && !pods.some((other) => isMadeFrom(other, pod)))
    if (pods.length === 0 || unreachable) {
      const message = unreachable
        ? `the addresses of the pods of ${unreachable.kind} ${unreachable.namespace}/${unreachable.name} are not known`
        : 'no pod of the input has these labels: which addresses are meant is not known'
      this.#policy.report('error', 'MS1321', path, message, addPods)
      return []
    }
    this.#noteAddresses(path)
    const services = inventory.services.filter((service) => inventory.pods.some((pod) => isBehind(pod, service, pods)))
    const mixed = services.filter((service) =>
      inventory.pods.some((pod) => isBehind(pod, service) && !pods.includes(pod)),
    )
    if (this.#isDeny && mixed[0]) {
      const { namespace, name } = mixed[0]
      const message = `Service ${namespace}/${name} also leads to other pods, and the filter cannot see to which a request will go`
      this.#policy.refuse(path, message)
    }
    const own = services.filter((service) => !mixed.includes(service))
    return [...this.#podAddresses(pods), ...own.flatMap((service) => this.#service(service))]
  }

  /** In Cilium a block never means a pod of the cluster, whatever address it has. */
  blocks(rules: readonly CidrRule[], path: Path): Destination[] {
    const { inventory } = this.#cluster
    const known = [
      ...inventory.pods.flatMap(({ addresses }) => addresses),
      ...inventory.services.flatMap(({ addresses }) => addresses),
    ]
    const message =
      'in Cilium a CIDR does not select pods; here pods and services of the input are left out, and no others'
    if (rules.length > 0) this.#policy.report('warning', 'MS1422', path, message, addPods)
    return rules.flatMap(({ cidr, except = [] }, index): Destination[] => {
      if (cidr === undefined) {
        this.#policy.refuse([...path, index], 'the filter cannot enforce a group of CIDRs', 'write the blocks')
        return []
      }
      if (/\/0$/.test(cidr) && known.length === 0) {
        const message = `${cidr} means all outside of the cluster, and what is inside is not known`
        this.#policy.report('error', 'MS1321', [...path, index], message, addPods)
      }
      const inside = [...new Set(known.filter((address) => contains(cidr, address)))].map(hostBlock)
      const notValues = [...except.map(normalizeBlock), ...inside]
      return [toAddresses([normalizeBlock(cidr)], notValues)]
    })
  }

  entities(names: readonly string[], path: Path): Destination[] {
    if (names.includes('all')) return [{}]
    return names.flatMap((name, index) => {
      const at = [...path, index]
      if (name === 'none') return []
      if (name === 'world') return this.blocks([{ cidr: '0.0.0.0/0' }, { cidr: '::/0' }], at)
      if (name === 'world-ipv4') return this.blocks([{ cidr: '0.0.0.0/0' }], at)
      if (name === 'world-ipv6') return this.blocks([{ cidr: '::/0' }], at)
      this.#policy.refuse(at, `the filter cannot tell whether a destination is of the entity ${name}`)
      return []
    })
  }

  names(fqdns: readonly Fqdn[], path: Path): Destination[] {
    if (fqdns.length === 0) return []
    const message =
      'the name is compared with the host that the request asks for (:authority); Cilium compares addresses that DNS gave for it'
    this.#policy.report('warning', 'MS1422', path, message)
    const patterns = fqdns.flatMap(({ matchName, matchPattern }) => [
      ...(matchName === undefined ? [] : [escapeRegex(withoutDot(matchName))]),
      ...(matchPattern === undefined ? [] : [patternRegex(withoutDot(matchPattern))]),
    ])
    return [{ hosts: patterns.map((pattern) => ({ regex: `(?i)(?:${pattern})\\.?(?::[0-9]+)?` })) }]
  }

  services(refs: readonly ServiceRef[], path: Path): Destination[] {
    const { inventory } = this.#cluster
    return refs.flatMap((ref, index) => {
      const at = [...path, index]
      const found = inventory.services.filter((service) => this.#isMeant(ref, service))
      if (found.length === 0) {
        this.#policy.report(
          'error',
          'MS1321',
          at,
          'this service is not in the input: its addresses are not known',
          addPods,
        )
        return []
      }
      this.#noteAddresses(at)
      const pods = found.flatMap((service) => inventory.pods.filter((pod) => isBehind(pod, service)))
      return [...found.flatMap((service) => this.#service(service)), ...this.#podAddresses(pods)]
    })
  }

  #isMeant({ k8sService, k8sServiceSelector }: ServiceRef, service: KnownService): boolean {
    const home = this.#policy.namespace
    if (k8sService) {
      return service.name === k8sService.serviceName && service.namespace === (k8sService.namespace ?? home)
    }
    if (!k8sServiceSelector) return false
    const { namespace = home, selector } = k8sServiceSelector
    const endpoint = { namespace: service.namespace, labels: service.labels, serviceAccount: undefined }
    const isSelected = selectsEndpoint(requirementsOf(selector), endpoint, this.#cluster.inventory) === true
    return isSelected && (namespace === undefined || service.namespace === namespace)
  }

  #podAddresses(pods: readonly KnownPod[]): Destination[] {
    const addresses = [...new Set(pods.flatMap(({ addresses }) => addresses))]
    return addresses.length > 0 ? [{ ...toAddresses(addresses.map(hostBlock)), pods }] : []
  }

  /** A service's own address: its ports lead to ports of the pods. */
  #service(service: KnownService): Destination[] {
    const { addresses, ports } = service
    if (addresses.length === 0) return []
    const pods = this.#cluster.inventory.pods.filter((pod) => isBehind(pod, service))
    const mapPort = (wanted: PortMatcher): PortMatcher[] => {
      const { from, to } = typeof wanted === 'number' ? { from: wanted, to: wanted } : wanted
      return ports.flatMap(({ port, targetPort }) => {
        const targets =
          typeof targetPort === 'number'
            ? [targetPort]
            : pods.flatMap((pod) => pod.ports[targetPort.toLowerCase()] ?? [])
        // Where it is not known, what refuses may refuse too much.
        const leads = targets.length === 0 ? this.#isDeny : targets.some((target) => target >= from && target <= to)
        return leads ? [port] : []
      })
    }
    return [{ ...toAddresses(addresses.map(hostBlock)), mapPort }]
  }

  #noteAddresses(path: Path) {
    const message = 'this stands for the addresses that pods and services have now'
    const hint = 'compile again when they change'
    this.#policy.report(this.#isDeny ? 'warning' : 'info', 'MS1422', path, message, hint)
  }
}

function toAddresses(values: string[], notValues: string[] = []): Destination {
  return { when: [{ attribute: 'destination.ip', values, ...(notValues.length > 0 && { notValues }) }] }
}

/** Whether a pod is behind a service, and is one of some. */
const isBehind = (pod: KnownPod, { namespace, selector }: KnownService, among: readonly KnownPod[] = [pod]) =>
  !!selector &&
  pod.namespace === namespace &&
  Object.entries(selector).every(([key, value]) => pod.labels[key] === value) &&
  among.includes(pod)

const withoutDot = (name: string) => name.toLowerCase().replace(/\.$/, '')

/** `*` is a part of one label, a leading `**.` one or more labels; a star alone is every name. */
function patternRegex(pattern: string): string {
  const label = '[-a-z0-9_]'
  if (pattern === '*') return `${label}+(?:[.]${label}+)*`
  const deep = pattern.startsWith('**.')
  const rest = (deep ? pattern.slice(3) : pattern).split(/\*+/).map(escapeRegex).join(`${label}*`)
  return deep ? `${label}+(?:[.]${label}+)*[.]${rest}` : rest
}

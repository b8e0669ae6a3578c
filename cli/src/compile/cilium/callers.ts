/** The `from…` fields: who may call → what the filter sees of a caller. */
import { contains, normalizeBlock, parseBlock } from '../../resources/cilium/cidr.ts'
import type { CidrRule, DirectionRule, EndpointSelector } from '../../resources/cilium/types.ts'
import type { Path } from '../../resources/nodes.ts'
import { escapeRegex } from '../../resources/regex.ts'
import type { Matcher, SourceConfig } from '../authorization-config.ts'
import { accountPrincipals, findCallers, hostBlock, toSources, trustDomains } from '../kubernetes/identity.ts'
import type { Cluster, PolicyRule } from './context.ts'
import {
  accountKey,
  isAboutCluster,
  isAboutNamespace,
  isForeign,
  namespaceKey,
  requirementsOf,
  selectsEndpoint,
  type Requirement,
} from './selector.ts'

/** Alternatives of a rule's `from`; none: nobody. */
export type Callers = SourceConfig[] | 'anyone'

/** Who an entry of `ingress` or `ingressDeny` is about. Whoever it cannot name is reported. */
export function compileCallers(
  policy: PolicyRule,
  entry: DirectionRule,
  path: Path,
  cluster: Cluster,
  isDeny: boolean,
): Callers {
  const compiler = new CallersCompiler(policy, cluster, isDeny)
  const { fromEndpoints, fromCIDR, fromCIDRSet, fromEntities } = entry
  for (const field of ['fromRequires', 'fromGroups', 'fromNodes'] as const) {
    if (!entry[field]) continue
    const reasons = {
      fromRequires: 'Cilium no longer does it either; write the labels into every fromEndpoints',
      fromGroups: 'the groups are those of a cloud',
      fromNodes: 'nodes have no identity in a mesh',
    }
    policy.refuse([...path, field], `the filter cannot enforce ${field}: ${reasons[field]}`)
  }
  // A list that is there and empty stands for nobody.
  if (fromEndpoints) return compiler.endpoints(fromEndpoints, [...path, 'fromEndpoints'])
  if (fromCIDR) {
    return compiler.blocks(
      fromCIDR.map((cidr) => ({ cidr })),
      [...path, 'fromCIDR'],
    )
  }
  if (fromCIDRSet) return compiler.blocks(fromCIDRSet, [...path, 'fromCIDRSet'])
  if (fromEntities) return compiler.entities(fromEntities, [...path, 'fromEntities'])
  return 'anyone'
}

const addPods = (namespaces: string) => `add the pods to the input: kubectl get pods ${namespaces} -o yaml`

class CallersCompiler {
  readonly #policy: PolicyRule
  readonly #cluster: Cluster
  readonly #isDeny: boolean

  constructor(policy: PolicyRule, cluster: Cluster, isDeny: boolean) {
    this.#policy = policy
    this.#cluster = cluster
    this.#isDeny = isDeny
  }

  endpoints(selectors: readonly EndpointSelector[], path: Path): SourceConfig[] {
    return this.#failClosed(
      selectors.flatMap((selector, index) => this.#endpoint(selector, [...path, index])),
      path,
    )
  }

  /** In Cilium a block never means a pod of the cluster, whatever address it has. */
  blocks(rules: readonly CidrRule[], path: Path): SourceConfig[] {
    const { inventory, mesh } = this.#cluster
    const sources = rules.flatMap(({ cidr, except = [] }, index): SourceConfig[] => {
      if (cidr === undefined) {
        this.#policy.refuse([...path, index], 'the filter cannot enforce a group of CIDRs', 'write the blocks')
        return []
      }
      if (parseBlock(cidr)?.length === 0 && inventory.pods.length === 0) {
        const message = `${cidr} means all outside of the cluster, and what is inside is not known`
        this.#policy.report('error', 'MS1321', [...path, index], message, addPods('-A'))
      }
      const pods = inventory.pods.flatMap(({ addresses }) => addresses).filter((each) => contains(cidr, each))
      const notIpBlocks = [...except.map(normalizeBlock), ...[...new Set(pods)].map(hostBlock)]
      return [
        {
          ipBlocks: [normalizeBlock(cidr)],
          ...(notIpBlocks.length > 0 && { notIpBlocks }),
          // Where it refuses, it may refuse too many.
          ...(!this.#isDeny && { notPrincipals: trustDomains(mesh).map((domain) => ({ prefix: `${domain}/ns/` })) }),
        },
      ]
    })
    const message = this.#isDeny
      ? "in Cilium a CIDR does not select pods; here it also refuses those that the input doesn't name"
      : 'in Cilium a CIDR does not select pods; here callers with an identity of this mesh, and pods of the input, are left out'
    if (sources.length > 0) this.#policy.report('warning', 'MS1422', path, message, addPods('-A'))
    return merge(sources)
  }

  entities(names: readonly string[], path: Path): Callers {
    if (names.includes('all')) return 'anyone'
    const sources = names.flatMap((name, index): SourceConfig[] => {
      const at = [...path, index]
      const { mesh } = this.#cluster
      switch (name) {
        case 'none':
          return []
        case 'cluster': {
          if (this.#isDeny) break
          const message =
            '"cluster" is compiled as all callers with an identity of this mesh: others in the cluster are refused'
          this.#policy.report('warning', 'MS1422', at, message)
          return [{ principals: trustDomains(mesh).map((domain) => ({ prefix: `${domain}/ns/` })) }]
        }
        case 'world':
          return this.blocks([{ cidr: '0.0.0.0/0' }, { cidr: '::/0' }], at)
        case 'world-ipv4':
          return this.blocks([{ cidr: '0.0.0.0/0' }], at)
        case 'world-ipv6':
          return this.blocks([{ cidr: '::/0' }], at)
      }
      this.#policy.refuse(at, `the filter cannot tell whether a caller is of the entity ${name}`)
      return []
    })
    return merge(sources)
  }

  #endpoint(selector: EndpointSelector, path: Path): SourceConfig[] {
    const { namespace } = this.#policy
    const requirements = requirementsOf(selector).filter((each) => !isAboutCluster(each))
    const foreign = requirements.find(isForeign)
    if (foreign) {
      this.#policy.refuse(path, `the filter cannot tell whether a caller has a label of the source ${foreign.source}`)
      return []
    }
    // Without a word on namespaces only the policy's own one is meant.
    if (namespace !== undefined && !requirements.some(isAboutNamespace)) {
      requirements.push({ key: namespaceKey, source: 'k8s', operator: 'In', values: [namespace] })
    }
    const isAboutAccount = ({ key, operator }: Requirement) => key === accountKey && operator === 'In'
    if (requirements.every((each) => isAboutNamespace(each) || isAboutAccount(each))) {
      const found = this.#namespaces(requirements.filter(isAboutNamespace), path)
      if (found) return this.#accounts(found, requirements.filter(isAboutAccount))
    }
    return this.#pods(requirements, path)
  }

  /** The namespaces that are selected, or all; undefined: not to be told without pods. */
  #namespaces(requirements: readonly Requirement[], path: Path): readonly string[] | 'all' | undefined {
    if (requirements.every(({ key, operator }) => key === namespaceKey && operator === 'Exists')) return 'all'
    const { inventory } = this.#cluster
    const named = requirements.find(({ key, operator }) => key === namespaceKey && operator === 'In')
    const candidates = named?.values ?? inventory.namespaces
    if (!named && this.#isDeny) {
      // Those that the input does not hold would not be refused.
      const message = 'which namespaces have these labels is known of the input alone: others would not be refused'
      this.#policy.refuse(path, message, 'name the namespaces: io.kubernetes.pod.namespace, operator: In')
      return []
    }
    if (!named && candidates.length === 0) {
      const hint = 'add the namespaces to the input: kubectl get namespaces -o yaml'
      this.#policy.report('error', 'MS1321', path, 'which namespaces have these labels is not known', hint)
      return []
    }
    const results = candidates.map((namespace) => ({
      namespace,
      selection: selectsEndpoint(requirements, { namespace, labels: {}, serviceAccount: undefined }, inventory),
    }))
    const unknown = results.find(({ selection }) => selection === 'unknown')
    if (unknown) {
      const hint = 'add the namespaces to the input: kubectl get namespaces -o yaml'
      this.#policy.report('error', 'MS1321', path, `the labels of namespace ${unknown.namespace} are not known`, hint)
    }
    return results.filter(({ selection }) => selection === true).map(({ namespace }) => namespace)
  }

  /** Service accounts by their names, or all of a namespace. */
  #accounts(namespaces: readonly string[] | 'all', requirements: readonly Requirement[]): SourceConfig[] {
    const { mesh } = this.#cluster
    const [first, ...rest] = requirements
    const names = first?.values.filter((name) => rest.every(({ values }) => values.includes(name)))
    const account = names && `(${names.map(escapeRegex).join('|')})`
    let principals: Matcher[]
    if (namespaces === 'all') {
      principals = account
        ? [{ regex: `.*/ns/[^/]+/sa/${account}` }]
        : trustDomains(mesh).map((domain) => ({ prefix: `${domain}/ns/` }))
    } else if (names) {
      principals = namespaces.flatMap((namespace) =>
        names.flatMap((name) => accountPrincipals({ namespace, name }, mesh)),
      )
    } else principals = namespaces.map((namespace) => ({ regex: `.*/ns/${escapeRegex(namespace)}/.*` }))
    return principals.length > 0 ? [{ principals }] : []
  }

  /** By other labels: through the pods of the input. */
  #pods(requirements: readonly Requirement[], path: Path): SourceConfig[] {
    const { inventory, mesh } = this.#cluster
    const report = (message: string) => this.#policy.report('error', 'MS1321', path, message, addPods('-A'))
    if (inventory.pods.length === 0) {
      report('a caller does not show its labels, and the input holds no pods to tell who has them')
      return []
    }
    if (inventory.pods.some((pod) => selectsEndpoint(requirements, pod, inventory) === 'unknown')) {
      const hint = 'add the namespaces to the input: kubectl get namespaces -o yaml'
      const message = 'the labels of the namespaces, or the name of the cluster, are not known'
      this.#policy.report('error', 'MS1321', path, message, hint)
      return []
    }
    const callers = findCallers(inventory, (pod) => selectsEndpoint(requirements, pod, inventory) === true)
    if (callers.matched.length === 0) {
      if (this.#isDeny) report('no pod of the input has these labels: whom to refuse is not known')
      else {
        const message = 'no pod of the input has these labels: nobody is allowed by this'
        this.#policy.report('warning', 'MS1421', path, message, addPods('-A'))
      }
      return []
    }
    if (callers.nameless.length > 0) {
      const { kind, namespace, name, serviceAccount } = callers.nameless[0]!
      const message = `${kind} ${namespace}/${name} shares the service account ${serviceAccount} with pods without these labels, and the addresses of its pods are not known`
      report(message)
    } else if (callers.addresses.length > 0) {
      const message = `these labels stand for ${callers.addresses.length} addresses of pods that share their service accounts with others`
      const hint = 'compile again when pods have changed, or give them a service account of their own'
      this.#policy.report('warning', 'MS1422', path, message, hint)
    } else {
      const names = callers.accounts.map(({ namespace, name }) => `${namespace}/${name}`).join(', ')
      const message = `these labels stand for the service accounts ${names}: no other pod of the input has them`
      this.#policy.report('info', 'MS1422', path, message)
    }
    return toSources(callers, mesh)
  }

  /** A caller without a certificate may be anybody: where callers are refused by their principals, it is refused too. */
  #failClosed(sources: SourceConfig[], path: Path): SourceConfig[] {
    const merged = merge(sources)
    if (!this.#isDeny || !merged.some(({ principals }) => principals)) return merged
    const message = 'callers without a certificate are refused as well: they may be any of these'
    this.#policy.report('warning', 'MS1422', path, message)
    return [...merged, { notPrincipals: [{ present: true }] }]
  }
}

/** Sources that ask for principals alone, or for addresses alone, become one. */
function merge(sources: readonly SourceConfig[]): SourceConfig[] {
  const isOnly = (field: keyof SourceConfig) => (source: SourceConfig) =>
    Object.keys(source).length === 1 && source[field] !== undefined
  const principals = unique(sources.filter(isOnly('principals')).flatMap((each) => each.principals ?? []))
  const ipBlocks = unique(sources.filter(isOnly('ipBlocks')).flatMap((each) => each.ipBlocks ?? []))
  const others = sources.filter((each) => !isOnly('principals')(each) && !isOnly('ipBlocks')(each))
  return [...(principals.length > 0 ? [{ principals }] : []), ...(ipBlocks.length > 0 ? [{ ipBlocks }] : []), ...others]
}

const unique = <Value>(values: readonly Value[]): Value[] => [
  ...new Map(values.map((each) => [JSON.stringify(each), each])).values(),
]

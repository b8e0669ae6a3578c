/** Where the requests of a cluster go. */
import type { Inventory, KnownPod, KnownPort, KnownService, Labels } from '../../resources/kubernetes/inventory.ts'
import type { DestinationRule } from '../../resources/networking/destination-rule.ts'
import { fullName } from '../../resources/networking/hosts.ts'

/** An Envoy cluster by Istio's name for it: `outbound|PORT|SUBSET|HOST`. */
export interface ClusterName {
  name: string
  port: number
  /** Empty for all of a host. */
  subset: string
  host: string
}

export function parseClusterName(name: string): ClusterName {
  const [, port = '0', subset = '', host = ''] = name.split('|')
  return { name, port: Number(port), subset, host }
}

export interface Endpoint {
  address: string
  port: number
}

/** Endpoints that the user gives, by `HOST` or `HOST/SUBSET`. */
export type GivenEndpoints = ReadonlyMap<string, readonly Endpoint[]>

export interface Endpoints {
  /** `dns`: the host's own name, which Envoy looks up. */
  kind: 'static' | 'dns'
  endpoints: readonly Endpoint[]
  /** The subset's labels can't be told apart. */
  lacksSubset: boolean
}

export class EndpointFinder {
  constructor(
    private readonly inventory: Inventory,
    private readonly rules: readonly DestinationRule[],
    private readonly given: GivenEndpoints,
    private readonly namespace: string,
  ) {}

  /** The given ones first, then the pods of the Service, then its name. */
  find({ host, subset, port }: ClusterName): Endpoints {
    const given = this.givenFor(host, subset)
    if (given) return { kind: 'static', endpoints: given, lacksSubset: false }
    const service = this.serviceOf(host)
    const own = service?.ports.find((each) => each.port === port)
    const pods = service && own ? this.addressesOf(service, own, this.labelsOf(host, subset)) : []
    if (pods.length) return { kind: 'static', endpoints: pods, lacksSubset: false }
    return { kind: 'dns', endpoints: [{ address: host, port }], lacksSubset: subset !== '' }
  }

  /** The port of a Service, where the input has it. */
  portOf({ host, port }: ClusterName): KnownPort | undefined {
    return this.serviceOf(host)?.ports.find((each) => each.port === port)
  }

  /** The rules for a host. */
  rulesFor(host: string): DestinationRule[] {
    return this.rules.filter(({ spec, metadata }) => fullName(spec.host, metadata.namespace) === host)
  }

  /** `ns/NAMESPACE/sa/ACCOUNT` of the pods of a Service. */
  accountsOf({ host, subset }: ClusterName): string[] {
    const service = this.serviceOf(host)
    const pods = service ? this.podsOf(service, this.labelsOf(host, subset)) : []
    return [...new Set(pods.map(({ namespace, serviceAccount }) => `ns/${namespace}/sa/${serviceAccount}`))]
  }

  private givenFor(host: string, subset: string): readonly Endpoint[] | undefined {
    const names = [...this.given.keys()]
    const isFor = (name: string, wanted: string) => {
      const [of = '', part = ''] = name.split('/')
      return part === wanted && (of === host || fullName(of, this.namespace) === host)
    }
    const name = names.find((each) => isFor(each, subset)) ?? names.find((each) => isFor(each, ''))
    return name === undefined ? undefined : this.given.get(name)
  }

  private serviceOf(host: string): KnownService | undefined {
    return this.inventory.services.find(({ name, namespace }) => host === `${name}.${namespace}.svc.cluster.local`)
  }

  private labelsOf(host: string, subset: string): Labels {
    const subsets = this.rulesFor(host).flatMap(({ spec }) => spec.subsets ?? [])
    return subsets.find(({ name }) => name === subset)?.labels ?? {}
  }

  private podsOf({ namespace, selector }: KnownService, labels: Labels): KnownPod[] {
    if (!selector) return []
    const wanted = Object.entries({ ...selector, ...labels })
    return this.inventory.pods.filter(
      (pod) => pod.namespace === namespace && wanted.every(([key, value]) => pod.labels[key] === value),
    )
  }

  private addressesOf(service: KnownService, { targetPort }: KnownPort, labels: Labels): Endpoint[] {
    return this.podsOf(service, labels).flatMap(({ addresses, ports }) => {
      const port = typeof targetPort === 'number' ? targetPort : ports[targetPort.toLowerCase()]
      return port === undefined ? [] : addresses.slice(0, 1).map((address) => ({ address, port }))
    })
  }
}

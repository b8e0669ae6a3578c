/** The services that destinations name. */
import type { KnownService } from '../../resources/kubernetes/inventory.ts'
import { nearest } from '../../resources/nearest.ts'
import { fullName } from '../../resources/networking/hosts.ts'
import type { Destination } from '../../resources/networking/virtual-service.ts'

const DOMAIN = 'svc.cluster.local'

export class Registry {
  readonly #services = new Map<string, KnownService>()

  constructor(
    services: readonly KnownService[],
    /** Of the listener that requests leave by; a destination without a port is at the same one. */
    private readonly port: number | undefined,
  ) {
    for (const service of services) this.#services.set(`${service.name}.${service.namespace}.${DOMAIN}`, service)
  }

  /**
   * The domains by which a proxy in `namespace` knows a host, as istiod writes them: of a Service its names of all lengths and
   * its addresses, of others just the host.
   */
  domainsOf(host: string, owner: string, namespace: string): string[] {
    const full = fullName(host, owner)
    if (!full.endsWith(`.${DOMAIN}`)) return [full]
    const [name, of] = full.split('.') as [string, string]
    const short = of === namespace ? [name] : []
    const addresses = this.#services.get(full)?.addresses ?? []
    return [full, ...short, `${name}.${of}`, `${name}.${of}.svc`, ...addresses]
  }

  /** The ports of a Service; undefined where it is not in the input. */
  portsOf(full: string): number[] | undefined {
    return this.#services.get(full)?.ports.map(({ port }) => port)
  }

  /** What is wrong with the name of a Service that the input lacks, where it has others of the namespace. */
  missing(full: string): { message: string; hint: string } | undefined {
    if (this.#services.has(full)) return undefined
    const [name, namespace] = full.split('.') as [string, string]
    const names = [...this.#services.values()].filter((each) => each.namespace === namespace).map(({ name }) => name)
    if (!names.length) return undefined
    const near = nearest(name, names)
    const hint = near ? `did you mean ${near}?` : 'add it to the input'
    return { message: `the input has no Service ${namespace}/${name}`, hint }
  }

  /** The port that requests for a Service go to; undefined where it is not known, or none of its own. */
  portOf(full: string): number | undefined {
    const ports = this.portsOf(full)
    if (!ports || (this.port !== undefined && ports.includes(this.port))) return this.port
    return ports.length === 1 ? ports[0] : undefined
  }

  /** Envoy's name of a Service's cluster, as istiod gives it. */
  clusterName(full: string, port: number): string {
    return `outbound|${port}||${full}`
  }

  /** Envoy's name of a destination's cluster, as istiod gives it; undefined where its port is not known. */
  clusterOf({ host, subset = '', port }: Destination, owner: string): string | undefined {
    const full = fullName(host, owner)
    const ports = this.#services.get(full)?.ports ?? []
    const number = port?.number ?? (ports.length === 1 ? ports[0]!.port : this.port)
    return number === undefined ? undefined : `outbound|${number}|${subset}|${full}`
  }
}

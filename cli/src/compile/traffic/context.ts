/** What every family of routes takes. */
import { Diagnostics } from '../../resources/diagnostics.ts'
import { Inventory } from '../../resources/kubernetes/inventory.ts'
import type { Path } from '../../resources/nodes.ts'
import { parseResources, type ParseOptions } from '../../resources/parse.ts'
import type { Resource } from '../../resources/resource.ts'
import type { Source } from '../../resources/source.ts'
import type { ObjectName, Workload } from '../workload.ts'
import type { RouteConfig, VirtualHostConfig } from './model.ts'
import { Registry } from './registry.ts'

export interface TrafficOptions extends ParseOptions {
  workload: Workload
  /** The Gateway whose proxy it is: its routes are compiled in place of those for the workload's own requests. */
  gateway?: ObjectName
  /** The port that requests leave by, or of the Gateway: matches by port, and destinations without one. */
  port?: number
  /** Default: a new one; it is in the result. */
  diagnostics?: Diagnostics
}

export interface TrafficContext {
  resources: readonly Resource[]
  workload: Workload
  gateway?: ObjectName
  /** The port that requests leave by. */
  port: number | undefined
  registry: Registry
  hosts: Hosts
  diagnostics: Diagnostics
}

/** Reads the texts. */
export function contextOf(sources: readonly Source[], options: TrafficOptions): TrafficContext {
  const { workload, gateway, port, diagnostics = new Diagnostics() } = options
  const about = gateway ? (['traffic', 'gateways'] as const) : ('traffic' as const)
  const resources = parseResources(sources, diagnostics, { ...options, about })
  const registry = new Registry(new Inventory(resources).services, port)
  const hosts = new Hosts(diagnostics)
  return { resources, workload, ...(gateway && { gateway }), port, registry, hosts, diagnostics }
}

/** Says that nothing is for these requests. */
export function warnNone({ diagnostics, workload, gateway }: TrafficContext, what: string): void {
  const details = gateway && { hint: 'compare --gateway with gateways of VirtualServices and parentRefs of routes' }
  diagnostics.add('warning', 'MS1402', `${what} ${whoIn({ workload, ...(gateway && { gateway }) })}`, details)
}

/** Whose requests are compiled for. */
const whoIn = ({ workload, gateway }: Pick<TrafficOptions, 'workload' | 'gateway'>): string =>
  gateway
    ? `requests to the Gateway ${gateway.namespace}/${gateway.name}`
    : `requests of ${workload.namespace}/${workload.name}`

/** Compiles the resources of one family, for requests that the workload makes. */
export type CompileRoutes = (context: TrafficContext) => VirtualHostConfig<RouteConfig>[]

/** Who routes which host. */
export class Hosts {
  readonly #owners = new Map<string, Resource>()
  readonly #joined = new Set<Resource>()

  constructor(private readonly diagnostics: Diagnostics) {}

  /** The resource that routes a host, by its full name. */
  ownerOf(host: string): Resource | undefined {
    return this.#owners.get(host)
  }

  /** Says that a resource is a part of what its host's owner has been compiled to. */
  join(resource: Resource): void {
    this.#joined.add(resource)
  }

  /**
   * Whether a resource may route a host. Of two of one kind the first counts, as in Istio; of most two kinds no mesh says which one
   * counts, so that these are an error.
   */
  claim(host: string, resource: Resource, path: Path): boolean {
    const earlier = this.#owners.get(host)
    if (!earlier) {
      this.#owners.set(host, resource)
      return true
    }
    if (earlier === resource) return true
    if (this.#joined.has(resource)) return false
    const isSameKind = earlier.kind === resource.kind && earlier.group === resource.group
    // That is said by Linkerd.
    const isProfiled = earlier.kind === 'ServiceProfile' && /^(HTTP|GRPC)Route$/.test(resource.kind)
    if (isSameKind || isProfiled) {
      const message = `ignored: ${earlier.title} is for ${host} too, and ${isProfiled ? 'a profile comes first' : 'the first counts'}`
      resource.report(
        this.diagnostics,
        'warning',
        'MS1410',
        path,
        message,
        isProfiled ? 'remove one of them' : 'merge the two',
      )
    } else {
      const message = `${earlier.title} is for ${host} too, and which one counts is not defined`
      const hint = `compile one of them, or let one resource say both`
      resource.report(this.diagnostics, 'error', 'MS1411', path, message, hint)
    }
    return false
  }
}

/** What every family of routes takes. */
import type { Diagnostics } from '../../resources/diagnostics.ts'
import type { Path } from '../../resources/nodes.ts'
import type { Resource } from '../../resources/resource.ts'
import type { Workload } from '../workload.ts'
import type { RouteConfig, VirtualHostConfig } from './model.ts'
import type { Registry } from './registry.ts'

export interface TrafficContext {
  resources: readonly Resource[]
  workload: Workload
  /** The port that requests leave by. */
  port: number | undefined
  registry: Registry
  hosts: Hosts
  diagnostics: Diagnostics
}

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

/** Which routes the listeners of a Gateway of the Gateway API take, and for which hosts. */
import type { ParentRef } from '../../../resources/gateway-api/common.ts'
import type { Gateway, Listener } from '../../../resources/gateway-api/gateway.ts'
import { Inventory } from '../../../resources/kubernetes/inventory.ts'
import { selectsLabels } from '../../../resources/kubernetes/label-selector.ts'
import { nearest } from '../../../resources/nearest.ts'
import type { Path } from '../../../resources/nodes.ts'
import type { Resource } from '../../../resources/resource.ts'
import type { ObjectName } from '../../workload.ts'
import type { TrafficContext } from '../context.ts'
import { intersection } from './hostnames.ts'
import { entriesOfPort, type Entry } from './ports.ts'

interface ListenerEntry extends Entry {
  listener: Listener
}

export class Listeners {
  private readonly inventory: Inventory

  private constructor(
    private readonly context: TrafficContext,
    private readonly gateway: Gateway,
    private readonly entries: readonly ListenerEntry[],
    /** Of the port that is compiled. */
    private readonly chosen: readonly ListenerEntry[],
  ) {
    this.inventory = new Inventory(context.resources)
  }

  /** `missing`: the Gateway is not in the input. Undefined: it has no port that can be compiled, which is reported. */
  static read(context: TrafficContext, { namespace, name }: ObjectName): Listeners | 'missing' | undefined {
    const { resources, diagnostics, port } = context
    const gateway = resources.find(
      ({ group, kind, metadata }) =>
        group === 'gateway.networking.k8s.io' &&
        kind === 'Gateway' &&
        metadata.name === name &&
        metadata.namespace === namespace,
    ) as Gateway | undefined
    if (!gateway) return 'missing'
    const entries = gateway.spec.listeners.map((listener, index): ListenerEntry => {
      const { port, protocol } = listener
      const speaks = protocol === 'HTTP' ? 'http' : protocol === 'HTTPS' ? 'https' : undefined
      return { port, protocol, speaks, path: ['spec', 'listeners', index], listener }
    })
    const chosen = entriesOfPort(gateway, entries, port, diagnostics)
    return chosen && new Listeners(context, gateway, entries, chosen)
  }

  /** The hosts that a route gets through one of its parents; none where no listener takes it, which is reported. */
  hostsOf(route: Resource, hostnames: readonly string[], { sectionName, port }: ParentRef, path: Path): string[] {
    const { diagnostics } = this.context
    const refuse = (at: Path, message: string, hint: string) => {
      route.report(diagnostics, 'warning', 'MS1424', at, message, hint)
      return []
    }
    const { title } = this.gateway
    const named = this.entries.filter(
      ({ listener }) =>
        (sectionName === undefined || listener.name === sectionName) && (port === undefined || listener.port === port),
    )
    if (!named.length) {
      const names = this.entries.map(({ listener }) => listener.name)
      const near = sectionName === undefined ? undefined : nearest(sectionName, names)
      const hint = near ? `did you mean ${near}?` : `its listeners: ${names.join(', ')}`
      return refuse(path, `not attached: the ${title} has no such listener`, hint)
    }
    const open = named.filter(({ speaks, listener }) => speaks !== undefined && this.allows(listener, route))
    if (!open.length) {
      const hint = `write allowedRoutes into the ${title}: it is of the namespace ${route.metadata.namespace}, and of kind ${route.kind}`
      return refuse(path, `not attached: no listener of the ${title} allows it`, hint)
    }
    const own = hostnames.length ? hostnames : ['*']
    const common = (entries: readonly ListenerEntry[]) =>
      intersection(
        entries.map(({ listener }) => listener.hostname ?? '*'),
        own,
      )
    if (!common(open).length) {
      const theirs = open.map(({ listener }) => listener.hostname).join(', ')
      const hint = `the hostnames of the listeners: ${theirs}`
      return refuse(['spec', 'hostnames'], `not attached: no listener of the ${title} takes one of these`, hint)
    }
    return common(open.filter((entry) => this.chosen.includes(entry)))
  }

  private allows({ name, allowedRoutes = {} }: Listener, route: Resource): boolean {
    const { namespaces = {}, kinds = [] } = allowedRoutes
    const isKind = ({ group = route.group, kind }: { group?: string; kind: string }) =>
      group === route.group && kind === route.kind
    if (kinds.length && !kinds.some(isKind)) return false
    const { namespace } = route.metadata
    const { from = 'Same', selector = {} } = namespaces
    if (from !== 'Selector') return from === 'All' || (from === 'Same' && namespace === this.gateway.metadata.namespace)
    const labels = this.inventory.namespaceLabels(namespace)
    if (!labels) {
      const path = ['spec', 'listeners', this.entries.findIndex(({ listener }) => listener.name === name)]
      const message = `whether it selects the namespace ${namespace} is told by its name alone`
      const at = [...path, 'allowedRoutes', 'namespaces', 'selector']
      this.gateway.report(this.context.diagnostics, 'warning', 'MS1321', at, message, 'add the Namespace to the input')
    }
    // Kubernetes gives it to every namespace.
    return selectsLabels(selector, { ...labels, 'kubernetes.io/metadata.name': namespace })
  }
}

/** What the servers of Istio's Gateway take. */
import {
  isPlainHttp,
  isTerminatedHttps,
  type IstioGateway,
  type Server,
} from '../../../resources/networking/gateway.ts'
import type { ObjectName } from '../../workload.ts'
import type { TrafficContext } from '../context.ts'
import { overlap } from './hostnames.ts'
import { entriesOfPort, type Entry } from './ports.ts'

/** A host of a server. */
export interface ServerHost {
  host: string
  /** Whose VirtualServices it takes; undefined: everybody's. */
  namespace: string | undefined
  /** Requests by HTTP are led to HTTPS. */
  redirects: boolean
}

export interface Servers {
  /** Of those that are compiled. */
  port: number
  /** Theirs. */
  hosts: readonly ServerHost[]
  /** Whether a server takes a host, be it on another port. */
  takes: (host: string, namespace: string) => boolean
}

/** `missing`: the Gateway is not in the input. Undefined: it has no port that can be compiled, which is reported. */
export function readServers(context: TrafficContext, { namespace, name }: ObjectName): Servers | 'missing' | undefined {
  const { resources, diagnostics, port } = context
  const gateway = resources.find(
    ({ group, kind, metadata }) =>
      group === 'networking.istio.io' &&
      kind === 'Gateway' &&
      metadata.name === name &&
      metadata.namespace === namespace,
  ) as IstioGateway | undefined
  if (!gateway) return 'missing'
  const entries = (gateway.spec.servers ?? []).map((server, index) => entryOf(server, index))
  const chosen = entriesOfPort(gateway, entries, port, diagnostics)
  if (!chosen) return undefined
  const hostsOf = (some: typeof entries) => some.flatMap(({ server }) => serverHosts(server, namespace))
  const all = hostsOf(entries.filter(({ speaks }) => speaks !== undefined))
  return {
    port: chosen[0]!.port,
    hosts: hostsOf(chosen),
    takes: (host, of) => all.some((each) => isOpenTo(each, of) && overlap(each.host, host)),
  }
}

/** Whether VirtualServices of a namespace may have a server's host. */
export const isOpenTo = (host: ServerHost, namespace: string): boolean =>
  host.namespace === undefined || host.namespace === namespace

function entryOf(server: Server, index: number): Entry & { server: Server } {
  const { number: port, protocol } = server.port
  const speaks = isPlainHttp(server) ? 'http' : isTerminatedHttps(server) ? 'https' : undefined
  return { port, protocol, speaks, path: ['spec', 'servers', index], server }
}

function serverHosts({ hosts, tls }: Server, own: string): ServerHost[] {
  return hosts.map((text) => {
    const slash = text.indexOf('/')
    const named = slash < 0 ? '*' : text.slice(0, slash)
    const namespace = named === '*' ? undefined : named === '.' ? own : named
    return { host: text.slice(slash + 1).toLowerCase(), namespace, redirects: tls?.httpsRedirect === true }
  })
}

/** Which of a gateway's ports is compiled: a listener of Envoy has one. */
import type { Diagnostics } from '../../../resources/diagnostics.ts'
import type { Path } from '../../../resources/nodes.ts'
import type { Resource } from '../../../resources/resource.ts'

/** A server of Istio's Gateway, or a listener of the Gateway API's. */
export interface Entry {
  port: number
  protocol: string
  /** `https`: the gateway ends TLS. Undefined: what comes is not HTTP to it. */
  speaks: 'http' | 'https' | undefined
  /** In the Gateway. */
  path: Path
}

/**
 * The entries of the port that was asked for, or of the only one that speaks HTTP; plain HTTP comes first. Says what is left out;
 * undefined where no port can be said.
 */
export function entriesOfPort<E extends Entry>(
  gateway: Resource,
  entries: readonly E[],
  wanted: number | undefined,
  diagnostics: Diagnostics,
): E[] | undefined {
  const portsOf = (speaks: Entry['speaks']) => [
    ...new Set(entries.flatMap((entry) => (entry.speaks === speaks ? entry.port : []))),
  ]
  const plain = portsOf('http')
  const ports = plain.length ? plain : portsOf('https')
  const all = [...new Set([...plain, ...portsOf('https')])]
  const [first, second] = wanted === undefined ? ports : all.filter((port) => port === wanted)
  const at = entries[0]?.path.slice(0, -1) ?? ['spec']
  if (first === undefined || second !== undefined) {
    const message =
      second !== undefined
        ? `it speaks HTTP on several ports: ${ports.join(', ')}`
        : wanted === undefined
          ? 'it speaks no HTTP'
          : `it speaks no HTTP on port ${wanted}`
    const hint = all.length ? `give --port ${all.join(' or ')}` : 'give a Gateway that takes HTTP'
    gateway.report(diagnostics, 'error', 'MS1221', at, message, hint)
    return undefined
  }
  for (const { port, protocol, speaks, path } of entries) {
    const note = (message: string, hint: string) => gateway.report(diagnostics, 'info', 'MS1425', path, message, hint)
    if (speaks === undefined) note(`not compiled: ${protocol} is not HTTP to the gateway`, 'leave it to another Envoy')
    else if (port !== first) note(`not compiled: port ${port} is another listener`, `compile again with --port ${port}`)
    else if (speaks === 'https')
      note('its TLS is not compiled: only the routes are', 'give the listener its certificates, or end TLS before it')
  }
  return entries.filter(({ port, speaks }) => port === first && speaks !== undefined)
}

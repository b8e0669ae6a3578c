import { ByteString, utf8 } from '@meshscript/sdk'
import { Exchange } from '../exchange'
import { Writer } from '../export/writer'
import { Service } from '../services'
import { Workload } from '../workload'
import { namespaceIn } from './endpoint'

const MAX_TEXT: i32 = 256

/** The service that was asked, as far as the configuration or the cluster tells it. */
export function knownService(exchange: Exchange): Service | null {
  // The cluster of what comes in is the proxy's own affair.
  if (!exchange.isSource && !exchange.hasOwnService) return null
  const service = exchange.service
  return service && service.host.length ? service : null
}

/** The host that was asked for; empty where nothing tells. */
export function serviceHost(exchange: Exchange): ByteString {
  const service = knownService(exchange)
  if (service) return service.host.view
  return exchange.isSource ? hostOf(exchange.authority) : ByteString.empty
}

/** Writes the service of the side that asks. */
export function writeClientService(line: Writer, before: ByteString, exchange: Exchange): void {
  const workload = exchange.isSource ? exchange.own : exchange.peer
  const principal = exchange.isSource ? exchange.ownPrincipal : exchange.peerPrincipal
  write(line, before, serviceOf(workload), namespaceIn(workload, principal))
}

/** Writes the service of the side that is asked. */
export function writeServerService(line: Writer, before: ByteString, exchange: Exchange): void {
  const workload = exchange.isSource ? exchange.peer : exchange.own
  const principal = exchange.isSource ? exchange.peerPrincipal : exchange.ownPrincipal
  const service = knownService(exchange)
  let namespace = namespaceIn(workload, principal)
  if (!service) return write(line, before, serviceOf(workload), namespace)
  if (namespace.isEmpty) namespace = service.namespace.length ? service.namespace.view : namespaceOf(service.host.view)
  write(line, before, service.name.view, namespace)
}

/** `shop` of `cart.shop.svc.cluster.local`; empty of hosts outside the mesh. */
function namespaceOf(host: ByteString): ByteString {
  const first = host.indexOfByte(0x2e)
  const end = first < 0 ? -1 : host.indexOf(utf8('.svc'), first + 1)
  const namespace = host.slice(first + 1, end)
  return end < 0 || namespace.includes(utf8('.')) ? ByteString.empty : namespace
}

/** The service that a workload belongs to. */
function serviceOf(workload: Workload | null): ByteString {
  if (!workload) return ByteString.empty
  return workload.canonicalService.length ? workload.canonicalService.view : workload.app.view
}

function write(line: Writer, before: ByteString, name: ByteString, namespace: ByteString): void {
  if (name.isEmpty) return
  line.raw(before).raw(utf8('{"name":')).string(name, MAX_TEXT)
  if (!namespace.isEmpty) line.raw(utf8(',"namespace":')).string(namespace, MAX_TEXT)
  line.byte(0x7d)
}

/** Without user and port. */
function hostOf(authority: ByteString): ByteString {
  const host = authority.slice(authority.lastIndexOfByte(0x40) + 1)
  if (host.byteAt(0) == 0x5b) return host.slice(1, host.indexOfByte(0x5d))
  const colon = host.indexOfByte(0x3a)
  return colon < 0 ? host : host.slice(0, colon)
}

import { Bytes, ByteString, property, utf8 } from '@meshscript/sdk'
import { writer } from '../export/writer'

/** The node that the proxy runs on, as Istio tells it; else the proxy's own name. */
export function nodeName(): ByteString {
  const node = property.get(utf8('xds\0node\0metadata\0NODE_NAME'))
  return node && !node.isEmpty ? node : property.getOrEmpty(utf8('xds\0node\0id'))
}

/** The pod that Istio says in the name of a sidecar, `sidecar~10.0.0.1~cart-v1-5d9f.shop~shop.svc.cluster.local`; empty in others. */
export function podName(): ByteString {
  const id = property.getOrEmpty(utf8('xds\0node\0id'))
  const first = id.indexOfByte(0x7e)
  const second = first < 0 ? -1 : id.indexOfByte(0x7e, first + 1)
  const third = second < 0 ? -1 : id.indexOfByte(0x7e, second + 1)
  if (third < 0) return ByteString.empty
  const pod = id.slice(second + 1, third)
  // Names of namespaces have no dots, those of pods may have.
  return pod.slice(0, max(0, pod.lastIndexOfByte(0x2e)))
}

/** A JSON string. */
export function quoted(text: ByteString): Bytes {
  return writer().begin().string(text).bytes.persist()
}

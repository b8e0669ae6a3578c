/** What peers say of themselves, as Istio's proxies do. */
import { encodeStruct } from '../../sdk/testing/node/protobuf.ts'

/** The value of `x-envoy-peer-metadata` of a workload that nobody else is, with a label of so many bytes. */
export function peerMetadata(number: number, bytes = 0): string {
  const name = `peer-${number}`
  const LABELS = { app: name, version: 'v1', 'service.istio.io/canonical-name': name + 'x'.repeat(bytes) }
  return encodeStruct({ CLUSTER_ID: 'c', LABELS, NAMESPACE: 'shop', WORKLOAD_NAME: name }).toString('base64')
}

/** What the specs of flow records share. */
import type { Host, HostOptions } from '@meshscript/sdk/testing'
import { expect } from 'vitest'
import filter from '../assembly/index.ts?filter'
import { host, startHost } from '../testing.ts'

const workload = { name: 'cart-v1', namespace: 'shop', app: 'cart', version: 'v1', canonicalService: 'cart' }
/** The configuration of a peer. */
export const front = { name: 'front-v1', namespace: 'web', app: 'front' }

/** How records show the workload of the filter, … */
export const CART = {
  namespace: 'shop',
  labels: [
    'k8s:app=cart',
    'k8s:io.kubernetes.pod.namespace=shop',
    'k8s:service.istio.io/canonical-name=cart',
    'k8s:version=v1',
  ],
  workloads: [{ name: 'cart-v1' }],
}
/** … and that peer. */
export const FRONT = {
  namespace: 'web',
  labels: ['k8s:app=front', 'k8s:io.kubernetes.pod.namespace=web'],
  workloads: [{ name: 'front-v1' }],
}

export interface Line {
  flow: Flow
  node_name: string
  time: string
}
interface Flow {
  [member: string]: unknown
  verdict: string
  l7: { type: string; latency_ns?: string; http: { code?: number; url: string; headers?: object[] } }
  is_reply: boolean
  Summary: string
  trace_context?: { parent: { trace_id: string } }
}

/** The filter with this `flows` in its configuration. */
export const telemetry = (flows: object, configuration: object = {}) => ({
  wasm: filter,
  name: 'telemetry',
  configuration: { version: 1, reporter: 'destination', workload, flows, ...configuration },
})

/** It alone, with records in the log. */
export async function start(flows: object = {}, configuration: object = {}, options: HostOptions = {}): Promise<Host> {
  return startHost({
    ...telemetry({ log: true, ...flows }, configuration),
    // What a client says is kept.
    connectionManager: { generate_request_id: false, use_remote_address: false },
    ...options,
  })
}

/** The records in the log, each of them a line of valid JSON. */
export const lines = () =>
  host.logs
    .filter(({ message }) => message.startsWith('flow '))
    .map(({ message }) => JSON.parse(message.slice(5)) as Line)

/** The only record. */
export function flow(): Flow {
  const found = lines()
  expect(found).toHaveLength(1)
  return found[0]!.flow
}

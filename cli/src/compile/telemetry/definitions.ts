/** All metrics that the ready filters count, with their labels: what bootstrap, dashboard and rules are made from. */
import { STANDARD_METRICS, type StandardMetric } from './metrics.ts'

/** Istio's labels, in Istio's order. */
export const LABELS = [
  'reporter',
  'source_workload',
  'source_canonical_service',
  'source_canonical_revision',
  'source_workload_namespace',
  'source_principal',
  'source_app',
  'source_version',
  'source_cluster',
  'destination_workload',
  'destination_workload_namespace',
  'destination_principal',
  'destination_app',
  'destination_version',
  'destination_service',
  'destination_canonical_service',
  'destination_canonical_revision',
  'destination_service_name',
  'destination_service_namespace',
  'destination_cluster',
  'request_protocol',
  'response_code',
  'grpc_response_status',
  'response_flags',
  'connection_security_policy',
] as const

export interface MetricDefinition {
  name: string
  type: 'counter' | 'histogram'
  help: string
  labels: readonly string[]
}

const counted = {
  REQUEST_COUNT: ['counter', 'HTTP and gRPC requests'],
  REQUEST_DURATION: ['histogram', 'time from the first byte of a request to the last of its response, in milliseconds'],
  REQUEST_SIZE: ['histogram', 'bytes of requests'],
  RESPONSE_SIZE: ['histogram', 'bytes of responses'],
  GRPC_REQUEST_MESSAGES: ['counter', 'messages of gRPC requests'],
  GRPC_RESPONSE_MESSAGES: ['counter', 'messages of gRPC responses'],
  TCP_OPENED_CONNECTIONS: ['counter', 'TCP connections that were opened'],
  TCP_CLOSED_CONNECTIONS: ['counter', 'TCP connections that were closed'],
  TCP_SENT_BYTES: ['counter', 'bytes sent to clients of TCP connections'],
  TCP_RECEIVED_BYTES: ['counter', 'bytes received from clients of TCP connections'],
} as const

const TCP_LABELS = LABELS.filter((label) => label !== 'response_code' && label !== 'grpc_response_status')

/** Istio's, as far as the filter counts them. */
export const STANDARD: readonly MetricDefinition[] = Object.entries(counted).map(([key, [type, help]]) => {
  const labels = key.startsWith('TCP_') ? TCP_LABELS : LABELS
  return { name: STANDARD_METRICS[key as StandardMetric], type, help, labels }
})

/** What the other ready filters count. */
export const OF_FILTERS: readonly MetricDefinition[] = [
  {
    name: 'authorization_requests_total',
    type: 'counter',
    help: 'requests by verdict and by the policy that decided',
    labels: ['verdict', 'policy', 'dry_run'],
  },
  {
    name: 'ratelimit_requests_total',
    type: 'counter',
    help: 'requests that were refused by a rate limit, or would have been',
    labels: ['verdict', 'rule'],
  },
  {
    name: 'fault_requests_total',
    type: 'counter',
    help: 'requests that were delayed, aborted or damaged',
    labels: ['fault', 'route'],
  },
  {
    name: 'telemetry_items_total',
    type: 'counter',
    help: 'spans, flow records and lines of access logs by what has become of them on the way to their receiver',
    labels: ['signal', 'result'],
  },
]

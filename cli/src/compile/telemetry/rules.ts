/** Rules for Prometheus: rates that dashboards ask for, and alerts. */

const REPORTER = 'reporter="destination"'
const BY = 'destination_workload, destination_workload_namespace'
const rate = (metric: string, more = '') => `rate(${metric}{${REPORTER}${more}}[5m])`
const quantile = (q: number) =>
  `histogram_quantile(${q}, sum by (le, ${BY}) (${rate('istio_request_duration_milliseconds_bucket')}))`

const recorded = [
  ['workload:istio_requests:rate5m', `sum by (${BY}) (${rate('istio_requests_total')})`],
  [
    'workload:istio_request_errors:rate5m',
    `sum by (${BY}) (${rate('istio_requests_total', ', response_code=~"5.."')})`,
  ],
  ['workload:istio_request_duration_milliseconds:p50', quantile(0.5)],
  ['workload:istio_request_duration_milliseconds:p90', quantile(0.9)],
  ['workload:istio_request_duration_milliseconds:p99', quantile(0.99)],
] as const

const WORKLOAD = '{{ $labels.destination_workload_namespace }}/{{ $labels.destination_workload }}'

const alerts = [
  {
    alert: 'MeshWorkloadErrors',
    expr: 'workload:istio_request_errors:rate5m / workload:istio_requests:rate5m > 0.05',
    for: '5m',
    severity: 'critical',
    summary: `more than 5 % of the requests to ${WORKLOAD} fail`,
  },
  {
    alert: 'MeshWorkloadSlow',
    expr: 'workload:istio_request_duration_milliseconds:p99 > 1000',
    for: '10m',
    severity: 'warning',
    summary: `one in a hundred requests to ${WORKLOAD} takes more than a second`,
  },
  {
    alert: 'MeshRequestsDenied',
    expr: 'sum by (policy) (rate(authorization_requests_total{verdict="deny", dry_run="false"}[5m])) > 1',
    for: '10m',
    severity: 'warning',
    summary: 'policy {{ $labels.policy }} refuses more than one request a second',
  },
  {
    alert: 'MeshMetricsOverflow',
    expr: 'sum by (__name__) ({__name__=~"istio_.+_total", reporter="overflow"}) > 0',
    for: '0m',
    severity: 'warning',
    summary: '{{ $labels.__name__ }} has too many sets of labels: new ones are counted together',
  },
  {
    alert: 'MeshTelemetryLost',
    expr: 'sum by (signal) (rate(telemetry_items_total{result=~"dropped|rejected"}[5m])) > 0',
    for: '5m',
    severity: 'warning',
    summary: '{{ $labels.signal }} do not get to their receiver: the proxies drop them, or it refuses them',
  },
]

/** A file of rules, as Prometheus takes it. */
export function prometheusRules() {
  return {
    groups: [
      { name: 'meshscript-workloads', rules: recorded.map(([record, expr]) => ({ record, expr })) },
      {
        name: 'meshscript-alerts',
        rules: alerts.map(({ severity, summary, ...alert }) => ({
          ...alert,
          labels: { severity },
          annotations: { summary },
        })),
      },
    ],
  }
}

/** A dashboard for Grafana, made from the metrics' definitions. */
import { OF_FILTERS, STANDARD } from './definitions.ts'

interface Query {
  expr: string
  legend: string
}

interface Panel {
  title: string
  description: string
  unit: string
  queries: Query[]
}

const WORKLOAD = 'destination_workload_namespace=~"$namespace", destination_workload=~"$workload"'
const SELECTED = `reporter=~"$reporter", ${WORKLOAD}`
const quantiles = (metric: string): Query[] =>
  [0.5, 0.9, 0.99].map((q) => ({
    expr: `histogram_quantile(${q}, sum by (le) (rate(${metric}_bucket{${SELECTED}}[$__rate_interval])))`,
    legend: `p${q * 100}`,
  }))
const sum = (metric: string, by: string): Query => ({
  expr: `sum by (${by}) (rate(${metric}{${SELECTED}}[$__rate_interval]))`,
  legend: `{{${by}}}`,
})
const helpOf = (name: string) => [...STANDARD, ...OF_FILTERS].find((metric) => metric.name === name)?.help ?? ''
const capital = (text: string) => `${text[0]!.toUpperCase()}${text.slice(1)}`

function standardPanel(name: string, type: string): Panel {
  const title = name.replace(/^istio_/, '').replace(/_total$/, '').replaceAll('_', ' ') // prettier-ignore
  const isTime = name.endsWith('milliseconds')
  const isBytes = name.includes('bytes')
  const unit = isTime ? 'ms' : isBytes ? (type === 'counter' ? 'Bps' : 'bytes') : 'ops'
  const by = name === 'istio_requests_total' ? 'response_code' : 'destination_workload'
  return {
    title: capital(title),
    description: capital(helpOf(name)),
    unit,
    queries: type === 'histogram' ? quantiles(name) : [sum(name, by)],
  }
}

const isTcp = (name: string) => name.startsWith('istio_tcp_')

const rows: { title: string; panels: Panel[] }[] = [
  {
    title: 'Workload',
    panels: [
      {
        title: 'Success rate',
        description: 'Share of requests that are not answered with a 5xx',
        unit: 'percentunit',
        queries: [
          {
            expr:
              `sum(rate(istio_requests_total{${SELECTED}, response_code!~"5.."}[$__rate_interval])) / ` +
              `sum(rate(istio_requests_total{${SELECTED}}[$__rate_interval]))`,
            legend: 'not 5xx',
          },
        ],
      },
      {
        title: 'Requests by source',
        description: 'Who asks',
        unit: 'ops',
        queries: [sum('istio_requests_total', 'source_workload')],
      },
    ],
  },
  {
    title: 'HTTP and gRPC',
    panels: STANDARD.filter(({ name }) => !isTcp(name)).map(({ name, type }) => standardPanel(name, type)),
  },
  {
    title: 'TCP',
    panels: STANDARD.filter(({ name }) => isTcp(name)).map(({ name, type }) => standardPanel(name, type)),
  },
  {
    title: 'Filters',
    panels: OF_FILTERS.map(({ name, help, labels }) => ({
      title: capital(name.replace(/_total$/, '').replaceAll('_', ' ')),
      description: capital(help),
      unit: 'ops',
      queries: [
        {
          expr: `sum by (${labels.slice(0, 2).join(', ')}) (rate(${name}[$__rate_interval]))`,
          legend: labels.slice(0, 2).map((label) => `{{${label}}}`).join(' '), // prettier-ignore
        },
      ],
    })),
  },
]

const datasource = { type: 'prometheus', uid: '${datasource}' }
const variable = (name: string, query: string) => ({
  name,
  label: capital(name),
  type: 'query',
  datasource,
  query: { query, refId: name },
  refresh: 2,
  multi: true,
  includeAll: true,
  current: { selected: true, text: 'All', value: '$__all' },
  sort: 1,
})

/** The dashboard as Grafana imports it. */
export function grafanaDashboard() {
  const panels: object[] = []
  let y = 0
  let id = 0
  for (const row of rows) {
    panels.push({ id: ++id, type: 'row', title: row.title, collapsed: false, gridPos: { h: 1, w: 24, x: 0, y }, panels: [] }) // prettier-ignore
    y++
    for (const [index, { title, description, unit, queries }] of row.panels.entries()) {
      panels.push({
        id: ++id,
        type: 'timeseries',
        title,
        description,
        datasource,
        gridPos: { h: 8, w: 12, x: (index % 2) * 12, y: y + Math.floor(index / 2) * 8 },
        fieldConfig: { defaults: { unit, min: 0, custom: { fillOpacity: 10 } }, overrides: [] },
        options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi' } },
        targets: queries.map(({ expr, legend }, n) => ({
          refId: String.fromCharCode(65 + n),
          datasource,
          expr,
          legendFormat: legend,
        })),
      })
    }
    y += Math.ceil(row.panels.length / 2) * 8
  }
  return {
    title: 'Meshscript: workloads',
    uid: 'meshscript-workloads',
    tags: ['meshscript', 'istio', 'envoy'],
    schemaVersion: 39,
    version: 1,
    editable: true,
    refresh: '15s',
    time: { from: 'now-30m', to: 'now' },
    templating: {
      list: [
        { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus', current: {} },
        variable('namespace', 'label_values(istio_requests_total, destination_workload_namespace)'),
        variable(
          'workload',
          'label_values(istio_requests_total{destination_workload_namespace=~"$namespace"}, destination_workload)',
        ),
        {
          ...variable('reporter', 'label_values(istio_requests_total, reporter)'),
          current: { selected: true, text: 'destination', value: 'destination' },
          multi: false,
          includeAll: false,
        },
      ],
    },
    panels,
  }
}

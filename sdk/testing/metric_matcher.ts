/** `toHaveMetric`: a stat by its name, or the series of a metric that have certain labels. */
import { type Outcome, result } from './outcome.ts'
import { NodeHost } from './node/host.ts'
import type { Host, MetricValue } from './types.ts'

type Metrics = Record<string, MetricValue>
/** Values by label. */
export type MetricLabels = Record<string, string>

interface Series {
  name: string
  labels: MetricLabels
  value: MetricValue
}

// NAME.LABEL=.=VALUE;.;.LABEL=.=VALUE;.; – as the SDK's metrics and Istio's write them.
const LABEL = /\.(\w+)=\.=(.*?);\.;/g

function parse(stat: string, value: MetricValue): Series {
  const labels = [...stat.matchAll(LABEL)]
  const name = labels.length > 0 ? stat.slice(0, labels[0]!.index) : stat
  return { name, labels: Object.fromEntries(labels.map(([, label, text]) => [label!, text!])), value }
}

/** A stat of exactly this name, or else all series of the metric that have the labels, added up. */
function find(all: Metrics, name: string, labels: MetricLabels): MetricValue | undefined {
  if (Object.keys(labels).length === 0 && Object.hasOwn(all, name)) return all[name]
  const values = seriesOf(all, name).filter((series) =>
    Object.entries(labels).every(([label, text]) => series.labels[label] === text),
  )
  return values.length > 0 ? values.map(({ value }) => value).reduce(add) : undefined
}

const seriesOf = (all: Metrics, name: string) =>
  Object.entries(all).flatMap(([stat, value]) => (stat.startsWith(name) ? [parse(stat, value)] : [])).filter((series) => series.name === name) // prettier-ignore

function add(one: MetricValue, other: MetricValue): MetricValue {
  if (typeof one === 'number') return one + (typeof other === 'number' ? other : other.count)
  if (typeof other === 'number') return one.count + other
  return { count: one.count + other.count, sum: one.sum + other.sum }
}

/** What a value is the sum of, where it is one. */
const sums = (all: Metrics, name: string) => (seriesOf(all, name).length > 1 ? ` of${listed(all, name)}` : '')

function isSame(found: MetricValue, wanted: MetricValue): boolean {
  if (typeof found === 'number') return found === wanted
  return typeof wanted === 'number' ? found.count === wanted : found.count === wanted.count && found.sum === wanted.sum
}

const written = (labels: MetricLabels) =>
  Object.entries(labels)
    .map(([label, text]) => `${label}="${text}"`)
    .join(', ')

/** The series of the metric, a line for each. */
const listed = (all: Metrics, name: string) =>
  seriesOf(all, name)
    .map(({ labels, value }) => `\n  {${written(labels)}} ${JSON.stringify(value)}`)
    .join('')

/** What there is instead: the series of the metric, or the names of all. */
function others(all: Metrics, name: string): string {
  const names = [...new Set(Object.entries(all).map(([stat, value]) => parse(stat, value).name))]
  return `missing among ${listed(all, name) || names.join(', ') || 'no metrics'}`
}

/** The matcher. On a Node host it knows at once. */
export function toHaveMetric(host: Host, name: string, value?: MetricValue, labels: MetricLabels = {}): Outcome {
  const check = (all: Metrics) => {
    const found = find(all, name, labels)
    const pass = found !== undefined && (value === undefined || isSame(found, value))
    const which = Object.keys(labels).length > 0 ? `${name}{${written(labels)}}` : name
    return result(pass, `metric ${which}${value === undefined ? '' : ` = ${JSON.stringify(value)}`}`, () =>
      found === undefined ? others(all, name) : `${JSON.stringify(found)}${sums(all, name)}`,
    )
  }
  return host instanceof NodeHost ? check(host.metricsSync()) : host.metrics().then(check)
}

import { JsonValue } from '@meshscript/sdk'
import { Exchange } from '../exchange'
import { increment, MetricGroup, record } from './group'
import { LABELS } from './labels'
import { Kind, Measure, NAMES } from './measure'
import { MeasureReader } from './measures'

const MAX_SERIES: i64 = 1000
const MILLISECOND: i64 = 1_000_000

/** Istio's standard metrics, those of them that the configuration names. */
@final
export class Metrics {
  private http: MetricGroup

  constructor(
    json: JsonValue,
    private exchange: Exchange,
  ) {
    const maxSeries = <i32>json.get('maxSeries').integer(MAX_SERIES, 1, 100_000)
    const reader = new MeasureReader(exchange.attributes, maxSeries)
    const labels = new StaticArray<i32>(LABELS.length)
    for (let label = 0; label < labels.length; label++) labels[label] = label
    const measures: Measure[] = []
    for (let kind: Kind = 0; kind < NAMES.length; kind++) {
      const measure = json.get(NAMES[kind])
      if (measure.exists) measures.push(reader.read(measure, kind, labels))
    }
    this.http = new MetricGroup(measures, reader.tags, exchange, false, maxSeries)
  }

  /** Counts a request that has ended. */
  report(): void {
    const measures = this.http.measures
    if (!measures.length) return
    const exchange = this.exchange
    exchange.attributes.read()
    const ids = this.http.series().ids
    for (let i = 0; i < measures.length; i++) {
      const id = unchecked(ids[i])
      switch (unchecked(measures[i]).kind) {
        case Kind.Requests: {
          increment(id, 1)
          break
        }
        case Kind.Duration: {
          const duration = exchange.duration
          if (duration >= 0) record(id, duration / MILLISECOND)
          break
        }
        case Kind.RequestSize: {
          record(id, exchange.requestSize)
          break
        }
        default: {
          record(id, exchange.responseSize)
        }
      }
    }
  }
}

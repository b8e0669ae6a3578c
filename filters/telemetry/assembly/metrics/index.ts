import { JsonValue } from '@meshscript/sdk'
import { readDuration } from '../../../common/assembly/duration'
import { Exchange } from '../exchange'
import { increment, MetricGroup, record } from './group'
import { Label, LABELS } from './labels'
import { Kind, Measure, NAMES } from './measure'
import { MeasureReader } from './measures'
import { Usage } from './usage'

const MAX_SERIES: i64 = 1000
/** Milliseconds. */
const INTERVAL: f64 = 5000
const MILLISECOND: i64 = 1_000_000

/** Istio's standard metrics, those of them that the configuration names. */
@final
export class Metrics {
  /** Milliseconds between two reports of a connection. */
  readonly interval: u32
  private http: MetricGroup
  private grpc: MetricGroup
  private tcp: MetricGroup

  constructor(
    json: JsonValue,
    private exchange: Exchange,
  ) {
    const maxSeries = <i32>json.get('maxSeries').integer(MAX_SERIES, 1, 100_000)
    const interval = json.get('reportingInterval')
    const milliseconds = readDuration(interval, INTERVAL)
    if (milliseconds < 1 || milliseconds > 86_400_000) interval.fail('expected from 1ms to 24h')
    this.interval = <u32>milliseconds
    this.http = readGroup(json, exchange, maxSeries, Kind.Requests, Kind.RequestMessages)
    this.grpc = readGroup(json, exchange, maxSeries, Kind.RequestMessages, Kind.TcpOpened)
    this.tcp = readGroup(json, exchange, maxSeries, Kind.TcpOpened, NAMES.length)
  }

  /** Whether messages of gRPC are counted. */
  get hasGrpc(): bool {
    return this.grpc.measures.length > 0
  }

  /** Whether connections are counted. */
  get hasTcp(): bool {
    return this.tcp.measures.length > 0
  }

  /** Counts what a connection has done since the last report, and the connection itself with the first and the last. */
  reportConnection(usage: Usage, isOver: bool): void {
    const measures = this.tcp.measures
    let series = usage.series
    const isNew = !series
    if (!series) {
      this.exchange.begin(null, null)
      usage.series = series = this.tcp.series()
    }
    for (let i = 0; i < measures.length; i++) {
      const id = unchecked(series.ids[i])
      switch (unchecked(measures[i]).kind) {
        case Kind.TcpOpened: {
          if (isNew) increment(id, 1)
          break
        }
        case Kind.TcpClosed: {
          if (isOver) increment(id, 1)
          break
        }
        case Kind.TcpSent: {
          incrementBy(id, usage.sent)
          break
        }
        default: {
          incrementBy(id, usage.received)
        }
      }
    }
    usage.sent = 0
    usage.received = 0
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

  /** Counts the messages of a gRPC request that has ended, after `report`. */
  reportMessages(sent: u64, received: u64): void {
    const measures = this.grpc.measures
    if (!measures.length) return
    const ids = this.grpc.series().ids
    for (let i = 0; i < measures.length; i++)
      incrementBy(unchecked(ids[i]), unchecked(measures[i]).kind == Kind.RequestMessages ? sent : received)
  }
}

/** The metrics from `first` to before `end`. */
function readGroup(json: JsonValue, exchange: Exchange, maxSeries: i32, first: i32, end: i32): MetricGroup {
  const isTcp = first == Kind.TcpOpened
  const reader = new MeasureReader(exchange.attributes, maxSeries)
  const labels: i32[] = []
  for (let label = 0; label < LABELS.length; label++) {
    if (!isTcp || (label != Label.ResponseCode && label != Label.GrpcResponseStatus)) labels.push(label)
  }
  const measures: Measure[] = []
  for (let kind = first; kind < end; kind++) {
    const measure = json.get(NAMES[kind])
    if (measure.exists) measures.push(reader.read(measure, kind, StaticArray.fromArray(labels)))
  }
  return new MetricGroup(measures, reader.tags, exchange, isTcp, maxSeries)
}

/** The host takes 32 bits, and no 0. */
function incrementBy(id: usize, by: u64): void {
  for (; by > u32.MAX_VALUE; by -= u32.MAX_VALUE) increment(id, u32.MAX_VALUE)
  if (by) increment(id, <u32>by)
}

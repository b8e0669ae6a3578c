import { Counter, Histogram } from '@meshscript/sdk'

/** What is measured, in the order of `NAMES`. */
export enum Kind {
  Requests,
  Duration,
  RequestSize,
  ResponseSize,
}

/** Names of the metrics in configurations, by `Kind`. */
export const NAMES: string[] = ['REQUEST_COUNT', 'REQUEST_DURATION', 'REQUEST_SIZE', 'RESPONSE_SIZE']

const STATS: string[] = [
  'istio_requests_total',
  'istio_request_duration_milliseconds',
  'istio_request_bytes',
  'istio_response_bytes',
]

/** A metric that is on. */
@final
export class Measure {
  counter: Counter | null = null
  histogram: Histogram | null = null

  constructor(
    readonly kind: Kind,
    labels: string[],
    /** Places of its labels' values among those of its group. */
    readonly places: StaticArray<i32>,
    maxSeries: i32,
  ) {
    // One series more, for what is beyond.
    if (kind == Kind.Requests) this.counter = new Counter(STATS[kind], labels, maxSeries + 1)
    else this.histogram = new Histogram(STATS[kind], labels, maxSeries + 1)
  }
}

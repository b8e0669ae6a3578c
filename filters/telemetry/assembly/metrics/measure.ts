import { Counter, Histogram } from '@meshscript/sdk'

/** What is measured, in the order of `NAMES`. */
export enum Kind {
  Requests,
  Duration,
  RequestSize,
  ResponseSize,
  RequestMessages,
  ResponseMessages,
  TcpOpened,
  TcpClosed,
  TcpSent,
  TcpReceived,
}

/** Names of the metrics in configurations, by `Kind`. */
export const NAMES: string[] = [
  'REQUEST_COUNT',
  'REQUEST_DURATION',
  'REQUEST_SIZE',
  'RESPONSE_SIZE',
  'GRPC_REQUEST_MESSAGES',
  'GRPC_RESPONSE_MESSAGES',
  'TCP_OPENED_CONNECTIONS',
  'TCP_CLOSED_CONNECTIONS',
  'TCP_SENT_BYTES',
  'TCP_RECEIVED_BYTES',
]

const STATS: string[] = [
  'istio_requests_total',
  'istio_request_duration_milliseconds',
  'istio_request_bytes',
  'istio_response_bytes',
  'istio_request_messages_total',
  'istio_response_messages_total',
  'istio_tcp_connections_opened_total',
  'istio_tcp_connections_closed_total',
  'istio_tcp_sent_bytes_total',
  'istio_tcp_received_bytes_total',
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
    if (kind == Kind.Requests || kind >= Kind.RequestMessages)
      this.counter = new Counter(STATS[kind], labels, maxSeries + 1)
    else this.histogram = new Histogram(STATS[kind], labels, maxSeries + 1)
  }
}

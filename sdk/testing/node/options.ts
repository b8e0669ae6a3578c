/** What the Node host takes besides what all hosts take. */
import type { DynamicMetadata, HostOptions, RequestInit, TraceEntry } from '../types.ts'
import type { TrapFrame } from './trap.ts'

/** What the Node host takes besides what all hosts take. */
export interface NodeHostOptions extends HostOptions {
  /** Attributes by dotted path, e.g. `{ 'source.address': '10.0.0.1:80' }`; they go before what the host knows. */
  properties?: Record<string, unknown>
  /** Virtual time at the start, milliseconds since 1970. Default: now. */
  now?: number
  /** False: no trace is kept, which is faster. Default true. */
  trace?: boolean
}

/** A request to the Node host. */
export interface NodeRequestInit extends RequestInit {
  /** Dynamic metadata of this request; its namespaces go before those of the host. */
  metadata?: DynamicMetadata
  /** Filter state of text that Envoy's own filters leave, e.g. `set_filter_state`: read as `filter_state.KEY`. */
  filterState?: Record<string, string>
  /** Which worker takes the request. Default: one after the other. */
  worker?: number
}

/** A VM that failed. */
export interface HostFailure {
  plugin: string
  /** As Envoy logs it. */
  message: string
  frames: readonly TrapFrame[]
  /** Message and frames, with positions in the sources where the module has a source map. */
  stack: string
}

/** What the low level of a stream does now. */
export interface StreamState {
  /** Why nothing goes on, as one sentence; undefined if no filter holds the stream. */
  held: string | undefined
  /** Callbacks and hostcalls so far. */
  trace: readonly TraceEntry[]
  /** Status that the client has got, if any. */
  status: number | undefined
  /** Bytes of the body that the client has got. */
  body: Buffer
  ended: boolean
}

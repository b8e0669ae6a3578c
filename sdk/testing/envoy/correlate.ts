/** Which of the requests that the upstream got belongs to which request of the client. */
import type { UpstreamRequest } from '../types.ts'
import type { AccessLogEntry } from './accesslog.ts'
import type { RecordedRequest } from './server/record.ts'

/** A request of the client from its start to its end. */
export interface Span {
  /** Another request was under way at some time. */
  overlapped: boolean
}

export class Correlator {
  readonly #open = new Set<Span>()
  #recorded: RecordedRequest[] = []

  /** The client starts a request. */
  begin(): Span {
    // Nobody is left who could claim these, e.g. the second try of a request.
    if (this.#open.size === 0) this.#recorded = []
    for (const other of this.#open) other.overlapped = true
    const span = { overlapped: this.#open.size > 0 }
    this.#open.add(span)
    return span
  }

  /** The upstream got a request. */
  record(recorded: RecordedRequest): void {
    this.#recorded.push(recorded)
  }

  /** True if the upstream got any request in this time. */
  get any(): boolean {
    return this.#recorded.length > 0
  }

  /**
   * The client's request ended: the first request that the upstream got for it. A request alone owns all; among several the
   * request id that Envoy gave it tells, and where a filter took that away, the connection to the upstream.
   */
  end(span: Span, entry: AccessLogEntry | undefined): UpstreamRequest | undefined {
    this.#open.delete(span)
    if (!span.overlapped) return this.#recorded[0]?.request
    if (!entry) return undefined
    const { requestId, upstreamLocal } = entry
    const own = this.#recorded.find(({ request }) => requestId && request.headers.get('x-request-id') === requestId)
    const found = own ?? this.#recorded.find(({ peer }) => peer === upstreamLocal)
    if (found) this.#recorded.splice(this.#recorded.indexOf(found), 1)
    return found?.request
  }
}

/** What filters tell the router about time limits and retries, in headers. */
import type { HeaderMap } from './header_map.ts'

/** Milliseconds for the whole response; 0: no limit. */
const DEFAULT_TIMEOUT = 15_000
/** Between two tries: Envoy takes a random part of this, doubled each time. */
const BACKOFF = 25

const GRPC_STATUS: Record<string, number> = {
  cancelled: 1,
  'deadline-exceeded': 4,
  'resource-exhausted': 8,
  internal: 13,
  unavailable: 14,
}

const CONSUMED = [
  'upstream-rq-timeout-ms',
  'upstream-rq-per-try-timeout-ms',
  'max-retries',
  'retry-on',
  'retry-grpc-on',
  'retriable-status-codes',
  'retriable-header-names',
  'upstream-alt-stat-name',
  'upstream-rq-timeout-alt-response',
  'hedge-on-per-try-timeout',
].map((name) => `x-envoy-${name}`)

export class RetryPolicy {
  readonly timeout: number
  readonly perTryTimeout: number
  /** Tries made so far. */
  tries = 0
  #left: number
  readonly #on: ReadonlySet<string>
  readonly #grpcOn: ReadonlySet<number>
  readonly #statuses: ReadonlySet<number>

  /** Takes the headers that are for the router out of the request, and puts in how long it will wait. */
  constructor(headers: HeaderMap) {
    const list = (name: string) => (headers.get(`x-envoy-${name}`) ?? '').split(',').map((part) => part.trim())
    const number = (name: string) => {
      const text = headers.get(`x-envoy-${name}`)
      return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
    }
    this.timeout = number('upstream-rq-timeout-ms') ?? DEFAULT_TIMEOUT
    const perTry = number('upstream-rq-per-try-timeout-ms') ?? 0
    this.perTryTimeout = this.timeout > 0 && perTry >= this.timeout ? 0 : perTry
    this.#on = new Set(list('retry-on'))
    this.#grpcOn = new Set(list('retry-grpc-on').flatMap((name) => GRPC_STATUS[name] ?? []))
    this.#statuses = new Set(list('retriable-status-codes').map(Number))
    const retries = headers.has('x-envoy-retry-on') || headers.has('x-envoy-retry-grpc-on')
    this.#left = retries ? (number('max-retries') ?? 1) : 0
    for (const name of CONSUMED) headers.remove(name)
    const expected = this.perTryTimeout || this.timeout
    if (expected > 0) headers.set('x-envoy-expected-rq-timeout-ms', String(expected))
  }

  /** Whether a response is to be tried again; if so, that counts as done. `exhausted`: it would be. */
  afterResponse(response: HeaderMap): 'retry' | 'exhausted' | 'final' {
    const status = Number(response.get(':status'))
    const grpc = response.get('grpc-status')
    const wanted =
      (this.#on.has('5xx') && status >= 500) ||
      (this.#on.has('gateway-error') && status >= 502 && status <= 504) ||
      (this.#on.has('retriable-4xx') && status === 409) ||
      (this.#on.has('retriable-status-codes') && this.#statuses.has(status)) ||
      (grpc !== undefined && this.#grpcOn.has(Number(grpc)))
    return this.#decide(wanted)
  }

  /** The same for a connection that broke, or was never made. */
  afterReset(connected: boolean): 'retry' | 'exhausted' | 'final' {
    const any = ['5xx', 'gateway-error', 'reset', 'reset-before-request'].some((name) => this.#on.has(name))
    return this.#decide(any || (!connected && this.#on.has('connect-failure')))
  }

  get backoff(): number {
    return BACKOFF * 2 ** (this.tries - 1)
  }

  #decide(wanted: boolean): 'retry' | 'exhausted' | 'final' {
    if (!wanted) return 'final'
    return this.#left-- > 0 ? 'retry' : 'exhausted'
  }
}

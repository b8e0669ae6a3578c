/**
 * A header map as Envoy keeps it: names in lower case, pseudo-headers in front, lines in order. Headers that Envoy
 * knows to be single have one line: adding another value extends it.
 */
import type { Pair } from './pairs.ts'

/** Seen on Envoy 1.40: a second line of these is joined to the first. */
const SINGLE = new Set(
  `:authority :method :path :scheme :status :protocol accept accept-encoding authorization cache-control content-type
  content-encoding content-length expect if-match if-none-match if-modified-since if-range if-unmodified-since origin
  pragma referer user-agent te via x-forwarded-for x-forwarded-host x-forwarded-proto x-forwarded-port
  x-forwarded-client-cert x-request-id x-client-trace-id grpc-timeout grpc-status grpc-message
  access-control-request-method access-control-request-headers access-control-request-private-network
  access-control-allow-origin access-control-allow-methods access-control-allow-headers access-control-max-age
  access-control-expose-headers access-control-allow-credentials connection keep-alive proxy-connection
  transfer-encoding upgrade date server location etag vary last-modified expires age x-envoy-upstream-service-time
  x-envoy-expected-rq-timeout-ms x-envoy-internal x-envoy-upstream-rq-timeout-ms x-envoy-max-retries
  x-envoy-retry-on x-envoy-retry-grpc-on x-envoy-original-path`.split(/\s+/),
)
/** Of those, the ones that are single in responses only. */
const REPEATED_IN_REQUESTS = new Set(['date', 'etag', 'server', 'vary', 'location', 'last-modified', 'expires', 'age'])

export type MapKind = 'request' | 'response' | 'trailers'

export class HeaderMap {
  entries: Pair[] = []
  readonly #kind: MapKind

  constructor(kind: MapKind, pairs: Iterable<readonly [string, string]> = []) {
    this.#kind = kind
    for (const [name, value] of pairs) this.add(name, value)
  }

  get size(): number {
    return this.entries.length
  }

  /** Bytes of all names and values. */
  get byteSize(): number {
    let size = 0
    for (const [name, value] of this.entries) size += name.length + value.length
    return size
  }

  /** First value. */
  get(name: string): string | undefined {
    const key = canonical(name)
    for (const entry of this.entries) if (entry[0] === key) return entry[1]
    return undefined
  }

  /** All values, joined by commas. */
  joined(name: string): string | undefined {
    const key = canonical(name)
    const values = this.entries.filter((entry) => entry[0] === key)
    return values.length > 0 ? values.map((entry) => entry[1]).join(',') : undefined
  }

  add(name: string, value: string): void {
    const key = canonical(name)
    if (this.#single(key)) {
      const old = this.entries.find((entry) => entry[0] === key)
      if (old) {
        old[1] += (old[1] !== '' ? ',' : '') + value
        return
      }
    }
    this.#insert(key, value)
  }

  /** Removes all lines and adds one. */
  set(name: string, value: string): void {
    const key = canonical(name)
    this.#remove(key)
    this.#insert(key, value)
  }

  /** As `set`, but an existing line stays where it is. */
  assign(name: string, value: string): void {
    const old = this.entries.find((entry) => entry[0] === name)
    if (old) old[1] = value
    else this.#insert(name, value)
  }

  remove(name: string): void {
    this.#remove(canonical(name))
  }

  replaceAll(pairs: readonly Pair[]): void {
    this.entries = []
    for (const [name, value] of pairs) this.add(name, value)
  }

  has(name: string): boolean {
    return this.get(name) !== undefined
  }

  copy(): HeaderMap {
    const map = new HeaderMap(this.#kind)
    map.entries = this.entries.map(([name, value]) => [name, value])
    return map
  }

  #single(key: string): boolean {
    if (this.#kind === 'trailers') return key === 'grpc-status' || key === 'grpc-message'
    return SINGLE.has(key) && (this.#kind === 'response' || !REPEATED_IN_REQUESTS.has(key))
  }

  #remove(key: string): void {
    if (this.entries.some((entry) => entry[0] === key)) this.entries = this.entries.filter((entry) => entry[0] !== key)
  }

  #insert(key: string, value: string): void {
    if (key.charCodeAt(0) !== 58 /* : */) {
      this.entries.push([key, value])
      return
    }
    const at = this.entries.findIndex((entry) => entry[0].charCodeAt(0) !== 58)
    this.entries.splice(at < 0 ? this.entries.length : at, 0, [key, value])
  }
}

/** Lower case of ASCII only; `host` is another name of `:authority`. */
function canonical(name: string): string {
  const key = /[A-Z]/.test(name) ? name.replace(/[A-Z]/g, (letter) => letter.toLowerCase()) : name
  return key === 'host' ? ':authority' : key
}

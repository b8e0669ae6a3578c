// Timeouts and retries, which Envoy takes from headers of the request.

import { Bytes, ByteString, HeaderMap, JsonValue, Pairs, utf8 } from '@meshscript/sdk'
import { readDuration } from '../../common/assembly/duration'

/** What gRPC answers are retried for has a header of its own. */
const GRPC_CONDITIONS = ['cancelled', 'deadline-exceeded', 'internal', 'resource-exhausted', 'unavailable']

/** The timeout and the retries of a route. Null, or no text, for what Envoy's route says itself. */
@final
export class Resilience {
  private timeout: Bytes | null = null
  private attempts: Bytes | null = null
  private perTryTimeout: Bytes | null = null
  private statusCodes: Bytes | null = null
  private conditions: Bytes | null = null
  private grpcConditions: Bytes | null = null

  /** Null where a route has nothing of it. */
  static read(timeout: JsonValue, retries: JsonValue): Resilience | null {
    if (!timeout.exists && !retries.exists) return null
    const resilience = new Resilience()
    if (timeout.exists) resilience.timeout = milliseconds(timeout)
    if (retries.exists) resilience.readRetries(retries)
    return resilience
  }

  private readRetries(json: JsonValue): void {
    const attempts = json.get('attempts')
    const perTryTimeout = json.get('perTryTimeout')
    const count = attempts.integer(-1, 0, u32.MAX_VALUE)
    // Without conditions nothing is retried.
    const isOff = count == 0
    if (count > 0) this.attempts = Bytes.from(count.toString())
    if (perTryTimeout.exists) this.perTryTimeout = milliseconds(perTryTimeout)
    const conditions = json.get('on')
    if (conditions.exists) {
      const text = conditions.byteString()
      if (!isOff) this.conditions = select(text, false)
      if (!isOff) this.grpcConditions = select(text, true)
    }
    const codes = json.get('statusCodes').optionalArray()
    let list = ByteString.empty
    for (let i = 0; i < codes.length; i++) {
      if (i) list = list.concat(utf8(','))
      list = list.concat(codes[i].integer(-1, 100, 599).toString())
    }
    if (codes.length && !isOff) this.statusCodes = list.persist()
  }

  /** What a client says itself (Envoy lets only trusted ones) comes first, as with native routes. */
  apply(headers: HeaderMap, known: Pairs): void {
    setUnlessKnown(headers, known, utf8('x-envoy-upstream-rq-timeout-ms'), this.timeout)
    setUnlessKnown(headers, known, utf8('x-envoy-max-retries'), this.attempts)
    setUnlessKnown(headers, known, utf8('x-envoy-upstream-rq-per-try-timeout-ms'), this.perTryTimeout)
    setUnlessKnown(headers, known, utf8('x-envoy-retriable-status-codes'), this.statusCodes)
    join(headers, known, utf8('x-envoy-retry-on'), this.conditions)
    const grpc = this.grpcConditions
    if (grpc && isGrpc(known)) join(headers, known, utf8('x-envoy-retry-grpc-on'), grpc)
  }
}

function setUnlessKnown(headers: HeaderMap, known: Pairs, name: ByteString, value: Bytes | null): void {
  if (value && known.indexOf(name) < 0) headers.set(name, value)
}

/** Envoy retries for what either says. */
function join(headers: HeaderMap, known: Pairs, name: ByteString, value: Bytes | null): void {
  if (!value) return
  const own = known.get(name)
  headers.set(name, own ? own.concat(utf8(',')).concat(value) : value.view)
}

function isGrpc(headers: Pairs): bool {
  const type = headers.get(utf8('content-type'))
  return type !== null && type.startsWith('application/grpc')
}

/** Those conditions of a list that are of gRPC, or the others; null for none. */
function select(list: ByteString, isGrpc: bool): Bytes | null {
  let selected = ByteString.empty
  for (let from = 0; from <= list.length;) {
    let end = list.indexOfByte(0x2c, from)
    if (end < 0) end = list.length
    const condition = list.slice(from, end).trim()
    if (condition.length && isGrpcCondition(condition) == isGrpc) {
      selected = selected.length ? selected.concat(utf8(',')).concat(condition) : condition
    }
    from = end + 1
  }
  return selected.length ? selected.persist() : null
}

function isGrpcCondition(condition: ByteString): bool {
  for (let i = 0; i < GRPC_CONDITIONS.length; i++) if (condition.equals(GRPC_CONDITIONS[i])) return true
  return false
}

/** A duration as these headers have it. */
function milliseconds(json: JsonValue): Bytes {
  const duration = readDuration(json)
  // 0 is no timeout at all.
  const whole = duration > 0 ? max<i64>(<i64>Math.round(duration), 1) : 0
  return Bytes.from(whole.toString())
}

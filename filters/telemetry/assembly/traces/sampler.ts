import { ByteString, HeaderMap, utf8 } from '@meshscript/sdk'
import { random } from '../../../common/assembly/random'
import { isHex, parseHex } from '../hex'
import { uuid } from '../uuid'
import { HeaderReader } from './propagation'

const UUID: i32 = 36
/** Where an x-request-id says why it is traced. */
const REASON: i32 = 14

/** Says of the traces that begin here which are sampled. */
@final
export class Sampler {
  /** Of 10 000. */
  private share: u32

  constructor(
    percent: f64,
    /** By the request's id, as Envoy does: every proxy that sees the id says the same. */
    private usesRequestId: bool,
  ) {
    this.share = <u32>Math.round(percent * 100)
  }

  /** Whether the proxy, or a client that it trusts, demands the trace. */
  isForced(headers: HeaderReader): bool {
    return headers.get(utf8('x-envoy-force-trace')) !== null
  }

  /** Whether this one is sampled. */
  decide(requestId: ByteString | null): bool {
    if (this.usesRequestId && requestId && requestId.length == UUID) {
      // Envoy has decided: sampled, forced, wanted by the client.
      const reason = requestId.byteAt(REASON)
      if (reason == 0x39 || reason == 0x61 || reason == 0x62) return true
      const bits = parseHex(requestId, 0, 8)
      if (isHex) return <u32>(bits % 10_000) < this.share
    }
    return <u32>(random().next() * 10_000) < this.share
  }

  /** Whether the request's id matters. */
  get needsRequestId(): bool {
    return this.usesRequestId
  }
}

/** Gives a request an id, as Envoy does where it has none: a random UUID. */
export function addRequestId(headers: HeaderMap): ByteString {
  const id = uuid()
  headers.set(utf8('x-request-id'), id)
  return id
}

import { ByteString, HeaderMap, utf8 } from '@meshscript/sdk'
import { random } from '../../../common/assembly/random'
import { storeHex, isHex, parseHex } from './hex'
import { HeaderReader } from './propagation'

const UUID: i32 = 36
/** Where an x-request-id says why it is traced. */
const REASON: i32 = 14
const uuid = memory.data(36)

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
  const high = (random().bits() & 0xffffffffffff0fff) | 0x4000
  const low = (random().bits() & 0x3fffffffffffffff) | 0x8000000000000000
  const digits = changetype<usize>(HALVES)
  storeHex(storeHex(digits, high), low)
  let at = uuid
  for (let i: usize = 0; i < 32; i++) {
    if (i == 8 || i == 12 || i == 16 || i == 20) store<u8>(at++, 0x2d)
    store<u8>(at++, load<u8>(digits + i))
  }
  const id = ByteString.at(uuid, UUID)
  headers.set(utf8('x-request-id'), id)
  return id
}

const HALVES = memory.data(32)

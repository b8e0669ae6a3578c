import { BufferType, Status } from './abi/enums'
import { envoy_resolve_dns } from './abi/hostcalls'
import { Buffer } from './body'
import { bundle } from './bundle_hooks'
import { ByteString, slot, view } from './memory/bytes'

/**
 * Asks Envoy (and no other host) to resolve a name; the answer comes to `RootContext.onResolveDns` with the token.
 * 0 when the host refuses.
 */
export function resolveDns<N>(name: N): u32 {
  const n = view(name)
  const token = changetype<usize>(slot())
  if (envoy_resolve_dns(n.ptr, n.length, token) != Status.Ok) return 0
  if (isDefined(MESHSCRIPT_BUNDLE)) bundle.noteQuery(load<u32>(token))
  return load<u32>(token)
}

/** The addresses that `onResolveDns` is about: u32 count │ count × u32 TTL in seconds │ count × (address, 0). */
// @ts-ignore: decorator
@unmanaged
@final
export class DnsResult {
  private bytes: ByteString
  /** Number of addresses; 0 when the name does not resolve. */
  length: i32

  /** Reads the result that the running callback is about. Called by the SDK. */
  static read(): DnsResult {
    const result = changetype<DnsResult>(slot())
    const bytes = Buffer.of(BufferType.ForeignFunctionArguments).read()
    const count = bytes.length >= 4 ? load<u32>(bytes.ptr) : 0
    result.bytes = bytes
    result.length = <u64>count * 5 + 4 <= <u64>bytes.length ? <i32>count : 0
    return result
  }

  /** Seconds that the address at `index` may be used for; 0 outside. */
  ttl(index: i32): u32 {
    return <u32>index < <u32>this.length ? load<u32>(this.bytes.ptr + 4 + index * 4) : 0
  }

  /** The address at `index`, without port as Envoy gives it; empty outside. */
  address(index: i32): ByteString {
    if (<u32>index >= <u32>this.length) return ByteString.empty
    let from = 4 + this.length * 4
    let end = this.bytes.indexOfByte(0, from)
    while (index-- > 0 && end >= 0) {
      from = end + 1
      end = this.bytes.indexOfByte(0, from)
    }
    return end < 0 ? ByteString.empty : this.bytes.slice(from, end)
  }
}

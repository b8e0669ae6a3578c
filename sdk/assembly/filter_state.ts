import { Status } from './abi/enums'
import * as host from './abi/hostcalls'
import { allocate } from './memory/arena'
import { ByteString, slot, utf8, view } from './memory/bytes'

/**
 * Values that live with the stream, for other filters and for access logs: `%FILTER_STATE(wasm.NAME:PLAIN)%`.
 * Names have one segment: what is set under a nested path can't be read back.
 */
export namespace filterState {
  /** Writes `wasm.NAME`. */
  export function set<N, V>(name: N, value: V): Status {
    const n = view(name)
    const v = view(value)
    return host.set_property(n.ptr, n.length, v.ptr, v.length)
  }

  /** Reads `wasm.NAME`, whichever Wasm filter has set it. */
  export function get<N>(name: N): ByteString | null {
    return read(utf8('filter_state\0wasm.'), view(name))
  }

  /** Reads what a native filter has set. */
  export function getNative<K>(key: K): ByteString | null {
    return read(utf8('filter_state\0'), view(key))
  }

  function read(prefix: ByteString, name: ByteString): ByteString | null {
    const path = allocate(prefix.length + name.length)
    if (!path) return null
    memory.copy(path, prefix.ptr, prefix.length)
    memory.copy(path + prefix.length, name.ptr, name.length)
    const value = slot()
    const out = changetype<usize>(value)
    const status = host.get_property(path, prefix.length + name.length, out, out + offsetof<ByteString>('length'))
    return status == Status.Ok ? value : null
  }
}

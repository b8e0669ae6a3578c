import { Status } from './abi/enums'
import * as host from './abi/hostcalls'
import { ByteString, slot, view } from './memory/bytes'

/** A value of shared data with its version. */
// @ts-ignore: decorator
@unmanaged
@final
export class SharedValue {
  /** The value; valid during the callback. */
  value: ByteString
  /** Version for `compareAndSwap`; never 0. */
  cas: u32
}

/**
 * Key-value data that all VMs with the same vm_id share, across worker threads. It lasts as long as one of them does.
 * There is no delete: whoever makes keys from requests bounds their number.
 */
export namespace sharedData {
  /** The value of a key, or null when it was never set. */
  export function get<K>(key: K): SharedValue | null {
    const k = view(key)
    const value = slot()
    const out = changetype<usize>(value)
    // The version goes beside a second view's address: a slot has room for both fields.
    const entry = changetype<SharedValue>(slot())
    entry.value = value
    const status = host.get_shared_data(
      k.ptr,
      k.length,
      out,
      out + offsetof<ByteString>('length'),
      changetype<usize>(entry) + offsetof<SharedValue>('cas'),
    )
    return status == Status.Ok ? entry : null
  }

  /** Sets a key, whatever it holds. */
  export function set<K, V>(key: K, value: V): Status {
    return compareAndSwap(key, value, 0)
  }

  /**
   * Sets a key if its version is still `cas`; `Status.CasMismatch` when another was faster.
   * 0 sets unconditionally. A key that does not exist yet is set with any version.
   */
  export function compareAndSwap<K, V>(key: K, value: V, cas: u32): Status {
    const k = view(key)
    const v = view(value)
    return host.set_shared_data(k.ptr, k.length, v.ptr, v.length, cas)
  }
}

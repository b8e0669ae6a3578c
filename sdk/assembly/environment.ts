import * as host from './abi/hostcalls'
import { allocate } from './memory/arena'
import { ByteString, slot, view } from './memory/bytes'

/** The environment variables that the VM is configured with (`vm_config.environment_variables`; Istio: `vmConfig.env`). */
export namespace environment {
  /** Value of a variable, or null. Reads all of them: do it at configure time. */
  export function get<N>(name: N): ByteString | null {
    const n = view(name)
    const sizes = changetype<usize>(slot())
    if (host.environ_sizes_get(sizes, sizes + 4) != 0) return null
    const count = load<u32>(sizes)
    const entries = allocate(count * 4)
    const data = allocate(load<u32>(sizes, 4))
    if (!entries || !data || host.environ_get(entries, data) != 0) return null
    for (let i: u32 = 0; i < count; i++) {
      // NAME=VALUE, ended by NUL.
      const at = load<usize>(entries + i * 4)
      if (memory.compare(at, n.ptr, n.length) != 0 || load<u8>(at + n.length) != 0x3d) continue
      const start = at + n.length + 1
      let end = start
      while (load<u8>(end)) end++
      return ByteString.at(start, <i32>(end - start))
    }
    return null
  }
}

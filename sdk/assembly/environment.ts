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
    const size = load<u32>(sizes, 4)
    // A variable takes more than one byte; sizes that can't be are not to wrap around.
    if (count > size || size > 1 << 28) return null
    const entries = allocate(count * 4)
    const data = allocate(size)
    if (!entries || !data || host.environ_get(entries, data) != 0) return null
    for (let i: u32 = 0; i < count; i++) {
      // NAME=VALUE, ended by NUL.
      const offset = load<usize>(entries + i * 4) - data
      if (offset >= size) continue
      const variable = ByteString.at(data + offset, <i32>(size - offset))
      if (!variable.startsWith(n) || variable.byteAt(n.length) != 0x3d) continue
      return variable.slice(n.length + 1, variable.indexOfByte(0, n.length))
    }
    return null
  }
}

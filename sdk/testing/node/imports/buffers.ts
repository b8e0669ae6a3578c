/** Bodies, data, messages and configurations. */
import { BUFFER_TYPE_MAX, Status } from '../abi.ts'
import { hostcall } from '../hostcall.ts'

export const buffers = {
  get_buffer_bytes: hostcall(['buffer', 'u32', 'u32'], ['bytes'], (context, type, start, max) => {
    if (type > BUFFER_TYPE_MAX) return Status.BadArgument
    const found = context.buffer(type)
    if (!found) return Status.NotFound
    return [found.bytes.subarray(start, start + max)]
  }),
  get_buffer_status: hostcall(['buffer'], ['u32', 'u32'], (context, type) => {
    if (type > BUFFER_TYPE_MAX) return Status.BadArgument
    const found = context.buffer(type)
    return found ? [found.bytes.length, 0] : Status.NotFound
  }),
  set_buffer_bytes: hostcall(['buffer', 'u32', 'u32', 'bytes'], [], (context, type, start, size, data) => {
    if (type > BUFFER_TYPE_MAX) return Status.BadArgument
    const found = context.buffer(type)
    if (!found) return Status.NotFound
    return found.body?.splice(start, size, data) ? Status.Ok : Status.BadArgument
  }),
}

/** Shared data and queues. */
import { Status } from '../abi.ts'
import { hostcall } from '../hostcall.ts'

export const shared = {
  get_shared_data: hostcall(['text'], ['bytes', 'u32'], (context, key) => {
    const entry = context.host.sharedData.get(context.vm.options.vmId, key)
    return entry ? [entry.value, entry.cas] : Status.NotFound
  }),
  set_shared_data: hostcall(['text', 'text', 'u32'], [], (context, key, value, cas) =>
    context.host.sharedData.set(context.vm.options.vmId, key, value, cas),
  ),
  register_shared_queue: hostcall(['text'], ['u32'], (context, name) => [
    context.host.queues.register(context.vm.options.vmId, name, context.root),
  ]),
  resolve_shared_queue: hostcall(['text', 'text'], ['u32'], (context, vmId, name) => {
    const id = context.host.queues.resolve(vmId || context.vm.options.vmId, name)
    return id === 0 ? Status.NotFound : [id]
  }),
  enqueue_shared_queue: hostcall(['u32', 'bytes'], [], (context, id, data) =>
    context.host.queues.enqueue(id, data) ? Status.Ok : Status.NotFound,
  ),
  dequeue_shared_queue: hostcall(['u32'], ['bytes'], (context, id) => {
    const data = context.host.queues.dequeue(id)
    if (data === undefined) return Status.NotFound
    return data === null ? Status.Empty : [data]
  }),
}

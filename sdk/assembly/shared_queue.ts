import { Status } from './abi/enums'
import * as host from './abi/hostcalls'
import { bundle } from './bundle_hooks'
import { ByteString, slot, view } from './memory/bytes'

/**
 * A queue of messages between VMs. The root context that registers a name gets `onQueueReady(queue.id)`, in its own thread;
 * of several with the same vm_id, the one that registered last. Messages are not bounded: dequeue all of them.
 */
export class SharedQueue {
  private constructor(
    /** The host's number of the queue, as `onQueueReady` names it. */
    readonly id: u32,
  ) {}

  /** Makes the queue, or finds it, and makes this root context its listener. Null when the host refuses. */
  static register<N>(name: N): SharedQueue | null {
    const n = view(name)
    const id = changetype<usize>(slot())
    if (host.register_shared_queue(n.ptr, n.length, id) != Status.Ok) return null
    if (isDefined(MESHSCRIPT_BUNDLE)) bundle.noteQueue(load<u32>(id))
    return new SharedQueue(load<u32>(id))
  }

  /** The queue that a VM with `vmId` has registered; null when there is none yet. */
  static resolve<V, N>(vmId: V, name: N): SharedQueue | null {
    const v = view(vmId)
    const n = view(name)
    const id = changetype<usize>(slot())
    return host.resolve_shared_queue(v.ptr, v.length, n.ptr, n.length, id) == Status.Ok
      ? new SharedQueue(load<u32>(id))
      : null
  }

  /** The queue with a number that the host has told. */
  static of(id: u32): SharedQueue {
    return new SharedQueue(id)
  }

  /** Puts a message at the end. */
  enqueue<T>(message: T): Status {
    const bytes = view(message)
    return host.enqueue_shared_queue(this.id, bytes.ptr, bytes.length)
  }

  /** The oldest message, or null when there is none. */
  dequeue(): ByteString | null {
    const message = slot()
    const out = changetype<usize>(message)
    const status = host.dequeue_shared_queue(this.id, out, out + offsetof<ByteString>('length'))
    return status == Status.Ok ? message : null
  }
}

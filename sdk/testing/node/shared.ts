/** Data and queues that VMs of one VM id share. */
import { Status } from './abi.ts'
import type { Clock } from './clock.ts'
import type { RootContext } from './root_context.ts'

export interface SharedEntry {
  /** Bytes. */
  value: string
  cas: number
}

export class SharedData {
  readonly #byVm = new Map<string, Map<string, SharedEntry>>()
  #cas = 1

  get(vmId: string, key: string): SharedEntry | undefined {
    return this.#byVm.get(vmId)?.get(key)
  }

  /** With a `cas` other than 0, only if that is the entry's. A new key takes any. */
  set(vmId: string, key: string, value: string, cas: number): number {
    let map = this.#byVm.get(vmId)
    if (!map) this.#byVm.set(vmId, (map = new Map<string, SharedEntry>()))
    const old = map.get(key)
    if (old && cas !== 0 && cas !== old.cas) return Status.CasMismatch
    map.set(key, { value, cas: this.#cas++ })
    return Status.Ok
  }

  entries(vmId: string): ReadonlyMap<string, SharedEntry> {
    return this.#byVm.get(vmId) ?? new Map()
  }
}

interface Queue {
  messages: Buffer[]
  listener: RootContext
}

export class SharedQueues {
  readonly #ids = new Map<string, number>()
  readonly #queues = new Map<number, Queue>()
  readonly #clock: Clock

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** The last one that registers is told of messages; those that wait stay. */
  register(vmId: string, name: string, listener: RootContext): number {
    const key = `${vmId.length}:${vmId}${name}`
    let id = this.#ids.get(key)
    if (id === undefined) this.#ids.set(key, (id = this.#ids.size + 1))
    this.#queues.set(id, { messages: this.#queues.get(id)?.messages ?? [], listener })
    return id
  }

  /** 0: there is none. */
  resolve(vmId: string, name: string): number {
    return this.#ids.get(`${vmId.length}:${vmId}${name}`) ?? 0
  }

  enqueue(id: number, data: Buffer): boolean {
    const queue = this.#queues.get(id)
    if (!queue) return false
    queue.messages.push(data)
    const { listener } = queue
    this.#clock.post(() => {
      if (listener.vm.contexts.has(listener.id)) listener.callback('on_queue_ready', id)
    })
    return true
  }

  /** Undefined: no such queue; null: empty. */
  dequeue(id: number): Buffer | null | undefined {
    const queue = this.#queues.get(id)
    return queue && (queue.messages.shift() ?? null)
  }
}

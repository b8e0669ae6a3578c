import { Status } from '../abi/enums'
import * as host from '../abi/hostcalls'
import { setCallback } from '../abort'
import { Buffer } from '../body'
import { Configuration } from '../configuration'
import { ContextKind, HttpContextBase, httpFactory, RootContext } from '../context'
import { DnsResult } from '../dns'
import { log } from '../log'
import { parts } from './parts'
import { Ticks } from './ticks'

/** The part whose callback runs. */
export let currentRoot: BundleRoot | null = null
export let currentPart: i32 = -1

// @ts-ignore: decorator
@inline
export function enter(root: BundleRoot, part: i32): void {
  currentRoot = root
  currentPart = part
}

/** What a part waits for, by the number that the host names it by. */
class Noted {
  constructor(
    readonly id: u32,
    public part: i32,
    readonly next: Noted | null,
  ) {}
}

/** The plugin of a bundle: the root contexts of its filters, each with its part of the configuration. */
@final
export class BundleRoot extends RootContext {
  /** By part; null for a filter that the configuration has no part for, which is off. */
  readonly roots: StaticArray<RootContext | null> = new StaticArray<RootContext | null>(parts.length)
  readonly ticks: Ticks = new Ticks(parts.length)
  private queues: Noted | null = null
  private queries: Noted | null = null
  /** Parts that still have something to do before the plugin may end. */
  private undone: i32 = 0

  onConfigure(configuration: Configuration): bool {
    const json = configuration.json()
    json.get('$schema').string('')
    const version = json.get('version')
    if (version.integer() != 1) version.fail('expected 1, the version of this format')
    for (let i = 0; i < parts.length; i++) json.get(parts[i].name)
    // Before any filter starts what a misspelt name would leave without the others.
    if (!json.refuseUnknown()) return false
    for (let i = 0; i < parts.length; i++) {
      const value = json.get(parts[i].name)
      if (!value.exists) {
        this.roots[i] = null
        continue
      }
      const accepted = this.configure(i, changetype<Configuration>(value))
      // What an earlier part has read stays valid: nothing of it is released here.
      if (json.hasError) return false
      if (!accepted) {
        log.error(`bundle: ${parts[i].name} does not take its configuration`)
        return false
      }
    }
    return true
  }

  private configure(index: i32, configuration: Configuration): bool {
    enter(this, index)
    let root = this.roots[index]
    if (!root) {
      root = parts[index].makeRoot()
      root.id = this.id
      root.kind = ContextKind.Root
      this.roots[index] = root
      setCallback('onStart')
      if (!root.onStart()) return false
      setCallback('onConfigure')
    }
    return root.onConfigure(configuration)
  }

  onTick(): void {
    const now = this.ticks.begin()
    let isFirst = true
    for (let i = 0; i < parts.length; i++) {
      if (!this.ticks.take(i, now)) continue
      const root = this.roots[i]
      if (!root) continue
      // The one before may have acted on streams.
      if (!isFirst) this.becomeEffective()
      isFirst = false
      enter(this, i)
      root.onTick()
    }
    this.ticks.end(now)
  }

  onQueueReady(queueId: u32): void {
    const noted = find(this.queues, queueId)
    for (let i = 0; i < parts.length; i++) {
      const root = this.roots[i]
      if (!root || (noted && noted.part != i)) continue
      enter(this, i)
      root.onQueueReady(queueId)
    }
  }

  onResolveDns(token: u32, result: DnsResult): void {
    const noted = find(this.queries, token)
    for (let i = 0; i < parts.length; i++) {
      const root = this.roots[i]
      if (!root || (noted && noted.part != i)) continue
      enter(this, i)
      root.onResolveDns(token, result)
    }
    this.queries = without(this.queries, token)
  }

  onForeignFunction(functionId: u32, argumentsSize: u32): void {
    for (let i = 0; i < parts.length; i++) {
      const root = this.roots[i]
      if (root) root.onForeignFunction(functionId, argumentsSize)
    }
  }

  onStatsUpdate(stats: Buffer): void {
    for (let i = 0; i < parts.length; i++) {
      const root = this.roots[i]
      if (root) root.onStatsUpdate(stats)
    }
  }

  onDone(): bool {
    let undone = 0
    for (let i = 0; i < parts.length; i++) {
      const root = this.roots[i]
      if (root && !root.onDone()) undone++
    }
    this.undone = undone
    return !undone
  }

  /** A part that had asked to wait is done. */
  partDone(): Status {
    if (!this.undone) return Status.BadArgument
    return --this.undone ? Status.Ok : host.done()
  }

  onDelete(): void {
    for (let i = 0; i < parts.length; i++) {
      const root = this.roots[i]
      if (!root) continue
      root.isDeleted = true
      root.onDelete()
    }
  }

  noteQueue(id: u32, part: i32): void {
    const known = find(this.queues, id)
    // Of several that register one queue the last one listens, as of several plugins.
    if (known) known.part = part
    else this.queues = new Noted(id, part, this.queues)
  }

  noteQuery(token: u32, part: i32): void {
    this.queries = new Noted(token, part, this.queries)
  }

  createHttpContext(): HttpContextBase | null {
    return httpFactory!()
  }

  indexOf(root: RootContext): i32 {
    for (let i = 0; i < parts.length; i++) if (this.roots[i] === root) return i
    return -1
  }
}

function find(list: Noted | null, id: u32): Noted | null {
  let at = list
  while (at && at.id != id) at = at.next
  return at
}

function without(list: Noted | null, id: u32): Noted | null {
  let rest: Noted | null = null
  for (let at = list; at; at = at.next) if (at.id != id) rest = new Noted(at.id, at.part, rest)
  return rest
}

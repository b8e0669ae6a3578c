/** The record of callbacks and hostcalls. */
import type { TraceEntry } from '../types.ts'

type MutableEntry = { -readonly [K in keyof TraceEntry]: TraceEntry[K] }

/** What a VM tells while it runs. */
export interface TraceSink {
  enter(name: string, contextId: number, args: readonly unknown[]): MutableEntry | undefined
  leave(entry: MutableEntry, result: number | undefined): void
  hostcall(name: string, contextId: number, args: readonly unknown[], result: number | undefined): void
  /** From now on, `list` gets what happens in this context, and in those that belong to no stream. */
  follow(contextId: number, list: TraceEntry[]): void
  unfollow(contextId: number): void
}

/** A host that runs for long keeps the latest. */
const LIMIT = 100_000

export class Trace {
  entries: TraceEntry[] = []

  /** For one VM: ids of contexts are its own. */
  sink(): TraceSink {
    const streams = new Map<number, TraceEntry[]>()
    const add = (entry: TraceEntry) => {
      if (this.entries.length >= LIMIT) this.entries = this.entries.slice(LIMIT / 2)
      this.entries.push(entry)
      const own = streams.get(entry.contextId)
      if (own) own.push(entry)
      else for (const list of streams.values()) list.push(entry)
    }
    return {
      enter(name, contextId, args) {
        // The allocator is called for each answer: it tells nothing.
        if (name === 'malloc') return undefined
        const short = name.replace(/^proxy_/, '')
        const entry: MutableEntry = { name: short, kind: 'callback', contextId, result: undefined, args: args.slice(1) }
        add(entry)
        return entry
      },
      leave(entry, result) {
        entry.result = result === undefined ? undefined : result >>> 0
      },
      hostcall(name, contextId, args, result) {
        const short = name.replace(/^(env\.proxy_|env\.|wasi_\w+\.)/, '')
        add({ name: short, kind: 'hostcall', contextId, result, args })
      },
      follow: (contextId, list) => streams.set(contextId, list),
      unfollow: (contextId) => streams.delete(contextId),
    }
  }
}

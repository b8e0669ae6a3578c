/** Which of the flows that come are printed, and when. */

import type { Flow } from './flow.ts'
import { type FlowRecord, readRecord } from './record.ts'
import type { Timestamp } from './time.ts'

/** How many flows are held at most. */
export const MOST_FLOWS = 1_000_000

/** What is wanted of all flows. */
export interface Wanted {
  matches: (flow: Flow) => boolean
  since?: Timestamp
  until?: Timestamp
  /** So many, then no more. */
  first?: number
  /** The last so many, at the end. */
  last?: number
  /** How many characters of them are held. */
  room: number
}

/** Takes flows, and hands those on that are wanted. */
export class Selection {
  readonly #wanted: Wanted
  readonly #print: (record: FlowRecord) => void
  #printed = 0
  /** Their texts: a text is a fraction of what is read from it. */
  #kept: string[] = []
  #begin = 0
  #characters = 0
  #isHeld: boolean
  /** How many were wanted, and left out since they would have taken too much memory. */
  leftOut = 0

  constructor(wanted: Wanted, print: (record: FlowRecord) => void) {
    this.#wanted = wanted
    this.#print = print
    this.#isHeld = wanted.last !== undefined
  }

  /** No more is wanted. */
  get isDone(): boolean {
    return this.#wanted.first !== undefined && this.#printed >= this.#wanted.first
  }

  /** `text` is what the record was read from. */
  offer(record: FlowRecord, text: string): void {
    if (this.isDone || !this.#isWanted(record)) return
    if (this.#isHeld) this.#hold(text)
    else this.#show(record)
  }

  /** Prints what was held, and from now on all at once. */
  release(): void {
    this.#isHeld = false
    for (const text of this.#kept.slice(this.#begin)) this.#show(readRecord(text)!)
    this.#kept = []
  }

  #isWanted({ flow, time = 0n }: FlowRecord): boolean {
    const { since, until, matches } = this.#wanted
    return (since === undefined || time >= since) && (until === undefined || time <= until) && matches(flow)
  }

  #show(record: FlowRecord): void {
    this.#printed++
    this.#print(record)
  }

  #hold(text: string): void {
    this.#kept.push(text)
    this.#characters += text.length
    while (this.#kept.length - this.#begin > this.#wanted.last!) this.#dropOldest()
    while (this.#characters > this.#wanted.room) {
      this.#dropOldest()
      this.leftOut++
    }
    // Not one by one: that would copy them all each time.
    if (this.#begin > 1024 && this.#begin * 2 > this.#kept.length) {
      this.#kept = this.#kept.slice(this.#begin)
      this.#begin = 0
    }
  }

  #dropOldest(): void {
    this.#characters -= this.#kept[this.#begin]!.length
    this.#kept[this.#begin++] = ''
  }
}

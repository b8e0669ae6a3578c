/**
 * One direction of a stream through its filters, as Envoy's filter manager does it: headers, data and trailers go from
 * filter to filter, any of which may hold them. The names are Envoy's, because the order of the steps is what matters.
 */
import type { Body } from './body.ts'
import type { HeaderMap } from './header_map.ts'

export const HeadersStatus = { Continue: 0, StopIteration: 1, StopAllAndBuffer: 3, StopAllAndWatermark: 4 } as const
export const DataStatus = { Continue: 0, StopAndBuffer: 1, StopAndWatermark: 2, StopNoBuffer: 3 } as const
export const TrailersStatus = { Continue: 0, StopIteration: 1 } as const

/** One filter's part in one direction. Statuses are the numbers above. */
export interface DirectionFilter {
  headers(map: HeaderMap, end: boolean): number
  data(body: Body, end: boolean): number
  trailers(map: HeaderMap): number
}

/** Where it goes after the last filter. */
export interface Terminal {
  headers(map: HeaderMap, end: boolean): void
  data(body: Body, end: boolean): void
  trailers(map: HeaderMap): void
}

export interface DirectionOwner {
  /** True when nothing more shall pass. */
  stopped(): boolean
  /** Called around each filter: a local reply made inside is sent after it. */
  guard<T>(run: () => T): T
  /** A filter buffers more than Envoy's limit. */
  tooLarge(): void
  /** A filter resumed headers from inside its callback, and did not hold them. */
  resumedInside?(): void
}

type Iteration = 'continue' | 'single' | 'all'

export class Slot {
  readonly filter: DirectionFilter
  iteration: Iteration = 'continue'
  headersContinued = false
  iterateFromCurrent = false
  end = false
  /** The last status of each phase, for those who ask why a stream is held. */
  last: { phase: 'headers' | 'body' | 'trailers'; status: number } | undefined

  constructor(filter: DirectionFilter) {
    this.filter = filter
  }
}

/** Envoy's limit for a buffer, per connection. */
const BUFFER_LIMIT = 1 << 20

export class Direction {
  readonly slots: readonly Slot[]
  readonly #terminal: Terminal
  readonly #owner: DirectionOwner
  readonly #makeBody: () => Body
  #headers: HeaderMap | undefined
  #observedEnd = false
  #terminalEnded = false
  #streaming = false
  trailersMap: HeaderMap | undefined
  buffered: Body | undefined

  constructor(filters: readonly DirectionFilter[], terminal: Terminal, owner: DirectionOwner, makeBody: () => Body) {
    this.slots = filters.map((filter) => new Slot(filter))
    this.#terminal = terminal
    this.#owner = owner
    this.#makeBody = makeBody
  }

  /** The filter that holds the stream. */
  get held(): Slot | undefined {
    return this.slots.find((slot) => slot.iteration !== 'continue')
  }

  receiveHeaders(map: HeaderMap, end: boolean): void {
    this.#headers = map
    this.#observedEnd = end
    this.#passHeaders(undefined, end)
  }

  receiveData(body: Body, end: boolean): void {
    this.#observedEnd ||= end
    this.#passData(undefined, body, end)
  }

  receiveTrailers(map: HeaderMap): void {
    this.trailersMap = map
    this.#observedEnd = true
    this.#passTrailers(undefined)
  }

  /** Adds trailers where there were none. */
  addTrailers(map: HeaderMap): HeaderMap {
    return (this.trailersMap ??= map)
  }

  /** A filter takes bytes out of the data that it was just given, to what is already held. */
  hold(body: Body): void {
    this.#bufferData(body)
  }

  resume(slot: Slot): void {
    if (this.#owner.stopped()) return
    if (slot.iteration === 'all') slot.iterateFromCurrent = true
    slot.iteration = 'continue'
    if (!slot.headersContinued) {
      slot.headersContinued = true
      this.#passHeaders(slot, this.#observedEnd && !this.buffered && !this.trailersMap)
    }
    const hadTrailers = this.trailersMap !== undefined
    if (this.buffered) this.#passData(slot, this.buffered, this.#observedEnd && !hadTrailers)
    if (hadTrailers) this.#passTrailers(slot)
    slot.iterateFromCurrent = false
  }

  /** The first filter to call: the one behind, or the same one again if it had held everything. */
  #first(from: Slot | undefined, mayRepeat: boolean): number {
    if (!from) return 0
    const index = this.slots.indexOf(from)
    return mayRepeat && from.iterateFromCurrent ? index : index + 1
  }

  #passHeaders(from: Slot | undefined, end: boolean): void {
    const map = this.#headers!
    for (let i = this.#first(from, false); i < this.slots.length; i++) {
      if (this.#owner.stopped()) return
      const slot = this.slots[i]!
      slot.end = end
      const status = this.#owner.guard(() => slot.filter.headers(map, end))
      slot.last = { phase: 'headers', status }
      if (this.#owner.stopped()) return
      if (status === HeadersStatus.StopIteration) slot.iteration = 'single'
      else if (status === HeadersStatus.StopAllAndBuffer || status === HeadersStatus.StopAllAndWatermark) {
        slot.iteration = 'all'
        this.#streaming = status === HeadersStatus.StopAllAndWatermark
      } else {
        // Resumed from inside the callback: the rest has been done there.
        if (slot.headersContinued) return this.#owner.resumedInside?.()
        slot.headersContinued = true
        continue
      }
      return
    }
    if (this.#owner.stopped()) return
    this.#terminalEnded ||= end
    this.#terminal.headers(map, end)
  }

  #passData(from: Slot | undefined, body: Body, end: boolean): void {
    const hadTrailers = this.trailersMap !== undefined
    let addedBy: Slot | undefined
    let held = false
    for (let i = this.#first(from, true); i < this.slots.length; i++) {
      if (this.#owner.stopped()) return
      const slot = this.slots[i]!
      if (slot.iteration === 'all') return this.#bufferData(body)
      if (slot.end) return
      slot.end = end && !this.trailersMap
      const status = this.#owner.guard(() => slot.filter.data(body, slot.end))
      slot.last = { phase: 'body', status }
      if (this.#owner.stopped()) return
      if (!hadTrailers && this.trailersMap && !addedBy) {
        end = false
        addedBy = slot
      }
      if (!this.#afterData(slot, status, body)) {
        held = true
        break
      }
    }
    if (!held) this.#finish(body, end)
    if (addedBy && !this.#owner.stopped()) this.#passTrailers(addedBy)
  }

  #finish(body: Body, end: boolean): void {
    if (this.#terminalEnded || this.#owner.stopped()) return
    this.#terminalEnded = end && !this.trailersMap
    this.#terminal.data(body, this.#terminalEnded)
  }

  #passTrailers(from: Slot | undefined): void {
    for (let i = this.#first(from, true); i < this.slots.length; i++) {
      if (this.#owner.stopped()) return
      const slot = this.slots[i]!
      if (slot.iteration === 'all') return
      const status = this.#owner.guard(() => slot.filter.trailers(this.trailersMap!))
      slot.last = { phase: 'trailers', status }
      slot.end = true
      if (this.#owner.stopped()) return
      if (status === TrailersStatus.Continue) {
        if (slot.iteration !== 'single') continue
        this.resume(slot)
      } else if (slot.iteration === 'continue') slot.iteration = 'single'
      return
    }
    if (this.#terminalEnded || this.#owner.stopped()) return
    this.#terminalEnded = true
    this.#terminal.trailers(this.trailersMap!)
  }

  /** Answers whether the data goes on to the next filter. */
  #afterData(slot: Slot, status: number, body: Body): boolean {
    if (status === DataStatus.Continue) {
      if (slot.iteration !== 'single') return true
      this.#bufferData(body)
      this.resume(slot)
      return false
    }
    slot.iteration = 'single'
    if (status === DataStatus.StopAndBuffer || status === DataStatus.StopAndWatermark) {
      this.#streaming = status === DataStatus.StopAndWatermark
      this.#bufferData(body)
    } else if (this.#observedEnd && !this.trailersMap) this.buffered ??= this.#makeBody()
    return false
  }

  #bufferData(body: Body): void {
    this.buffered ??= this.#makeBody()
    this.buffered.move(body)
    if (!this.#streaming && this.buffered.length > BUFFER_LIMIT) this.#owner.tooLarge()
  }
}

import { ByteString, CounterSeries, HistogramSeries, log, utf8 } from '@meshscript/sdk'
import { Attribute } from '../attributes'
import { Exchange } from '../exchange'
import { Key } from './key'
import { LABELS, Need, needsOf, valueOf } from './labels'
import { Kind, Measure } from './measure'
import { Series, SeriesTable } from './series'
import { Tag } from './tag'

/** Texts in a key: two principals, an authority. */
const TEXTS: i32 = 3

/** Metrics of requests, or of connections: their labels are found together. */
@final
export class MetricGroup {
  private needs: u32 = Need.Nothing
  private table: SeriesTable
  private key: Key
  private values: StaticArray<usize>
  private overflow: Series | null = null

  constructor(
    readonly measures: Measure[],
    private tags: Tag[],
    private exchange: Exchange,
    private isTcp: bool,
    maxSeries: i32,
  ) {
    this.table = new SeriesTable(maxSeries)
    this.key = new Key(TEXTS + tags.length)
    this.values = new StaticArray<usize>(LABELS.length + tags.length)
    for (let i = 0; i < measures.length; i++) {
      const places = measures[i].places
      for (let n = 0; n < places.length; n++) {
        if (places[n] < LABELS.length) this.needs |= needsOf(places[n], exchange.isSource)
      }
    }
    if (isTcp) this.needs &= ~(Need.Code | Need.Grpc)
    else this.expect()
  }

  /** Tells what every request needs. */
  private expect(): void {
    const attributes = this.exchange.attributes
    if (this.needs & Need.Code) attributes.expect(Attribute.Code)
    if (this.needs & Need.Flags) attributes.expect(Attribute.Flags)
    if (this.needs & Need.Service && !this.exchange.hasOwnService) attributes.expect(Attribute.Authority)
    for (let i = 0; i < this.measures.length; i++) {
      const kind = this.measures[i].kind
      if (kind == Kind.Duration) attributes.expect(Attribute.Duration)
      else if (kind == Kind.RequestSize) attributes.expect(Attribute.RequestSize)
      else if (kind == Kind.ResponseSize) attributes.expect(Attribute.ResponseSize)
    }
  }

  /** The series of the exchange: found by what its labels are made from, so that no label is written where the series is known. */
  series(): Series {
    const exchange = this.exchange
    const needs = this.needs
    const key = this.key
    key.clear()
    if (needs & Need.Code) key.number(exchange.responseCode)
    if (needs & Need.Flags) key.number(exchange.responseFlags)
    if (needs & Need.Grpc) key.number(exchange.grpcStatus)
    if (needs & Need.Principals) {
      key.text(exchange.peerPrincipal)
      key.text(exchange.ownPrincipal)
    }
    if (needs & Need.Peer) {
      const peer = exchange.peer
      key.number(peer ? peer.id : 0)
    }
    if (needs & Need.Service) {
      const service = exchange.service
      key.number(service ? service.number : 0)
      if (!service || service.needsAuthority) key.text(exchange.authority)
    }
    for (let i = 0; i < this.tags.length; i++) key.text(unchecked(this.tags[i]).evaluate(exchange.attributes))
    const hash = key.hash
    const known = this.table.find(hash, key.view)
    if (known) return known
    if (this.table.isFull) return this.overflowing()
    return this.table.add(hash, key.view, this.define(false))
  }

  private overflowing(): Series {
    let overflow = this.overflow
    if (!overflow) {
      log.warn('metrics: too many sets of label values; further ones are counted under labels that are all "overflow"')
      this.overflow = overflow = new Series(0, ByteString.empty.persist(), this.define(true), null)
    }
    return overflow
  }

  private define(isOverflow: bool): StaticArray<usize> {
    const measures = this.measures
    const ids = new StaticArray<usize>(measures.length)
    memory.fill(changetype<usize>(this.values), 0, this.values.length << alignof<usize>())
    for (let i = 0; i < measures.length; i++) {
      const measure = measures[i]
      const values = this.join(measure.places, isOverflow)
      const counter = measure.counter
      ids[i] = counter
        ? changetype<usize>(counter.withAll(values))
        : changetype<usize>(measure.histogram!.withAll(values))
    }
    return ids
  }

  /** Values with NULs between them, as the SDK's metrics take them. */
  private join(places: StaticArray<i32>, isOverflow: bool): ByteString {
    let joined = ByteString.empty
    for (let i = 0; i < places.length; i++) {
      if (i) joined = joined.concat(utf8('\0'))
      joined = joined.concat(isOverflow ? utf8('overflow') : this.valueAt(places[i]))
    }
    return joined
  }

  private valueAt(place: i32): ByteString {
    if (place >= LABELS.length) return this.tags[place - LABELS.length].last
    const known = this.values[place]
    if (known) return changetype<ByteString>(known)
    const value = valueOf(place, this.exchange, this.isTcp)
    this.values[place] = changetype<usize>(value)
    return value
  }
}

/** Adds to the counter that a series has for a metric. */
// @ts-ignore: decorator
@inline
export function increment(id: usize, by: u32): void {
  changetype<CounterSeries>(id).increment(by)
}

/** Adds a sample to the histogram that a series has for a metric. */
// @ts-ignore: decorator
@inline
export function record(id: usize, value: u64): void {
  changetype<HistogramSeries>(id).record(value)
}

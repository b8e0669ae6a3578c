import { Bytes, ByteString } from '@meshscript/sdk'

/** The stats of one set of label values, one for each metric. */
@final
export class Series {
  constructor(
    readonly hash: u64,
    readonly key: Bytes,
    /** What `CounterSeries` and `HistogramSeries` are, as numbers. */
    readonly ids: StaticArray<usize>,
    public next: Series | null,
  ) {}
}

/** The series that are known, by what their labels are made from. */
@final
export class SeriesTable {
  private buckets: StaticArray<Series | null>
  private mask: u32
  private count: i32 = 0

  constructor(private limit: i32) {
    let size: i32 = 64
    while (size < limit) size <<= 1
    this.buckets = new StaticArray<Series | null>(size)
    this.mask = size - 1
  }

  get isFull(): bool {
    return this.count >= this.limit
  }

  find(hash: u64, key: ByteString): Series | null {
    let series = unchecked(this.buckets[(<u32>hash) & this.mask])
    while (series) {
      if (series.hash == hash && series.key.view.equals(key)) return series
      series = series.next
    }
    return null
  }

  add(hash: u64, key: ByteString, ids: StaticArray<usize>): Series {
    const bucket = (<u32>hash) & this.mask
    const series = new Series(hash, key.persist(), ids, unchecked(this.buckets[bucket]))
    unchecked((this.buckets[bucket] = series))
    this.count++
    return series
  }
}

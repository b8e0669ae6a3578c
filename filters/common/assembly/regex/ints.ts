/** A list of integers that grows; cleared and used again, so that reading thousands of patterns leaves little garbage. */
@final
export class Ints {
  data: StaticArray<i32>
  length: i32 = 0

  constructor(capacity: i32) {
    this.data = new StaticArray<i32>(capacity)
  }

  push(value: i32): void {
    if (this.length == this.data.length) this.grow(this.length + 1)
    unchecked((this.data[this.length++] = value))
  }

  pop(): i32 {
    return unchecked(this.data[--this.length])
  }

  // @ts-ignore: decorator
  @inline
  at(index: i32): i32 {
    return unchecked(this.data[index])
  }

  // @ts-ignore: decorator
  @inline
  set(index: i32, value: i32): void {
    unchecked((this.data[index] = value))
  }

  private grow(least: i32): void {
    const data = new StaticArray<i32>(max(least, this.data.length * 2))
    memory.copy(changetype<usize>(data), changetype<usize>(this.data), (<usize>this.length) << 2)
    this.data = data
  }
}

/** Integers of a chunk: 1 << 13. */
const CHUNK_BITS: i32 = 13
const CHUNK_MASK: i32 = (1 << CHUNK_BITS) - 1

/** A list of very many integers that grows without leaving garbage. */
@final
export class LongList {
  length: i32 = 0
  private chunks: StaticArray<i32>[] = []

  push(value: i32): void {
    if (!(this.length & CHUNK_MASK)) this.chunks.push(new StaticArray<i32>(1 << CHUNK_BITS))
    this.set(this.length++, value)
  }

  // @ts-ignore: decorator
  @inline
  at(index: i32): i32 {
    return unchecked(this.chunks[index >> CHUNK_BITS][index & CHUNK_MASK])
  }

  // @ts-ignore: decorator
  @inline
  set(index: i32, value: i32): void {
    unchecked((this.chunks[index >> CHUNK_BITS][index & CHUNK_MASK] = value))
  }

  /** Makes the list shorter. */
  truncate(length: i32): void {
    while (this.chunks.length > (length + CHUNK_MASK) >> CHUNK_BITS) this.chunks.pop()
    this.length = length
  }

  toStaticArray(): StaticArray<i32> {
    const all = new StaticArray<i32>(this.length)
    for (let i = 0; i < this.length; i++) unchecked((all[i] = this.at(i)))
    return all
  }
}

/** Sorts `count` groups of `stride` (1 or 2) integers by their first one: Shell's way, which needs no memory. */
export function sort(data: StaticArray<i32>, from: i32, count: i32, stride: i32): void {
  let gap = 1
  while (gap < count / 3) gap = gap * 3 + 1
  for (; gap > 0; gap /= 3) {
    for (let i = gap; i < count; i++) {
      const first = unchecked(data[from + i * stride])
      const second = unchecked(data[from + i * stride + stride - 1])
      let j = i
      for (; j >= gap && unchecked(data[from + (j - gap) * stride]) > first; j -= gap) {
        unchecked((data[from + j * stride] = data[from + (j - gap) * stride]))
        unchecked((data[from + j * stride + stride - 1] = data[from + (j - gap) * stride + stride - 1]))
      }
      unchecked((data[from + j * stride] = first))
      unchecked((data[from + j * stride + stride - 1] = second))
    }
  }
}

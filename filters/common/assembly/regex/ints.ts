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

  /** A copy that is just large enough. */
  toStaticArray(): StaticArray<i32> {
    return StaticArray.slice(this.data, 0, this.length)
  }

  private grow(least: i32): void {
    const data = new StaticArray<i32>(max(least, this.data.length * 2))
    memory.copy(changetype<usize>(data), changetype<usize>(this.data), (<usize>this.length) << 2)
    this.data = data
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

import { IndexedRule } from './rule_index'

/** Places of the rules in order: by rank, then by id; equal ones stay as they are. Merges runs, so that what is in order already costs little. */
export function sortedOrder<R extends IndexedRule>(rules: R[]): StaticArray<i32> {
  const size = rules.length
  let from = new StaticArray<i32>(size)
  let to = new StaticArray<i32>(size)
  for (let i = 0; i < size; i++) from[i] = i
  for (let width = 1; width < size; width *= 2) {
    for (let start = 0; start < size; start += 2 * width) {
      const middle = min(start + width, size)
      const end = min(start + 2 * width, size)
      let left = start
      let right = middle
      for (let i = start; i < end; i++) {
        const isLeft = left < middle && (right >= end || compare(rules[from[left]], rules[from[right]]) <= 0)
        to[i] = isLeft ? from[left++] : from[right++]
      }
    }
    const swap = from
    from = to
    to = swap
  }
  return from
}

function compare(a: IndexedRule, b: IndexedRule): i32 {
  if (a.rank != b.rank) return a.rank - b.rank
  const x = a.id.view
  const y = b.id.view
  const order = memory.compare(x.ptr, y.ptr, min(x.length, y.length))
  return order ? order : x.length - y.length
}

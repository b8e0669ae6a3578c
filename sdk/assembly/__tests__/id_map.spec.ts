// As a library: asc lets only classes of libraries show the collector what they hold.
import { Identified, IdMap } from '@meshscript/sdk/assembly/memory/id_map'

class Entry extends Identified {
  text: string = ''

  static of(id: u32): Entry {
    const entry = new Entry()
    entry.id = id
    entry.text = 'entry ' + id.toString()
    return entry
  }
}

let state: u32 = 1

/** A number below `limit`; the same ones in every run. */
function random(limit: u32): u32 {
  state = state * 1664525 + 1013904223
  return (state >> 8) % limit
}

/** Entries that nothing but a map refers to. */
const alone = new IdMap()

function fill(): void {
  for (let id: u32 = 1; id <= 20; id++) alone.add(Entry.of(id))
}

describe('the map of ids', () => {
  test('unknown ids answer null', () => {
    const map = new IdMap()
    expect(map.get(1)).toBeNull()
    expect(map.get(0)).toBeNull()
    expect(map.get(u32.MAX_VALUE)).toBeNull()
    map.remove(5)
    map.add(Entry.of(5))
    expect(map.get(5 + 16)).toBeNull('another id of the same slot')
    expect(map.get(5)!.id).toBe(5)
    expect(map.used).toBe(1)
  })

  test('ids at the upper end wrap around', () => {
    const map = new IdMap()
    map.add(Entry.of(15))
    map.add(Entry.of(31))
    map.add(Entry.of(u32.MAX_VALUE))
    map.add(Entry.of(16))
    map.remove(15)
    expect(map.get(31)!.id).toBe(31)
    expect(map.get(u32.MAX_VALUE)!.id).toBe(u32.MAX_VALUE)
    expect(map.get(16)!.id).toBe(16)
    map.remove(u32.MAX_VALUE)
    expect(map.get(16)!.id).toBe(16)
    expect(map.get(31)!.id).toBe(31)
  })

  test('holds what a Map holds, after any additions and removals', () => {
    const map = new IdMap()
    const expected = new Map<u32, Entry>()
    let wrong = 0
    for (let i = 0; i < 20_000; i++) {
      // Few ids at first, so that they meet; then many, so that the map grows.
      const id = 1 + random(i < 10_000 ? 40 : 2000) * (i & 1 ? 16 : 1)
      if (expected.has(id)) {
        map.remove(id)
        expected.delete(id)
      } else {
        const entry = Entry.of(id)
        map.add(entry)
        expected.set(id, entry)
      }
      const probe = 1 + random(40) * 16
      const there: Identified | null = expected.has(probe) ? expected.get(probe) : null
      if (map.get(probe) !== there || <i32>map.used != expected.size) wrong++
    }
    const ids = expected.keys()
    for (let i = 0; i < ids.length; i++) {
      if (map.get(ids[i]) !== <Identified>expected.get(ids[i])) wrong++
    }
    expect(wrong).toBe(0)
  })

  test('retain keeps those that are alive', () => {
    const map = new IdMap()
    for (let id: u32 = 1; id <= 100; id++) map.add(Entry.of(id * 3))
    map.retain((entry) => (entry.id & 1) == 0)
    expect(map.used).toBe(50)
    expect(map.get(3)).toBeNull()
    expect(map.get(6)!.id).toBe(6)
    expect(map.get(300)!.id).toBe(300)
  })

  test('the collector sees the entries', () => {
    __collect()
    fill()
    __collect()
    // Takes the place of whatever was freed.
    for (let i = 0; i < 1000; i++) Entry.of(1000 + i)
    let wrong = 0
    for (let id: u32 = 1; id <= 20; id++) {
      const entry = <Entry>alone.get(id)
      if (entry.id != id || entry.text != 'entry ' + id.toString()) wrong++
    }
    expect(wrong).toBe(0)
  })
})

import { Attribute } from '../rules/dimension'
import { Directory } from '../rules/directory'
import { HeaderAttribute } from './attributes'
import { CurrentRequest } from './request'

/** Which headers of those that rules look at a request has. */
@final
export class HeaderDirectory extends Directory {
  private attributes: HeaderAttribute[] = []
  private places: i32[] = []
  /** By hash of the name: its number plus one. Open addressing, at most half full. */
  private table: StaticArray<i32> = new StaticArray<i32>(32)

  constructor(private request: CurrentRequest) {
    super()
  }

  add(attribute: Attribute, place: i32): bool {
    if (!(attribute instanceof HeaderAttribute)) return false
    this.places.push(place)
    this.attributes.push(<HeaderAttribute>attribute)
    if (this.places.length * 2 > this.table.length) {
      this.table = new StaticArray<i32>(this.table.length * 2)
      for (let i = 0; i < this.places.length; i++) this.enter(i)
    } else this.enter(this.places.length - 1)
    return true
  }

  private enter(number: i32): void {
    const table = this.table
    let slot = this.attributes[number].name.view.hash() & (table.length - 1)
    while (unchecked(table[slot])) slot = (slot + 1) & (table.length - 1)
    unchecked((table[slot] = number + 1))
  }

  find(): i32 {
    const headers = this.request.headers
    const table = this.table
    if (this.found.length < headers.length) this.found = new StaticArray<i32>(headers.length * 2)
    let count = 0
    for (let i = 0; i < headers.length; i++) {
      const name = headers.name(i)
      let slot = name.hash() & (table.length - 1)
      for (let entry = unchecked(table[slot]); entry; entry = unchecked(table[slot])) {
        if (unchecked(this.attributes[entry - 1]).name.view.equals(name)) {
          unchecked((this.found[count++] = unchecked(this.places[entry - 1])))
          break
        }
        slot = (slot + 1) & (table.length - 1)
      }
    }
    return count
  }
}

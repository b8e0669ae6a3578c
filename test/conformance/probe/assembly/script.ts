// What the probe shall do: for each callback a list of operations. The host's configuration carries it in the form
// that `encodeScript` of ../script.ts writes: magic, u32 number of operations, for each its u32 number of
// parts, for each its u32 size and bytes. The first two parts are the callback and the operation, the rest arguments.

const MAGIC: u32 = 0x31425250 // "PRB1"

export class Operation {
  constructor(
    public name: string,
    public args: StaticArray<u8>[],
  ) {}
}

export class Script {
  private sections: Map<string, Operation[]> = new Map()
  /** Ids that operations gave, by the name that the script chose. */
  variables: Map<string, u64> = new Map()
  /** Streams of this script so far. */
  streams: u32 = 0

  /** Null where the bytes are no script. */
  static decode(data: usize, size: usize): Script | null {
    if (size < 8 || load<u32>(data) != MAGIC) return null
    const script = new Script()
    let at = data + 8
    for (let left = load<u32>(data, 4); left > 0; left--) {
      const parts: StaticArray<u8>[] = []
      let count = load<u32>(at)
      at += 4
      for (; count > 0; count--) {
        const length = load<u32>(at)
        const part = new StaticArray<u8>(length)
        memory.copy(changetype<usize>(part), at + 4, length)
        parts.push(part)
        at += 4 + length
      }
      script.add(text(parts[0]), new Operation(text(parts[1]), parts.slice(2)))
    }
    return script
  }

  /** The operations of the `count`th call of a callback in one context, or null when the script does not have the callback. */
  section(callback: string, count: u32): Operation[] | null {
    const numbered = callback + '#' + count.toString()
    if (this.sections.has(numbered)) return this.sections.get(numbered)
    return this.sections.has(callback) ? this.sections.get(callback) : null
  }

  private add(section: string, operation: Operation): void {
    if (this.sections.has(section)) this.sections.get(section).push(operation)
    else this.sections.set(section, [operation])
  }
}

export function text(bytes: StaticArray<u8>): string {
  return String.UTF8.decodeUnsafe(changetype<usize>(bytes), bytes.length)
}

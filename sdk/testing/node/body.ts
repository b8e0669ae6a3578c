/** Bytes under way, as pieces: adding is cheap however many there are. */
export class Body {
  #pieces: Buffer[] = []
  #length = 0

  constructor(data?: Buffer) {
    if (data) this.append(data)
  }

  get length(): number {
    return this.#length
  }

  /** All bytes in one piece, which stay here. */
  get bytes(): Buffer {
    if (this.#pieces.length > 1) this.#pieces = [Buffer.concat(this.#pieces)]
    return this.#pieces[0] ?? EMPTY
  }

  append(data: Buffer): void {
    if (data.length === 0) return
    this.#pieces.push(data)
    this.#length += data.length
  }

  /** Takes all bytes away. */
  take(): Buffer {
    const bytes = this.bytes
    this.#pieces = []
    this.#length = 0
    return bytes
  }

  /** Takes all bytes of another one. */
  move(other: Body): void {
    if (other !== this) this.append(other.take())
  }

  /**
   * What `set_buffer_bytes` may do: at the start, `size` bytes give way to `data`; from the end on, `data` is added.
   * Answers false for anything in the middle.
   */
  splice(start: number, size: number, data: Buffer): boolean {
    if (start === 0) {
      const rest = size === 0 ? this.take() : this.take().subarray(size)
      this.append(data)
      this.append(rest)
      return true
    }
    if (start < this.#length) return false
    this.append(data)
    return true
  }
}

const EMPTY = Buffer.alloc(0)

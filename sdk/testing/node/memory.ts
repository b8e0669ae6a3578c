/** The guest's linear memory. */
export class GuestMemory {
  readonly #memory: WebAssembly.Memory
  #view: Buffer

  constructor(memory: WebAssembly.Memory) {
    this.#memory = memory
    this.#view = Buffer.from(memory.buffer)
  }

  /** All of it, as it is now: growing detaches an older view. */
  get view(): Buffer {
    if (this.#view.buffer !== this.#memory.buffer) this.#view = Buffer.from(this.#memory.buffer)
    return this.#view
  }

  get size(): number {
    return this.#memory.buffer.byteLength
  }

  contains(pointer: number, size: number): boolean {
    return pointer + size <= this.#memory.buffer.byteLength
  }

  /** A copy. Undefined where it is not in memory; so are the others. */
  bytes(pointer: number, size: number): Buffer | undefined {
    return this.contains(pointer, size) ? Buffer.from(this.view.subarray(pointer, pointer + size)) : undefined
  }

  /** A character for each byte. */
  text(pointer: number, size: number): string | undefined {
    return this.contains(pointer, size) ? this.view.toString('latin1', pointer, pointer + size) : undefined
  }

  write(pointer: number, data: Buffer | string): boolean {
    if (!this.contains(pointer, data.length)) return false
    if (typeof data === 'string') this.view.write(data, pointer, 'latin1')
    else data.copy(this.view, pointer)
    return true
  }

  u32(pointer: number): number | undefined {
    return this.contains(pointer, 4) ? this.view.readUInt32LE(pointer) : undefined
  }

  setU32(pointer: number, value: number): boolean {
    if (!this.contains(pointer, 4)) return false
    this.view.writeUInt32LE(value >>> 0, pointer)
    return true
  }

  setU64(pointer: number, value: bigint): boolean {
    if (!this.contains(pointer, 8)) return false
    this.view.writeBigUInt64LE(BigInt.asUintN(64, value), pointer)
    return true
  }
}

/** A module under attack: its memory, with everything checked that it hands out. */

/** What Envoy lets a module have. */
export const MAX_MEMORY = 1 << 30
const LOG_LINES = 40

export interface GuestExports {
  memory: WebAssembly.Memory
  _initialize(): void
  proxy_on_memory_allocate(size: number): number
  [callback: string]: unknown
}

export class Guest {
  private exports: GuestExports | undefined
  /** The last events, for the report of a failure. */
  readonly history: string[] = []
  /** What the host has got from the allocator during the current callback. */
  private blocks: [start: number, end: number][] = []

  attach(instance: WebAssembly.Instance): void {
    this.exports = instance.exports as unknown as GuestExports
  }

  /** Bytes of its memory. */
  get memory(): number {
    return this.exports!.memory.buffer.byteLength
  }

  has(callback: string): boolean {
    return typeof this.exports![callback] === 'function'
  }

  call(callback: string, ...args: number[]): number | undefined {
    this.note(`${callback}(${args.join(', ')})`)
    this.blocks = []
    return (this.exports![callback] as (...args: number[]) => number | undefined)(...args)
  }

  note(event: string): void {
    this.history.push(event)
    if (this.history.length > 2 * LOG_LINES) this.history.splice(0, LOG_LINES)
  }

  /** Bytes that the filter points to. */
  read(at: number, size: number): Buffer {
    const { buffer } = this.exports!.memory
    const from = at >>> 0
    const length = size >>> 0
    if (from + length > buffer.byteLength)
      throw new Error(`the filter points outside of its memory: ${from}, ${length} bytes`)
    return Buffer.from(buffer, from, length)
  }

  /** Where the filter lets `size` bytes be put; 0 when it refuses. */
  allocate(size: number): number {
    const at = this.exports!.proxy_on_memory_allocate(size) >>> 0
    if (!at) return 0
    const end = at + (size >>> 0)
    if (end > this.memory) throw new Error(`the filter gives memory that it does not have: ${at}, ${size >>> 0} bytes`)
    if (size && this.blocks.some(([from, to]) => at < to && end > from))
      throw new Error(`the filter gives memory twice: ${at}, ${size >>> 0} bytes`)
    this.blocks.push([at, end])
    return at
  }

  write(at: number, bytes: Uint8Array): void {
    this.read(at, bytes.length).set(bytes)
  }

  writeU32(at: number, value: number): void {
    this.read(at, 4).writeUInt32LE(value >>> 0)
  }

  writeU64(at: number, value: bigint): void {
    this.read(at, 8).writeBigUInt64LE(BigInt.asUintN(64, value))
  }

  /** Puts bytes where the guest says, and tells it address and size. False when it has no room. */
  give(bytes: Uint8Array, addressOut: number, sizeOut: number): boolean {
    const at = bytes.length ? this.allocate(bytes.length) : 0
    if (bytes.length && !at) return false
    this.write(at, bytes)
    this.writeU32(addressOut, at)
    this.writeU32(sizeOut, bytes.length)
    return true
  }
}

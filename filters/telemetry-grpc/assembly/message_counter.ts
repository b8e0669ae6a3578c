import { Buffer, ByteString } from '@meshscript/sdk'

/** Of a message's head: whether it is compressed, and its length in four bytes. */
const HEAD: i32 = 5
/** Bytes that are read at once: heads of short messages lie close together. */
const WINDOW: u32 = 256

/** Counts messages by their heads; what is in them is not read. */
@final
export class MessageCounter {
  count: u64 = 0
  /** Bytes of the head under way that have come. */
  private seen: i32 = 0
  private length: u32 = 0
  /** Bytes of the message under way that are still to come. */
  private rest: u64 = 0

  /** Takes the next chunk, of `size` bytes. */
  take(chunk: Buffer, size: u32): void {
    let at: u32 = 0
    while (at < size) {
      if (this.rest) {
        const step = <u32>min<u64>(this.rest, size - at)
        this.rest -= step
        at += step
        continue
      }
      const window = chunk.read(at, min(WINDOW, size - at))
      // What can't be read is not counted.
      if (window.isEmpty) return
      at += this.takeHeads(window)
    }
  }

  /** How many bytes were heads, and short messages behind them. */
  private takeHeads(window: ByteString): u32 {
    const length = <u32>window.length
    let at: u32 = 0
    while (at < length) {
      if (this.rest) {
        if (this.rest >= length - at) break
        at += <u32>this.rest
        this.rest = 0
      }
      const byte = load<u8>(window.ptr + at++)
      if (this.seen) this.length = (this.length << 8) | byte
      if (++this.seen < HEAD) continue
      this.count++
      this.rest = this.length
      this.seen = 0
      this.length = 0
    }
    return at
  }
}

import { ByteString } from '@meshscript/sdk'
import { keyedHash } from '../keyed_hash'

/** Bytes of one text that count: values may come from clients. */
export const MAX_TEXT: i32 = 256

/** What the labels of an exchange are made from, one after the other: equal where all of them are. */
@final
export class Key {
  private buffer: StaticArray<u8>
  private at: usize

  /** `texts`: how many at most. */
  constructor(texts: i32) {
    this.buffer = new StaticArray<u8>(64 + (MAX_TEXT + 8) * texts)
    this.at = changetype<usize>(this.buffer)
  }

  /** Forgets what was there. */
  clear(): void {
    this.at = changetype<usize>(this.buffer)
  }

  /** Adds a number. */
  number(value: u64): void {
    store<u64>(this.at, value)
    this.at += 8
  }

  /** Adds a text, or as much of it as counts. */
  text(value: ByteString): void {
    const length = min(value.length, MAX_TEXT)
    store<u32>(this.at, length)
    memory.copy(this.at + 4, value.ptr, length)
    this.at += 4 + length
  }

  get view(): ByteString {
    const start = changetype<usize>(this.buffer)
    return ByteString.at(start, <i32>(this.at - start))
  }

  get hash(): u64 {
    return keyedHash(this.view)
  }
}

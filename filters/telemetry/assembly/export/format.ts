import { ByteString, Headers } from '@meshscript/sdk'

/** How items make up the body of a request to a receiver: by default one behind the other. */
export class BatchFormat {
  constructor(
    /** Of the receiver, where the configuration names none. */
    readonly path: string,
    readonly contentType: string,
    /** Bytes at the end of each item that the last one of a body goes without. */
    readonly separator: i32 = 0,
  ) {}

  /** What comes before `count` items. */
  before(count: i32): ByteString {
    return ByteString.empty
  }

  /** What comes behind them. */
  after(): ByteString {
    return ByteString.empty
  }

  /** Headers that a batch has beside those of every request. */
  addHeaders(headers: Headers, count: i32): void {}
}

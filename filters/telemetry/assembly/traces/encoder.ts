import { Bytes, ByteString } from '@meshscript/sdk'
import { BatchFormat } from '../export/format'
import { Writer } from '../export/writer'
import { SpanRecord } from './record'

/** Writes spans as a kind of receiver wants them. */
export abstract class SpanEncoder extends BatchFormat {
  constructor(
    path: string,
    contentType: string,
    separator: i32,
    /** Whose spans they are. */
    protected service: Bytes,
  ) {
    super(path, contentType, separator)
  }

  /** Writes one span. */
  abstract encode(writer: Writer, record: SpanRecord): void

  /** Writes an attribute of the span under way. */
  abstract text(name: ByteString, value: ByteString): void

  /** Writes an attribute that is a number. */
  abstract number(name: ByteString, value: i64): void
}

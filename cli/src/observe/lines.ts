/** Lines of streams, and the records in them. */

import { isUtf8 } from 'node:buffer'
import { BadLine, type FlowRecord, MAX_LINE, readRecord } from './record.ts'

const EMPTY = Buffer.alloc(0)

/** Splits what comes in pieces. A line that is too long is left out, not kept. */
export class LineSplitter {
  #pieces: Buffer[] = []
  #length = 0

  /** The lines that the piece ends; undefined stands for one that is too long. */
  push(piece: Buffer): (Buffer | undefined)[] {
    const lines: (Buffer | undefined)[] = []
    let start = 0
    for (let end = piece.indexOf(10); end >= 0; end = piece.indexOf(10, start)) {
      this.#keep(piece.subarray(start, end))
      lines.push(this.#take())
      start = end + 1
    }
    this.#keep(piece.subarray(start))
    return lines
  }

  /** The last line, where it has no end. */
  end(): (Buffer | undefined)[] {
    return this.#length ? [this.#take()] : []
  }

  #keep(piece: Buffer): void {
    this.#length += piece.length
    if (this.#length > MAX_LINE) this.#pieces = []
    else if (piece.length) this.#pieces.push(piece)
  }

  #take(): Buffer | undefined {
    if (this.#length === 0) return EMPTY
    const line = this.#length > MAX_LINE ? undefined : Buffer.concat(this.#pieces)
    this.#pieces = []
    this.#length = 0
    return line
  }
}

/** The record in a line and the line's text, if it has one. Throws a BadLine. */
export function readLine(line: Buffer | undefined): { record: FlowRecord; text: string } | undefined {
  if (!line) throw new BadLine(`longer than ${MAX_LINE >> 20} MiB`)
  if (line.length === 0) return undefined
  const text = line.toString('utf8')
  const record = readRecord(text)
  if (!record) return undefined
  if (!isUtf8(line)) throw new BadLine('not valid UTF-8')
  return { record, text }
}

/** Reads one HTTP/1.x response, as strictly as its framing needs. */
import { fromWire, withoutFraming } from '../wire.ts'
import type { WireResponse } from './exchange.ts'

type State = 'head' | 'sized' | 'chunk-size' | 'chunk' | 'trailers' | 'until-close' | 'done'

const LINE_END = Buffer.from('\r\n')
const HEAD_END = Buffer.from('\r\n\r\n')

export class ResponseParser {
  #state: State = 'head'
  #buffer: Buffer = Buffer.alloc(0)
  #left = 0
  readonly #bodyless: boolean
  readonly #response: WireResponse = { status: 0, headers: [], body: Buffer.alloc(0), trailers: [], reset: true }
  readonly #chunks: Buffer[] = []

  /** `bodyless`: the answer to a HEAD request, which has no body whatever its headers say. */
  constructor(bodyless: boolean) {
    this.#bodyless = bodyless
  }

  get complete(): boolean {
    return this.#state === 'done'
  }

  push(data: Buffer): void {
    this.#buffer = this.#buffer.length > 0 ? Buffer.concat([this.#buffer, data]) : data
    while (this.#step());
  }

  /** The peer ended the connection, which is how a body without length ends. */
  end(): void {
    if (this.#state === 'until-close') this.#finish()
  }

  result(): WireResponse {
    return { ...this.#response, body: Buffer.concat(this.#chunks) }
  }

  progress(): string {
    if (this.#response.status === 0) return 'no response headers came'
    return `status ${this.#response.status} and ${Buffer.concat(this.#chunks).length} bytes of the body came`
  }

  /** Handles what is at the front of the buffer; false when it takes more bytes. */
  #step(): boolean {
    switch (this.#state) {
      case 'head':
        return this.#head()
      case 'sized':
      case 'chunk':
      case 'until-close':
        return this.#body()
      case 'chunk-size':
        return this.#chunkSize()
      case 'trailers':
        return this.#trailers()
      case 'done':
        return false
    }
  }

  #head(): boolean {
    const text = this.#until(HEAD_END)
    if (text === undefined) return false
    const [statusLine = '', ...lines] = text.split('\r\n')
    const status = Number(/^HTTP\/\d\.\d (\d{3})/.exec(statusLine)?.[1] ?? 0)
    // 100 and its like announce the response. 101 is one.
    if (status >= 100 && status < 200 && status !== 101) return true
    this.#response.status = status
    const headers = lines.map(parseLine)
    this.#response.headers = [[':status', String(status)], ...withoutFraming(headers)]
    this.#startBody(status, headers)
    return true
  }

  #startBody(status: number, headers: readonly [string, string][]): void {
    const header = (name: string) => headers.find(([key]) => key === name)?.[1]
    const length = header('content-length')
    if (this.#bodyless || status === 101 || status === 204 || status === 304) this.#finish()
    else if (header('transfer-encoding')?.toLowerCase().includes('chunked')) this.#state = 'chunk-size'
    else if (length === undefined) this.#state = 'until-close'
    else {
      this.#left = Number(length)
      this.#state = 'sized'
      if (this.#left === 0) this.#finish()
    }
  }

  #body(): boolean {
    const limit = this.#state === 'until-close' ? this.#buffer.length : this.#left
    const part = this.#buffer.subarray(0, limit)
    if (part.length === 0) return false
    this.#chunks.push(part)
    this.#buffer = this.#buffer.subarray(part.length)
    this.#left -= part.length
    if (this.#state === 'sized' && this.#left === 0) this.#finish()
    if (this.#state === 'chunk' && this.#left === 0) this.#state = 'chunk-size'
    return true
  }

  #chunkSize(): boolean {
    const line = this.#until(LINE_END)
    if (line === undefined) return false
    // The line end after the chunk before.
    if (line === '') return true
    this.#left = parseInt(line, 16)
    this.#state = this.#left === 0 ? 'trailers' : 'chunk'
    return true
  }

  #trailers(): boolean {
    const line = this.#until(LINE_END)
    if (line === undefined) return false
    if (line === '') this.#finish()
    else this.#response.trailers.push(parseLine(line))
    return true
  }

  #finish(): void {
    this.#state = 'done'
    this.#response.reset = false
  }

  /** Takes the text before `end` from the buffer, and `end`. */
  #until(end: Buffer): string | undefined {
    const at = this.#buffer.indexOf(end)
    if (at < 0) return undefined
    const text = this.#buffer.toString('latin1', 0, at)
    this.#buffer = this.#buffer.subarray(at + end.length)
    return text
  }
}

function parseLine(line: string): [string, string] {
  const colon = line.indexOf(':')
  return [line.slice(0, colon).toLowerCase(), fromWire(line.slice(colon + 1).trim())]
}

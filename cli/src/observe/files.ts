/** Reads files and standard input, line by line, and follows files that grow. */

import { open as openFile } from 'node:fs'
import { type FileHandle, open, stat } from 'node:fs/promises'
import { Socket } from 'node:net'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { UserError } from '../errors.ts'
import { LineSplitter } from './lines.ts'

/** Answers a descriptor, which a socket may own. */
const openPipe = promisify(openFile) as (path: string, flags: string) => Promise<number>

/** How often a file is looked at while it is followed, in milliseconds. */
const INTERVAL = 200

/** A line and its number; undefined stands for one that is too long. Answers whether more lines are wanted. */
export type OnLine = (line: Buffer | undefined, number: number) => boolean

/** A file, or `-` for standard input. */
export class Source {
  /** As messages have it. */
  readonly name: string
  readonly #path: string
  readonly #onLine: OnLine
  readonly #buffer = Buffer.alloc(1 << 18)
  #handle: FileHandle | undefined
  #position = 0
  #isSeekable = true
  #splitter = new LineSplitter()
  #line = 0
  #isDone = false

  constructor(name: string, cwd: string, onLine: OnLine) {
    this.name = name === '-' ? 'standard input' : name
    this.#path = name === '-' ? name : resolve(cwd, name)
    this.#onLine = onLine
  }

  /** Reads to the end, or until it is stopped. A last line without an end waits where the file is followed. */
  async read(follow: boolean, signal: AbortSignal | undefined): Promise<void> {
    const stream = this.#path === '-' ? process.stdin : await this.#open()
    if (stream) await this.#readStream(stream, signal)
    else await this.#readFile(signal)
    if (signal?.aborted) return
    if (!follow || stream) this.#take(this.#splitter.end())
  }

  /** Reads on whatever is written, until it is stopped. A file that is replaced or cut off begins anew. */
  async follow(signal: AbortSignal | undefined): Promise<void> {
    while (this.#handle && !this.#isDone && !signal?.aborted) {
      await sleep(INTERVAL, undefined, { signal }).catch(() => undefined)
      await this.#readFile(signal)
      const [mine, now] = [await this.#handle.stat(), await stat(this.#path).catch(() => undefined)]
      if (now && (now.ino !== mine.ino || now.dev !== mine.dev)) {
        await this.#handle.close()
        this.#restart()
        this.#handle = await open(this.#path).catch((error: unknown) => this.#fail(error))
      } else if (mine.size < this.#position) this.#restart()
    }
  }

  async close(): Promise<void> {
    await this.#handle?.close()
    this.#handle = undefined
  }

  /** A pipe is read as a stream: its reads wait, and could not be stopped. */
  async #open(): Promise<Socket | undefined> {
    const stats = await stat(this.#path).catch((error: unknown) => this.#fail(error))
    if (stats.isDirectory()) throw new UserError(`${this.name} is a folder; name its files`, 'OBS003')
    if (stats.isFIFO()) {
      const fd = await openPipe(this.#path, 'r').catch((error: unknown) => this.#fail(error))
      return new Socket({ fd, readable: true, writable: false })
    }
    this.#handle = await open(this.#path).catch((error: unknown) => this.#fail(error))
    this.#isSeekable = stats.isFile()
    return undefined
  }

  #fail(error: unknown): never {
    const { code, message } = error as NodeJS.ErrnoException
    const reason = code === 'ENOENT' ? 'there is no such file' : message
    throw new UserError(`${this.name} cannot be read: ${reason}`, 'OBS003')
  }

  async #readStream(stream: NodeJS.ReadableStream, signal: AbortSignal | undefined): Promise<void> {
    const stop = () => (stream as Socket).destroy()
    signal?.addEventListener('abort', stop)
    try {
      for await (const piece of stream as AsyncIterable<Buffer>) {
        this.#take(this.#splitter.push(piece))
        if (this.#isDone) break
      }
    } catch (error) {
      if (!signal?.aborted) this.#fail(error)
    } finally {
      signal?.removeEventListener('abort', stop)
      stop()
    }
  }

  async #readFile(signal: AbortSignal | undefined): Promise<void> {
    while (!this.#isDone && !signal?.aborted) {
      const { bytesRead } = await this.#handle!.read(
        this.#buffer,
        0,
        this.#buffer.length,
        this.#isSeekable ? this.#position : null,
      )
      if (bytesRead === 0) return
      this.#position += bytesRead
      // The splitter keeps parts of it.
      this.#take(this.#splitter.push(Buffer.from(this.#buffer.subarray(0, bytesRead))))
    }
  }

  #take(lines: Iterable<Buffer | undefined>): void {
    for (const line of lines) {
      if (this.#isDone) return
      this.#isDone = !this.#onLine(line, ++this.#line)
    }
  }

  #restart(): void {
    this.#position = 0
    this.#line = 0
    this.#splitter = new LineSplitter()
  }
}

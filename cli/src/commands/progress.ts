/** Says on a terminal how far something is that takes longer than a second. */
import type { Io } from '../terminal.ts'

const DELAY = 1000
const INTERVAL = 100

export class Progress {
  readonly #io: Io
  readonly #start = performance.now()
  #shown = 0

  constructor(io: Io) {
    this.#io = io
  }

  show(text: string): void {
    const now = performance.now()
    if (!this.#io.stderr.isTTY || now - this.#start < DELAY || now - this.#shown < INTERVAL) return
    this.#shown = now
    this.#io.stderr.write(`\r\x1b[K${text}`)
  }

  clear(): void {
    if (this.#shown > 0) this.#io.stderr.write('\r\x1b[K')
    this.#shown = 0
  }
}

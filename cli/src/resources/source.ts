/** A text with a name, and where in it an offset is. */
export class Source {
  readonly name: string
  readonly text: string
  readonly #lineStarts: number[] = [0]

  constructor(name: string, text: string) {
    this.name = name
    // A byte order mark would shift the columns of the first line.
    this.text = text.startsWith('\uFEFF') ? text.slice(1) : text
    for (let at = this.text.indexOf('\n'); at !== -1; at = this.text.indexOf('\n', at + 1)) {
      this.#lineStarts.push(at + 1)
    }
  }

  /** Line and column, both from 1. */
  position(offset: number): { line: number; column: number } {
    let low = 0
    let high = this.#lineStarts.length - 1
    while (low < high) {
      const middle = (low + high + 1) >> 1
      if (this.#lineStarts[middle]! <= offset) low = middle
      else high = middle - 1
    }
    return { line: low + 1, column: offset - this.#lineStarts[low]! + 1 }
  }

  /** A line's text without its end. */
  line(number: number): string {
    const start = this.#lineStarts[number - 1] ?? this.text.length
    const end = this.#lineStarts[number] ?? this.text.length + 1
    return this.text.slice(start, end - 1).replace(/\r$/, '')
  }
}

/** A part of a source, as offsets. */
export interface Span {
  readonly source: Source
  readonly start: number
  readonly end: number
}

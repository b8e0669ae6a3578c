/** Columns as wide as their widest cell and three spaces; the last one is as it is. */
export class Table {
  readonly #rows: string[][]

  constructor(head: string[]) {
    this.#rows = [head]
  }

  get isEmpty(): boolean {
    return this.#rows.length === 1
  }

  add(row: string[]): void {
    this.#rows.push(row)
  }

  render(): string {
    const widths: number[] = []
    for (const row of this.#rows) {
      for (const [column, cell] of row.slice(0, -1).entries()) {
        widths[column] = Math.max(widths[column] ?? 0, lengthOf(cell))
      }
    }
    const pad = (cell: string, column: number) => {
      const width = widths[column]
      return width === undefined ? cell : cell + ' '.repeat(width + 3 - lengthOf(cell))
    }
    return this.#rows.map((row) => `${row.map(pad).join('')}\n`).join('')
  }
}

/** In characters. */
const lengthOf = (text: string) => [...text].length

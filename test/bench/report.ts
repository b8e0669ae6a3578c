import { type Chart } from './chart.ts'
import { median, quartiles, type Result, type Variant } from './compare.ts'

/** What a benchmark is made of. */
export interface Bench {
  variants(): Promise<{ variants: Variant[]; notes: string[] }>
  /** What must hold; otherwise the command fails. */
  limits: readonly Limit[]
  /** What follows from the figures, in words. */
  conclusions?(results: readonly Result[]): string[]
  chart?(results: readonly Result[]): Chart
}

/** Added time of `name` over that of `other`, at most. */
export interface Limit {
  name: string
  other: string
  limit: number
}

/** A Markdown table, also readable on a terminal. */
export function table(results: readonly Result[]): string {
  const lines = [
    ['filter', 'added µs', 'middle half', 'total µs', 'RSS above'],
    ...results.slice(1).map(({ name, added, total, memory }) => {
      const [low, high] = quartiles(added)
      return [
        name,
        median(added).toFixed(2),
        `${low.toFixed(2)} – ${high.toFixed(2)}`,
        median(total).toFixed(2),
        `${(memory / 1048576).toFixed(1)} MB`,
      ]
    }),
  ]
  const widths = lines[0]!.map((_, i) => Math.max(...lines.map((cells) => cells[i]!.length)))
  const row = (cells: string[]): string => `| ${cells.map((cell, i) => cell.padEnd(widths[i]!)).join(' | ')} |`
  const [head, ...body] = lines
  return [row(head!), row(widths.map((width) => '-'.repeat(width))), ...body.map(row)].join('\n')
}

/** Ratio of the medians of two filters' added time. */
export function ratio(results: readonly Result[], name: string, other: string): number | undefined {
  const a = results.find((result) => result.name === name)
  const b = results.find((result) => result.name === other)
  return a && b && median(a.added) / median(b.added)
}

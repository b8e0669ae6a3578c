import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { codes } from './codes.ts'

const page = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8')

test('docs/errors.md has every code once, with meaning, example and what to do', () => {
  const rows = page.split('\n').filter((line) => line.startsWith('| MS'))
  expect(rows.map((row) => row.split(' ')[1])).toEqual(Object.keys(codes))
  for (const row of rows) {
    // A bar inside of a cell is escaped.
    const cells = row.split(/(?<!\\)\|/).map((cell) => cell.trim())
    expect(cells, row).toHaveLength(6)
    expect(cells.slice(1, 5), row).not.toContain('')
  }
})

test('anchors that a row names are there', () => {
  const headings = [...page.matchAll(/^#+ (.*)$/gm)].map(([, text]) => text!.toLowerCase().replace(/[^\w -]/g, ''))
  const anchors = headings.map((heading) => heading.replaceAll(' ', '-'))
  for (const [, anchor] of page.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(anchor)
})

/** What hostile requests cost by their size: regular expressions that a backtracking matcher would choke on, and paths and headers of up to 64 KB. */

import { join } from 'node:path'
import { type Json, staticFilter } from '../../sdk/testing/envoy/index.ts'
import { type Chart } from './chart.ts'
import { median, type Result, type Variant } from './compare.ts'
import { root } from './paths.ts'
import { type Limit } from './report.ts'

const SIZES = [8, 16, 32, 64]

/** Attacks: matchers of a header's value (or a path) and what is sent. What is sent ends in a byte that makes the expressions fail at the very end. */
const attacks: { name: string; regexes?: string[]; part: string; isPath?: boolean }[] = [
  { name: '(a|aa)*b', regexes: ['(a|aa)*b'], part: 'a' },
  { name: '(x+x+)+y', regexes: ['(x+x+)+y'], part: 'x' },
  { name: '.*a.{12}b', regexes: ['.*a.{12}b'], part: 'ab' },
  {
    name: '20 expressions',
    regexes: Array.from({ length: 20 }, (_, i) => `(.*[a-${'bcdefghij'[i % 9]}]+){3}${i}`),
    part: 'abcij',
  },
  { name: 'prefixes and suffixes', part: 'abc/' },
  { name: 'path (a|aa)*b', regexes: ['/(a|aa)*b'], part: 'a', isPath: true },
]

const wasm = join(root, 'filters/dist/authorization.wasm')
const nameOf = (attack: string, size: number) => `${attack}, ${size} KB`

/** Eight times the text may cost ten times as much: a square would be 64. */
export const limits: Limit[] = attacks.map(({ name }) => ({
  name: nameOf(name, 64),
  other: nameOf(name, 8),
  limit: 10,
}))

export async function variants(): Promise<{ variants: Variant[]; notes: string[] }> {
  const variants = attacks.flatMap(({ name, regexes, part, isPath }) => {
    const values: unknown[] = regexes?.map((regex) => ({ regex })) ?? [
      ...Array.from({ length: 500 }, (_, i) => ({ prefix: 'abc/'.repeat(i + 1) + 'x' })),
      ...Array.from({ length: 500 }, (_, i) => ({ suffix: 'x' + 'abc/'.repeat(i + 1) })),
    ]
    const configuration = {
      version: 1,
      policies: [
        {
          name: 'hostile',
          action: 'DENY',
          rules: [isPath ? { to: [{ paths: values }] } : { when: [{ header: 'x-attack', values }] }],
        },
      ],
    }
    return SIZES.map((size): Variant => {
      const text = part.repeat(Math.ceil((size * 1024) / part.length)).slice(0, size * 1024 - 512) + '!'
      return {
        name: nameOf(name, size),
        filters: async () => [
          staticFilter('http', 'wasm', { wasm, name: 'bench', configuration }, wasm) satisfies Json,
        ],
        load: { request: `GET /${isPath ? text : ''} HTTP/1.1\r\nhost: a\r\nx-attack: ${isPath ? '' : text}\r\n\r\n` },
        share: 1 / 40,
        // A header of this size costs Envoy itself something.
        ownBaseline: true,
      }
    })
  })
  return { variants, notes: ['aim: 64 KB cost at most 10 times as much as 8 KB'] }
}

export function chart(results: readonly Result[]): Chart {
  const series = attacks.map(({ name }) => ({
    name,
    points: SIZES.map((size): [number, number] => [
      size,
      median(results.find((each) => each.name === nameOf(name, size))!.added),
    ]),
  }))
  return { title: 'Added CPU per request by size of the header', x: 'KB', y: 'µs', scale: 'linear', series }
}

import { expect, test } from 'vitest'
import { applyDiff, blocksOf, commandsOf } from './markdown.ts'

test('blocks are found with language, info and line', () => {
  const page = ['# Page', '', '```ts assembly/index.ts', 'let a = 1', '```', 'text', '```', '$ x', '```', ''].join('\n')
  expect(blocksOf(page)).toEqual([
    { language: 'ts', info: 'assembly/index.ts', text: 'let a = 1\n', line: 3 },
    { language: '', info: '', text: '$ x\n', line: 7 },
  ])
  expect(blocksOf('- text\n\n  ```sh\n  one\n    two\n  ```\n')).toMatchObject([{ text: 'one\n  two\n' }])
  expect(() => blocksOf('```ts\nlet a')).toThrow('line 1: the code block has no end')
})

test('a console shows commands and what they print', () => {
  expect(commandsOf('$ one \\\n>   more\nprinted\n> quoted\n$ two\n')).toEqual([
    { command: 'one \\\n  more', output: 'printed\n> quoted\n' },
    { command: 'two', output: '' },
  ])
})

test('a diff is applied where it fits, and undone', () => {
  const diff = ' b\n-c\n+d\n+e\n'
  expect(applyDiff('a\nb\nc\nf\n', diff)).toBe('a\nb\nd\ne\nf\n')
  expect(applyDiff('a\nb\nd\ne\nf\n', diff, true)).toBe('a\nb\nc\nf\n')
  expect(() => applyDiff('a\n', diff)).toThrow('not in the file')
  expect(() => applyDiff('b\nc\nb\nc\n', diff)).toThrow('more than once')
})

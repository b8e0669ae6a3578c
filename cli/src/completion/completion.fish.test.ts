import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CliFolder } from '../testing.ts'
import { completionFolder, lines, offers } from './testing.ts'

let folder: CliFolder
beforeAll(async () => {
  folder = await completionFolder('fish')
})
afterAll(() => folder.remove())

test.each(lines)('fish: %s', (line, offered) => {
  expect(offers(folder, 'fish', 'source ./script\ncomplete -C $argv[1]', line)).toEqual(offered)
})

import { readFileSync, statSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { checkModule } from './build/index.ts'
import { CliFolder } from './testing.ts'
import { filterPlugin } from './vitest.ts'
import hello from '../../examples/hello/assembly/index.ts?filter'

test('an import with ?filter is the path of a module, built on the spot', () => {
  expect(checkModule(readFileSync(hello))).toEqual([])
})

test('a source of the filter is a dependency of the test', async () => {
  const source = fileURLToPath(new URL('../../examples/hello/assembly/index.ts', import.meta.url))
  const code = await filterPlugin().load(`${source}?filter`)
  expect(code).toContain(`import ${JSON.stringify(`${source}?filter-source`)}\n`)
  expect(code).toContain('/sdk/assembly/exports.ts?filter-source"')
  expect(await filterPlugin().load(`${source}?filter-source`)).toBe('')
  expect(await filterPlugin().load(source)).toBeUndefined()
  expect(statSync(hello).size).toBeGreaterThan(0)
})

test('a filter that does not build fails the import with the compiler’s messages', async () => {
  const folder = new CliFolder({ 'wrong.ts': 'export const x: i32 = nothing\n' })
  try {
    await expect(filterPlugin().load(`${folder.path}/wrong.ts?filter`)).rejects.toThrow(
      /wrong\.ts:1:1 error AS102: A filter exports a class/,
    )
  } finally {
    folder.remove()
  }
})

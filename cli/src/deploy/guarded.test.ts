import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { CliFolder } from '../testing.ts'
import { guardedPreflight } from './guarded.ts'
import hello from '../../../examples/hello/assembly/index.ts?filter'

const folder = new CliFolder()
afterAll(() => folder.remove())

test('as the preflight without a guard', async () => {
  expect(await guardedPreflight({ module: readFileSync(hello), configuration: '{}' })).toEqual({ ok: true })
})

test('a filter that never ends', async () => {
  folder.write(
    'endless/assembly/index.ts',
    `import { Configuration, HttpContext, RootContext } from '@meshscript/sdk'
export class Root extends RootContext {
  onConfigure(_: Configuration): bool {
    while (true) {}
  }
}
export class Endless extends HttpContext<Root> {}
`,
  )
  expect(await folder.run('build endless -o endless.wasm')).toMatchObject({ code: 0 })
  // The thread starts within this time, or not: it is ended all the same.
  expect(await guardedPreflight({ module: readFileSync(join(folder.path, 'endless.wasm')) }, 2500)).toEqual({
    ok: false,
    code: 'DEP024',
    message: 'the filter did not end in 2.5 s: it seems to loop for ever',
    logs: [],
  })
})

test('Ctrl-C', async () => {
  const stop = new AbortController()
  const result = guardedPreflight({ module: readFileSync(hello) }, undefined, stop.signal)
  stop.abort()
  await expect(result).rejects.toMatchObject({ message: 'stopped', code: 'DEP009' })
})

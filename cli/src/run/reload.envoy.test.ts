import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import type { CliFolder } from '../testing.ts'
import { ask, Load, MARK, markProject, Running } from './testing.ts'

let folder: CliFolder
let running: Running | undefined
afterEach(async () => {
  await running?.stop()
  running = undefined
  folder.remove()
})

test('reloads of module and configuration lose no request, and what is refused changes nothing', async () => {
  folder = markProject()
  running = new Running({ cwd: folder.path, concurrency: 2 })
  const { url } = await running.next('ready')
  // Quick ones, and some that are under way while the filter changes.
  const load = new Load(url, ['/', '/lines/4', '/stream'])
  const configure = (text: string) => folder.write('mark/config.json', text)
  const build = (text: string) => folder.write('mark/assembly/index.ts', text)
  const served = async () => {
    const { headers } = await ask(url)
    return [headers['x-mark'], headers['x-build']]
  }

  configure('{ "mark": "b" }')
  expect(await running.next('reload', 1)).toMatchObject({ filter: 'mark', cause: 'configuration', ok: true })
  expect(await served()).toEqual(['b', '1'])

  build(MARK.replace("'x-build', '1'", "'x-build', '2'"))
  expect(await running.next('reload', 2)).toMatchObject({ cause: 'module', ok: true })
  expect(await served()).toEqual(['b', '2'])

  configure('{ "mark": 7 }')
  const refused = await running.next('reload', 3)
  expect(refused).toMatchObject({ cause: 'configuration', ok: false, code: 'RUN004', info: { generation: 3 } })
  expect(refused.message).toContain('mark: expected string, got number')
  expect(await served()).toEqual(['b', '2'])

  // The module is new, the configuration still wrong.
  build(MARK.replace("'x-build', '1'", "'x-build', '3'"))
  expect(await running.next('reload', 4)).toMatchObject({ cause: 'module', ok: false, code: 'RUN004' })
  expect(await served()).toEqual(['b', '2'])

  configure('{ "mark": "c" }')
  expect(await running.next('reload', 5)).toMatchObject({ ok: true })
  expect(await served()).toEqual(['c', '3'])

  build(MARK.replace('return Action.Continue', 'return Nothing'))
  const failed = await running.next('build-failed')
  expect(failed).toMatchObject({ code: 'BUILD010', diagnostics: [{ file: 'mark/assembly/index.ts', code: 'TS2304' }] })
  expect(await served()).toEqual(['c', '3'])

  build(MARK)
  expect(await running.next('reload', 6)).toMatchObject({ cause: 'module', ok: true, info: { generation: 5 } })
  configure('{ "mark": "d" }')
  expect(await running.next('reload', 7)).toMatchObject({ ok: true, info: { generation: 6 } })
  expect(await served()).toEqual(['d', '1'])

  await load.stop()
  expect(load.failures).toEqual([])
  // Every request was answered by one of the filters that Envoy had taken, and by each of these some.
  expect(Object.fromEntries(load.answers)).toEqual({
    '200 a 1': expect.any(Number) as number,
    '200 b 1': expect.any(Number) as number,
    '200 b 2': expect.any(Number) as number,
    '200 c 3': expect.any(Number) as number,
    '200 c 1': expect.any(Number) as number,
    '200 d 1': expect.any(Number) as number,
  })
  const answered = [...load.answers.values()].reduce((sum, count) => sum + count, 0)
  expect(answered).toBe(load.sent)
  expect(load.sent).toBeGreaterThan(500)
})

test('modules that others build are reloaded, and a missing configuration is told', async () => {
  folder = markProject()
  expect((await folder.run('build mark -o mark.wasm')).code).toBe(0)
  folder.write('broken.wasm', 'nothing of the kind')
  running = new Running({ cwd: folder.path, paths: ['mark.wasm'], configurations: ['mark/config.json'] })
  const { url, filters } = await running.next('ready')
  expect(filters).toMatchObject([{ name: 'mark', path: 'mark.wasm', configuration: 'mark/config.json' }])

  folder.copy(join(folder.path, 'broken.wasm'), 'mark.wasm')
  expect(await running.next('reload', 1)).toMatchObject({ cause: 'module', ok: false, code: 'RUN004' })
  expect((await ask(url)).headers['x-mark']).toBe('a')

  folder.write('mark/assembly/index.ts', MARK.replace("'x-build', '1'", "'x-build', '2'"))
  expect((await folder.run('build mark -o mark.wasm')).code).toBe(0)
  expect(await running.next('reload', 2)).toMatchObject({ ok: true })
  expect((await ask(url)).headers['x-build']).toBe('2')

  rmSync(join(folder.path, 'mark/config.json'))
  folder.write('mark/config.json', '{ "mark": "back" }')
  await expect.poll(async () => (await ask(url)).headers['x-mark'], { timeout: 10_000 }).toBe('back')
})

import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { CliFolder } from '../testing.ts'

const modules = fileURLToPath(new URL('../../../node_modules', import.meta.url))
const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' }
const spec = (body: string) => `import { expect, test } from 'vitest'\n${body}\n`

let folder: CliFolder
afterEach(() => folder.remove())

/** A project with vitest. */
function project(files: Record<string, string>): CliFolder {
  folder = new CliFolder({ 'package.json': '{ "type": "module" }', ...files })
  symlinkSync(modules, join(folder.path, 'node_modules'), 'dir')
  return folder
}

test('runs the specs with HOST, and counts', async () => {
  project({ 'a.spec.ts': spec("test('x', () => expect(process.env.HOST).toBe('node'))\ntest.skip('y', () => {})") })
  const { code, stdout, stderr } = await folder.run('test --host node --json', { env })
  expect(code, stderr).toBe(0)
  expect(JSON.parse(stdout)).toEqual({
    version: 1,
    passed: true,
    hosts: [{ host: 'node', passed: 1, failed: 0, skipped: 1, seconds: expect.any(Number) as number, failures: [] }],
  })
})

test('names what fails, and exits with 1', async () => {
  project({
    'a.spec.ts': spec("test('x', () => expect(1, 'one').toBe(2))"),
    'broken.spec.ts': "throw new Error('no')",
  })
  const { code, stdout } = await folder.run('test --host node --json', { env })
  expect(code).toBe(1)
  const [{ failed, failures }] = JSON.parse(stdout).hosts
  expect(failed).toBe(2)
  expect(failures).toContainEqual({
    file: join(folder.path, 'a.spec.ts'),
    name: 'x',
    message: expect.stringContaining('one') as string,
  })
  expect(failures).toContainEqual({
    file: join(folder.path, 'broken.spec.ts'),
    name: '',
    message: expect.stringContaining('no') as string,
  })
})

test('takes names of files, and hands vitest what follows --', async () => {
  project({
    'a.spec.ts': spec("test('x', () => {})\ntest('z', () => {})"),
    'b.spec.ts': spec("test('y', () => expect(1).toBe(2))"),
  })
  const { code, stdout } = await folder.run('test a.spec --host node --json -- --testNamePattern x', { env })
  expect(code).toBe(0)
  expect(JSON.parse(stdout).hosts[0]).toMatchObject({ passed: 1, skipped: 1 })
})

test('nothing to test is a failure', async () => {
  project({})
  expect(await folder.run('test --host node --json', { env })).toMatchObject({ code: 1 })
})

test('says that vitest is missing', async () => {
  folder = new CliFolder({ 'package.json': '{}' })
  const { code, stderr } = await folder.run('test --host node', { env })
  expect(code).toBe(1)
  expect(stderr).toContain('TEST001: vitest is not installed')
})

test('says that there is no Envoy, and what to do', async () => {
  project({ 'a.spec.ts': spec("test('x', () => {})") })
  const nowhere = { ...env, ENVOY_PATH: join(folder.path, 'none') }
  const { code, stderr } = await folder.run('test', { env: nowhere })
  expect(code).toBe(1)
  expect(stderr).toMatch(/TEST002: .*none.*; --host node needs no Envoy/)
})

test.each([
  ['test --host nodde', 'expected node, envoy or docker'],
  ['test --watch --host node,envoy', '--watch runs on one host'],
  ['test --watch --json', "cannot be used with option '--watch'"],
])('%s is wrong usage', async (line, message) => {
  folder = new CliFolder()
  const { code, stderr } = await folder.run(line, { env })
  expect(code).toBe(2)
  expect(stderr).toContain(message)
})

test('ends when it is stopped', async () => {
  project({ 'a.spec.ts': spec("test('x', () => new Promise(() => {}), 60_000)") })
  const stop = new AbortController()
  const done = folder.run('test --host node --json', { env, signal: stop.signal })
  setTimeout(() => stop.abort(), 1500)
  expect(await done).toMatchObject({ code: 130, stdout: '' })
})

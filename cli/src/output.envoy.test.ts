/** Everything that a command prints, for the commands whose own tests look at parts of it. What differs from run to run has a name here. */
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { CliFolder, type CliResult } from './testing.ts'

const root = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '')
const env = { PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '' }

let folder: CliFolder
afterEach(() => folder.remove())

/** A folder that sees the packages of the workspace. */
function project(files: Record<string, string>): CliFolder {
  folder = new CliFolder({ 'package.json': '{ "name": "mine", "type": "module" }', ...files })
  symlinkSync(join(root, 'node_modules'), join(folder.path, 'node_modules'), 'dir')
  return folder
}

/** The same in every run, on every machine. */
function steady(text: string): string {
  return text
    .replaceAll(folder.path, 'FOLDER')
    .replaceAll(root, 'CHECKOUT')
    .replace(/meshscript-test-\w+/g, 'NAME')
    .replace(/\d+(\.\d+)? (ms|s)\b/g, 'TIME')
    .replace(/\d+(\.\d+)?ms\b/g, 'TIME')
    .replace(/\d+(\.\d+)? [KM]?B\b/g, 'SIZE')
    .replace(/\d\d:\d\d:\d\d(\.\d+)?/g, 'CLOCK')
    .replace(/127\.0\.0\.1:\d+/g, 'HOST:PORT')
    .replace(/\bv?\d+\.\d+\.\d+(-[\w.]+)?\b/g, 'VERSION')
}

const whole = ({ code, stdout, stderr }: CliResult): string =>
  steady(`exit ${code}\n--- standard output\n${stdout}--- standard error\n${stderr}`)

const FILTER = `import { Action, HttpContext } from '@meshscript/sdk'
export class Hello extends HttpContext {
  onRequestHeaders(): Action {
    return Action.Continue
  }
}
`

test('build', async () => {
  project({ 'assembly/index.ts': FILTER })
  expect(whole(await folder.run('build . --stats'))).toMatchSnapshot('a filter')
  folder.write('assembly/index.ts', FILTER.replace('Action.Continue', 'Action.Go'))
  expect(whole(await folder.run('build .'))).toMatchSnapshot('one with a mistake')
})

test('init', async () => {
  folder = new CliFolder()
  expect(whole(await folder.run('init mine --template header', { env }))).toMatchSnapshot('a new project')
  expect(whole(await folder.run('init mine --template header', { env }))).toMatchSnapshot('where one is')
})

test('validate', async () => {
  const policy = (spec: string) =>
    `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p, namespace: a}\nspec:\n  ${spec}\n`
  folder = new CliFolder({ 'good.yaml': policy('action: ALLOW'), 'bad.yaml': policy('acton: DENY') })
  expect(whole(await folder.run('validate good.yaml'))).toMatchSnapshot('a valid policy')
  expect(whole(await folder.run('validate .'))).toMatchSnapshot('one that is not')
})

test('test', async () => {
  const spec = "import { expect, test } from 'vitest'\ntest('works', () => expect(1).toBe(1))\n"
  project({ 'a.spec.ts': spec })
  const { code, stderr } = await folder.run('test --host node', { env })
  // Standard output is vitest's.
  expect(steady(`exit ${code}\n${stderr}`)).toMatchSnapshot('what passes')
})

test('check', async () => {
  project({ 'assembly/index.ts': FILTER })
  expect(whole(await folder.run('check --project', { env }))).toMatchSnapshot('of a project')
})

test('run', async () => {
  project({ 'assembly/index.ts': FILTER })
  expect(whole(await folder.run('run . --once --port 0', { env }))).toMatchSnapshot('until Envoy is up')
  expect(whole(await folder.run('run missing.wasm --once', { env }))).toMatchSnapshot('of a module that is not there')
})

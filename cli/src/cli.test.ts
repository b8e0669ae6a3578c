import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }
import { CliFolder } from './testing.ts'

let folder: CliFolder
beforeEach(() => {
  folder = new CliFolder()
})
afterEach(() => folder.remove())

describe('meshscript', () => {
  test('prints its version', async () => {
    expect(await folder.run('--version')).toEqual({ code: 0, stdout: `${packageJson.version}\n`, stderr: '' })
  })

  test('prints its help', async () => {
    const { code, stdout, stderr } = await folder.run('--help')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toContain('Usage: meshscript [options] [command]')
    expect(stdout).toMatch(/^ {2}build +compile a filter to WebAssembly and check it$/m)
  })

  test('prints the help of a command in both ways', async () => {
    const { code, stdout } = await folder.run('build --help')
    expect(code).toBe(0)
    expect(stdout).toContain('Usage: meshscript build [options] [PATH]')
    expect(await folder.run('help build')).toEqual({ code: 0, stdout, stderr: '' })
  })

  test('without a command says what there is, as wrong usage', async () => {
    const { code, stdout, stderr } = await folder.run('')
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain('Usage: meshscript')
  })

  test.each([
    ['frobnicate', "meshscript: unknown command 'frobnicate'\n(--help tells more)\n"],
    ['biuld', "meshscript: unknown command 'biuld'\n(Did you mean build?)\n(--help tells more)\n"],
    ['build --frobnicate', "meshscript: unknown option '--frobnicate'\n(--help tells more)\n"],
    ['build a b', "meshscript: too many arguments for 'build'. Expected 1 argument but got 2.\n(--help tells more)\n"],
  ])('%s is wrong usage', async (args, stderr) => {
    expect(await folder.run(args)).toEqual({ code: 2, stdout: '', stderr })
  })
})

test('the committed executable says how to build what it runs', () => {
  const copy = mkdtempSync(join(tmpdir(), 'meshscript-test-'))
  const script = fileURLToPath(new URL('../bin/meshscript.js', import.meta.url))
  const text = `${readFileSync(script, 'utf8')}`
  const run = () =>
    execFileSync(process.execPath, ['--input-type=module', '-e', text], { cwd: copy, encoding: 'utf8', stdio: 'pipe' })
  expect(run).toThrow('meshscript: the command is not built yet. Run `npm run build` in the checkout first.')
})

test('a reader that has seen enough is no failure', () => {
  const script = fileURLToPath(new URL('../bin/meshscript.js', import.meta.url))
  const child = spawnSync(
    'bash',
    ['-c', '"$0" "$1" explain --help | head -1; exit "${PIPESTATUS[0]}"', process.execPath, script],
    {
      encoding: 'utf8',
    },
  )
  expect(child).toMatchObject({ status: 0, stderr: '', stdout: 'Usage: meshscript explain [options] <FILES...>\n' })
})

import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import { Ajv } from 'ajv'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import schema from '../../meshscript.schema.json' with { type: 'json' }
import packageJson from '../../package.json' with { type: 'json' }
import { ask } from '../init/prompts.ts'
import { templateNames } from '../init/templates.ts'
import { CliFolder } from '../testing.ts'

const root = fileURLToPath(new URL('../../../', import.meta.url))

let folder: CliFolder
beforeEach(() => {
  folder = new CliFolder()
})
afterEach(() => folder.remove())

const read = (name: string) => readFileSync(join(folder.path, name), 'utf8')
const json = (name: string) => JSON.parse(read(name)) as Record<string, never>

describe('init', () => {
  test('makes a project, and says what comes next', async () => {
    expect(await folder.run('init my-filter')).toEqual({
      code: 0,
      stderr: '',
      stdout: `my-filter: 14 files from template header in my-filter

  cd my-filter
  npm install
  npm test      # the specification, in Node.js and in real Envoy
  npm run run   # Envoy with the filter, again on every change
`,
    })
    expect(json('my-filter/package.json')).toMatchObject({
      name: 'my-filter',
      devDependencies: { meshscript: packageJson.version, '@meshscript/sdk': packageJson.version },
    })
    expect(read('my-filter/README.md')).toMatch(/^# my-filter\n\nSets a header/)
    expect(read('my-filter/.gitignore')).toContain('node_modules/')
  })

  test('in the current folder, under another name', async () => {
    const { code, stdout } = await folder.run('init --name @acme/hello --template tcp --json')
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toMatchObject({ folder: folder.path, name: '@acme/hello', template: 'tcp' })
    expect(json('package.json')).toMatchObject({ name: '@acme/hello', scripts: { run: 'meshscript run --tcp' } })
    expect(json('meshscript.json')).toMatchObject({ registry: 'oci://ghcr.io/acme/hello' })
  })

  test.each([
    ['My Filter', 'my-filter'],
    ['.hidden', 'hidden'],
    ['Grüße!', 'gr-e'],
    ['___', 'my-filter'],
  ])('makes a name of the folder %s', async (path, name) => {
    await folder.run(['init', path])
    expect(json(`${path}/package.json`)).toMatchObject({ name })
  })

  test('writes over nothing, or over what it has to', async () => {
    folder.write('hello/assembly/index.ts', '// mine\n')
    folder.write('hello/other.ts', '// mine, too\n')
    expect(await folder.run('init hello')).toEqual({
      code: 1,
      stdout: '',
      stderr: `meshscript: INIT001: ${folder.path}/hello is not empty: it has assembly, other.ts; --force writes over 1 of its files\n`,
    })
    expect(read('hello/assembly/index.ts')).toBe('// mine\n')
    expect(existsSync(join(folder.path, 'hello/package.json'))).toBe(false)
    expect(await folder.run('init hello --force')).toMatchObject({ code: 0 })
    expect(read('hello/assembly/index.ts')).toContain('class HeaderFilter')
    expect(read('hello/other.ts')).toBe('// mine, too\n')
  })

  test('takes a folder that is not empty only by force, but an empty repository', async () => {
    folder.write('notes/todo.txt', 'filter\n')
    const refused = await folder.run('init notes')
    expect(refused).toMatchObject({ code: 1, stdout: '' })
    expect(refused.stderr).toContain('INIT001')
    expect(refused.stderr).toContain('it has todo.txt; --force keeps what is there')
    expect(await folder.run('init notes --force')).toMatchObject({ code: 0 })
    expect(read('notes/todo.txt')).toBe('filter\n')
    folder.write('cloned/.git/HEAD', 'ref: refs/heads/main\n')
    expect(await folder.run('init cloned')).toMatchObject({ code: 0, stderr: '' })
  })

  test('makes a repository if asked', async () => {
    await folder.run('init plain')
    await folder.run('init tracked --git')
    expect(['plain', 'tracked'].map((name) => existsSync(join(folder.path, name, '.git')))).toEqual([false, true])
  })

  test.each([
    ['init --name Hello!', 2, "INIT002: 'Hello!' can't be the name of a package"],
    ['init --template nothing', 2, "argument 'nothing' is invalid. Allowed choices are header, auth-callout"],
    ['init a b', 2, "too many arguments for 'init'"],
    ['init file/inner', 1, "INIT003: can't write the project"],
  ])('%s is refused', async (args, code, message) => {
    folder.write('file', '')
    const result = await folder.run(args)
    expect(result).toMatchObject({ code, stdout: '' })
    expect(result.stderr).toContain(message)
  })
})

describe('on a terminal', () => {
  const keys = { down: '\x1b[B', enter: '\r', escape: '\x03' }
  /** Presses keys whenever the text has appeared. */
  const talk = async (known: Parameters<typeof ask>[0], dialogue: [string, ...string[]][]) => {
    const input = Object.assign(new PassThrough(), { isTTY: true, setRawMode: () => undefined })
    const output = Object.assign(new PassThrough(), { isTTY: true, columns: 80, rows: 24 })
    let shown = ''
    output.on('data', (data: Buffer) => (shown += stripVTControlCharacters(data.toString())))
    const answers = ask(known, folder.path, { input, output })
    answers.catch(() => undefined)
    for (const [text, ...pressed] of dialogue) {
      await expect.poll(() => shown, { interval: 5, timeout: 10_000 }).toContain(text)
      for (const key of pressed) input.write(key)
    }
    return answers
  }

  test('asks for all that is not known', async () => {
    const answers = talk({}, [
      ['Where does the filter go?', 'demo', keys.enter],
      ['What does it do?', keys.down, keys.enter],
      ['Name of its package?', keys.enter],
    ])
    expect(await answers).toEqual({ folder: 'demo', template: 'auth-callout', name: 'demo' })
  })

  test('asks for nothing else', async () => {
    const backspaces = Array<string>(4).fill('\x7f')
    const answers = talk({ folder: 'x', template: 'tcp' }, [
      ['Name of its package?', 'Bad!', keys.enter],
      ["can't be the name of a package", ...backspaces, 'good', keys.enter],
    ])
    expect(await answers).toEqual({ folder: 'x', template: 'tcp', name: 'good' })
    expect(await talk({ folder: 'x', template: 'tcp', name: 'y' }, [])).toMatchObject({ name: 'y' })
  })

  test('Ctrl-C ends it', async () => {
    await expect(talk({}, [['Where does the filter go?', keys.escape]])).rejects.toThrow(
      expect.objectContaining({ name: 'NegativeResult' }),
    )
  })
})

// Their specs run where they lie, as all specs do, on both hosts.
describe.each(templateNames)('the project of template %s', (template) => {
  beforeEach(async () => {
    await folder.run(['init', 'p', '--template', template])
    symlinkSync(join(root, 'node_modules'), join(folder.path, 'p/node_modules'))
  })

  test('has no placeholder, and packages of this release', () => {
    const files = execFileSync('find', [`${folder.path}/p`, '-type', 'f'], { encoding: 'utf8' })
      .trim()
      .split('\n')
    for (const file of files) expect(readFileSync(file, 'utf8'), file).not.toMatch(/(?<!\$)\{\{\w/)
    for (const version of Object.values<string>(json('p/package.json')['devDependencies']!)) {
      expect(version).toMatch(/^\d+\.\d+\.\d+/)
    }
  })

  test('has no error in an editor', () => {
    for (const project of ['tsconfig.json', 'assembly/tsconfig.json']) {
      const tsc = join(root, 'node_modules/typescript/bin/tsc')
      const run = () =>
        execFileSync(process.execPath, [tsc, '-p', `p/${project}`], { cwd: folder.path, encoding: 'utf8' })
      expect(run, project).not.toThrow()
    }
  })

  test('has settings that their schemas take', () => {
    const ajv = new Ajv({ strict: true })
    expect(ajv.validate(schema, json('p/meshscript.json')), ajv.errorsText()).toBe(true)
    if (existsSync(join(folder.path, 'p/schema.json'))) {
      expect(ajv.validate(json('p/schema.json'), json('p/config.json')), ajv.errorsText()).toBe(true)
    }
    expect(parse(read('p/.github/workflows/filter.yml'))).toHaveProperty('jobs.filter.steps')
  })

  test('builds', async () => {
    expect(await folder.run('build p')).toMatchObject({ code: 0, stderr: '' })
  })
})

test('the policies of the template are its configuration', async () => {
  folder.copy(join(root, 'cli/templates/policy/policies.yaml'), 'policies.yaml')
  const { scripts } = JSON.parse(readFileSync(join(root, 'cli/templates/policy/additions.json'), 'utf8')) as {
    scripts: Record<string, string>
  }
  const [command, ...args] = scripts['policies']!.split(' ')
  expect(command).toBe('meshscript')
  expect(await folder.run(args)).toMatchObject({ code: 0 })
  expect(read('config.json')).toBe(readFileSync(join(root, 'cli/templates/policy/config.json'), 'utf8'))
})

import { parseModule } from '@meshscript/sdk/testing/module'
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { originalPositionFor, TraceMap } from '@jridgewell/trace-mapping'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CliFolder } from '../testing.ts'
import { readModuleMetadata } from '../wasm/metadata.ts'

const HELLO = `import { Action, HttpContext } from '@meshscript/sdk'

export class Hello extends HttpContext {
  onRequestHeaders(): Action {
    this.requestHeaders.add('x-hello', 'world')
    return Action.Continue
  }
}
`

const version = (folder: string): unknown =>
  JSON.parse(readFileSync(new URL(`../../../${folder}/package.json`, import.meta.url), 'utf8')).version

let folder: CliFolder
beforeEach(() => {
  folder = new CliFolder({ 'hello/assembly/index.ts': HELLO, 'hello/package.json': '{}' })
})
afterEach(() => folder.remove())

const read = (name: string) => readFileSync(join(folder.path, name))
const sections = (name: string) =>
  parseModule(read(name)).sections.flatMap((section) => (section.name === undefined ? [] : [section.name]))

describe('where the module goes', () => {
  test('build/NAME.wasm in the folder, with its source map', async () => {
    const { code, stdout, stderr } = await folder.run('build hello')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(/^hello\/build\/hello\.wasm {2}\d\.\d KB {2}\d+ ms\n$/)
    expect(readdirSync(join(folder.path, 'hello/build'))).toEqual(['hello.wasm', 'hello.wasm.map'])
  })

  test.each([
    ['hello/assembly/index.ts', 'hello/build/hello.wasm'],
    ['hello/other.ts', 'hello/build/other.wasm'],
    ['hello -o out/x.wasm', 'out/x.wasm'],
    ['hello --output=out/x.wasm', 'out/x.wasm'],
  ])('build %s makes %s', async (args, output) => {
    folder.write('hello/other.ts', HELLO)
    const { code, stdout } = await folder.run(`build ${args}`)
    expect({ code, output: stdout.split(' ')[0] }).toEqual({ code: 0, output })
    expect(existsSync(join(folder.path, output))).toBe(true)
  })
})

describe('what is built', () => {
  test('a module that exports only the callbacks in use', async () => {
    const { code, stdout } = await folder.run('build hello --stats')
    expect(code).toBe(0)
    expect(stdout).toContain('\nexports (6)\n')
    expect(stdout).toContain('\n  proxy_on_request_headers\n')
    expect(stdout).not.toContain('proxy_on_response_headers')
    expect(stdout).toMatch(/\nimports \(\d\)\n( {2}env\.proxy_\w+\n)+$/)
  })

  test('a report for programs', async () => {
    const { code, stdout, stderr } = await folder.run('build hello --json')
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const report = JSON.parse(stdout)
    expect(report).toEqual({
      output: 'hello/build/hello.wasm',
      size: read('hello/build/hello.wasm').length,
      exports: expect.arrayContaining(['memory', '_initialize', 'proxy_abi_version_0_2_1', 'proxy_on_memory_allocate']),
      imports: expect.arrayContaining(['env.proxy_add_header_map_value']),
      callbacks: expect.arrayContaining(['proxy_on_context_create', 'proxy_on_request_headers']),
      sourceMap: 'hello/build/hello.wasm.map',
      warnings: [],
      milliseconds: expect.any(Number),
    })
    expect(report.callbacks).not.toContain('proxy_on_memory_allocate')
  })

  test('function names for backtraces, unless they are stripped', async () => {
    await folder.run('build hello')
    await folder.run('build hello --strip -o stripped.wasm')
    expect(sections('hello/build/hello.wasm')).toEqual(['name', 'producers'])
    expect(sections('stripped.wasm')).toEqual(['producers'])
    expect(read('hello/build/hello.wasm').includes('exports/proxy_on_request_headers')).toBe(true)
    // Nothing but the names differs.
    const named = read('hello/build/hello.wasm')
    const names = parseModule(named).sections.find(({ name }) => name === 'name')!
    const rest = Buffer.concat([named.subarray(0, names.start), named.subarray(names.end)])
    expect(rest.equals(read('stripped.wasm'))).toBe(true)
  })

  test('the versions of the tools, and the schema of the configuration, stripped or not', async () => {
    const schema = { type: 'object', properties: { limit: { type: 'integer' } } }
    folder.write('hello/schema.json', JSON.stringify(schema, null, 2))
    for (const flags of ['', '--debug', '--strip']) {
      await folder.run(`build hello ${flags}`)
      const { sdk, producers, ...metadata } = readModuleMetadata(read('hello/build/hello.wasm'))
      expect(sdk).toBe(version('sdk'))
      expect(producers).toEqual({
        language: { AssemblyScript: version('node_modules/assemblyscript') },
        'processed-by': { meshscript: version('cli') },
        sdk: { '@meshscript/sdk': version('sdk') },
      })
      expect(metadata.schema).toEqual(schema)
      expect(metadata.imports).toContain('env.proxy_add_header_map_value')
      expect(metadata.exports).toContain('proxy_on_request_headers')
    }
    // Whitespace is left out.
    expect(read('hello/build/hello.wasm').includes(JSON.stringify(schema))).toBe(true)
  })

  test.each([
    ['{', 'is not valid JSON'],
    ['[]', 'is no JSON Schema'],
  ])('no module with a schema %s', async (schema, message) => {
    folder.write('hello/schema.json', schema)
    const { code, stderr } = await folder.run('build hello')
    expect(code).toBe(1)
    expect(stderr).toContain(`BUILD005: ${folder.path}/hello/schema.json ${message}`)
    expect(existsSync(join(folder.path, 'hello/build'))).toBe(false)
  })

  test('a debug build, which is not optimised', async () => {
    await folder.run('build hello')
    const { code } = await folder.run('build hello --debug -o debug.wasm')
    expect(code).toBe(0)
    expect(read('debug.wasm').length).toBeGreaterThan(3 * read('hello/build/hello.wasm').length)
  })

  test('a source map that leads from the code to the author’s file', async () => {
    await folder.run('build hello --debug')
    const map = new TraceMap(read('hello/build/hello.wasm.map').toString())
    expect(map.sources).toContain('../assembly/index.ts')
    const own = map.resolvedSources.indexOf('../assembly/index.ts')
    expect(map.sourcesContent?.[own]).toBe(HELLO)
    const code = parseModule(read('hello/build/hello.wasm')).sections.find(({ id }) => id === 10)!
    const lines = new Set<number>()
    for (let offset = code.content; offset < code.end; offset++) {
      const { source, line } = originalPositionFor(map, { line: 1, column: offset })
      if (source === '../assembly/index.ts' && line !== null) lines.add(line)
    }
    expect([...lines].sort()).toEqual(expect.arrayContaining([5, 6]))
  })
})

describe('the same source makes the same bytes', () => {
  test('in another folder, and under another name', async () => {
    const other = new CliFolder()
    try {
      other.copy(join(folder.path, 'hello'), 'deeper/down/hello')
      for (const flags of ['', '--debug', '--strip']) {
        await folder.run(`build hello ${flags}`)
        await other.run(`build deeper/down/hello ${flags} -o elsewhere.wasm`)
        const bytes = read('hello/build/hello.wasm')
        expect(readFileSync(join(other.path, 'elsewhere.wasm')).equals(bytes), flags).toBe(true)
        expect(bytes.includes(folder.path)).toBe(false)
      }
    } finally {
      other.remove()
    }
  })

  test('and is not written again', async () => {
    await folder.run('build hello')
    const written = () => statSync(join(folder.path, 'hello/build/hello.wasm')).mtimeMs
    const before = written()
    await folder.run('build hello')
    expect(written()).toBe(before)
  })
})

describe('imports', () => {
  test('of other files and packages', async () => {
    folder.write('hello/node_modules/greetings/assembly/index.ts', "export const GREETING = 'hi'\n")
    folder.write('hello/assembly/name.ts', "export const NAME = 'x-greeting'\n")
    const imports = "import { GREETING } from 'greetings'\nimport { NAME } from './name'\n"
    folder.write('hello/assembly/index.ts', imports + HELLO.replace("'x-hello', 'world'", 'NAME, GREETING'))
    expect(await folder.run('build hello')).toMatchObject({ code: 0, stderr: '' })
  })

  const alias = { files: HELLO.replace("'@meshscript/sdk'", "'an-older-sdk'") }
  test.each([
    ['on the command line', 'build hello --alias an-older-sdk=@meshscript/sdk', {}],
    [
      'in package.json',
      'build hello',
      { 'hello/package.json': { meshscript: { alias: { 'an-older-sdk': '@meshscript/sdk' } } } },
    ],
    [
      'in meshscript.json',
      'build hello',
      { 'hello/meshscript.json': { alias: { 'an-older-sdk': '@meshscript/sdk' } } },
    ],
  ])('by an alias %s', async (_, args, settings) => {
    for (const [name, content] of Object.entries(settings)) folder.write(name, JSON.stringify(content))
    folder.write('hello/assembly/index.ts', alias.files)
    expect(await folder.run(args)).toMatchObject({ code: 0, stderr: '' })
  })
})

describe('mistakes', () => {
  const build = async (source: string, args = 'build hello') => {
    folder.write('hello/assembly/index.ts', source)
    const result = await folder.run(args)
    expect(existsSync(join(folder.path, 'hello/build'))).toBe(false)
    return result
  }

  test('in the source are shown as the compiler gives them', async () => {
    const source = HELLO.replace('return Action.Continue', 'return this.verdict()')
    expect(await build(source)).toEqual({
      code: 1,
      stdout: '',
      stderr: `hello/assembly/index.ts:6:17 error TS2339: Property 'verdict' does not exist on type 'assembly/index/Hello'.
    6 |     return this.verdict()
      |                 ^^^^^^^

meshscript: BUILD010: 1 error
`,
    })
  })

  test('in the syntax too', async () => {
    const { code, stderr } = await build(HELLO.replace('Action.Continue', 'Action.'))
    expect(code).toBe(1)
    expect(stderr).toContain(
      'hello/assembly/index.ts:7:3 error TS1109: Expression expected.\n    7 |   }\n      |   ^\n',
    )
  })

  test('are reported as JSON too', async () => {
    const { code, stdout, stderr } = await build(HELLO.replace('Action.Continue', "'continue'"), 'build hello --json')
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({
      error: {
        code: 'BUILD010',
        message: '1 error',
        diagnostics: [
          {
            severity: 'error',
            code: expect.stringMatching(/^(AS|TS)\d+$/),
            message: expect.any(String),
            file: expect.any(String),
            line: expect.any(Number),
            column: expect.any(Number),
            source: expect.any(String),
          },
        ],
      },
    })
  })

  test('an import that is not there', async () => {
    const { code, stderr } = await build(`import { nothing } from './nothing'\n${HELLO}`)
    expect(code).toBe(1)
    expect(stderr).toContain("hello/assembly/index.ts:1:25 error TS6054: File 'assembly/nothing.ts' not found.")
  })

  test('a file without a filter', async () => {
    const { code, stderr } = await build('export function add(a: i32, b: i32): i32 { return a + b }\n')
    expect(code).toBe(1)
    expect(stderr).toContain(
      'A filter exports a class that extends HttpContext, StreamContext or RootContext; this file has none.',
    )
    expect(stderr).toMatch(/meshscript: BUILD010: 1 error\n$/)
  })

  test('a call that no proxy offers', async () => {
    const source = HELLO.replace('    return', "    console.log('hello')\n    return")
    const { code, stderr } = await build(source)
    expect(code).toBe(1)
    expect(stderr)
      .toBe(`hello/assembly/index.ts error WASM008: no proxy offers the import env.console.log; remove the call that needs it (asc imports only what is called)

meshscript: BUILD020: Envoy would not run this module
`)
  })

  test.each([
    ['nowhere', 1, (path: string) => `meshscript: BUILD001: there is no file or folder ${path}/nowhere\n`],
    [
      '.',
      1,
      (path: string) =>
        `meshscript: BUILD002: ${path} has no assembly/index.ts; name the filter's .ts file, or its folder\n`,
    ],
    [
      'hello/package.json',
      1,
      (path: string) => `meshscript: BUILD003: ${path}/hello/package.json is not a TypeScript file\n`,
    ],
    [
      'hello --alias x',
      2,
      () =>
        "meshscript: option '--alias <FROM=TO>' argument 'x' is invalid. expected FROM=TO, two names of packages.\n(--help tells more)\n",
    ],
  ])('build %s', async (args, code, stderr) => {
    expect(await folder.run(`build ${args}`)).toEqual({ code, stdout: '', stderr: stderr(folder.path) })
  })

  test.each([
    ['{ alias', 'SET002', 'is not valid JSON'],
    ['{ "alias": { "a": 1 } }', 'SET003', 'alias.a has to be a string'],
    ['{ "alais": {} }', 'SET001', 'did you mean alias?'],
  ])('settings %s', async (text, problem, message) => {
    folder.write('hello/meshscript.json', text)
    const { code, stderr } = await folder.run('build hello')
    expect(code).toBe(1)
    expect(stderr).toContain(`${problem}: ${folder.path}/hello/meshscript.json`)
    expect(stderr).toContain(message)
  })
})

test('--watch builds again when a source changes, and survives mistakes', async () => {
  const name = (value: string) => folder.write('hello/assembly/name.ts', `export const NAME = ${value}\n`)
  const module = () => read('hello/build/hello.wasm')
  name("'x-a'")
  folder.write('hello/assembly/index.ts', `import { NAME } from './name'\n${HELLO.replace("'x-hello'", 'NAME')}`)
  const stop = new AbortController()
  let output = ''
  const done = folder.run('build hello --watch', { signal: stop.signal }, (text) => (output += text))
  /** What is printed until the text appears. */
  const until = async (text: RegExp | string) => {
    await expect.poll(() => output, { timeout: 30_000, interval: 10 }).toMatch(text)
    output = ''
    // Lets the watcher begin with files that it has just been told of.
    await new Promise((resolve) => setTimeout(resolve, 250))
  }

  await until(/^hello\/build\/hello\.wasm .* ms\n$/)
  const first = module()

  name("'x-b'")
  await until(/^hello\/build\/hello\.wasm .* ms\n$/)
  const second = module()
  expect(second.equals(first)).toBe(false)

  name('nothing')
  await until(
    /hello\/assembly\/name\.ts:1:21 error TS2304: Cannot find name 'nothing'\.[^]*\nmeshscript: BUILD010: 2 errors\n$/,
  )
  expect(module().equals(second)).toBe(true)

  name("'x-a'")
  await until(/^hello\/build\/hello\.wasm .* ms\n$/)
  expect(module().equals(first)).toBe(true)

  stop.abort()
  expect((await done).code).toBe(0)
})

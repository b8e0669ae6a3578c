/** What the transform makes of an author's file, seen in the modules that come out. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, it, test } from 'vitest'
import { buildFilter } from '../../cli/src/build/index.ts'
import { UserError } from '../../cli/src/errors.ts'

// Inside of the workspace, where `@meshscript/sdk` is found.
const cache = fileURLToPath(new URL('../../.cache/', import.meta.url))
mkdirSync(cache, { recursive: true })
const folder = mkdtempSync(join(cache, 'transform-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

interface Built {
  callbacks: string[]
  imports: string[]
  warnings: string[]
  bytes: Buffer
}

let count = 0
async function build(...texts: string[]): Promise<Built> {
  const own = join(folder, String(count++))
  mkdirSync(own)
  const [path] = texts.map((text, index) => {
    const file = join(own, index ? `part${index}.ts` : 'filter.ts')
    writeFileSync(file, text)
    return file
  })
  const { callbacks, imports, warnings, bytes } = await buildFilter({ path: path! })
  return { callbacks, imports, warnings: warnings.map(({ message }) => message), bytes: Buffer.from(bytes) }
}

async function messages(...texts: string[]): Promise<string[]> {
  const error: unknown = await build(...texts).catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(UserError)
  return (error as UserError).diagnostics.map(({ line, message }) => `${line}: ${message}`)
}

const HEAD = `import { Action, HttpContext, log, PeerType, RootContext, StreamContext, utf8 } from '@meshscript/sdk'\n`
const TOUCHED = 'proxy_on_context_create'

it('exports the callbacks that the contexts override, and no others', async () => {
  const { callbacks } = await build(`${HEAD}
    export class Plugin extends RootContext { onTick(): void {} }
    export class Http extends HttpContext<Plugin> {
      onRequestHeaders(): Action { return Action.Continue }
      onLog(): void {}
    }`)
  expect(callbacks.sort()).toEqual([TOUCHED, 'proxy_on_log', 'proxy_on_request_headers', 'proxy_on_tick'])
})

it('sees callbacks that a class inherits from another file', async () => {
  const { callbacks } = await build(
    `import { Base } from './part1'
    export class Http extends Base {}`,
    `${HEAD}
    export abstract class Base extends HttpContext { onResponseBody(): Action { return Action.Continue } }`,
  )
  expect(callbacks.sort()).toEqual([TOUCHED, 'proxy_on_response_body'])
})

it('knows a base class by the name that it is imported under', async () => {
  const { callbacks } = await build(`import { Action, HttpContext as Stream } from '@meshscript/sdk'
    export class Http extends Stream { onRequestTrailers(): Action { return Action.Continue } }`)
  expect(callbacks.sort()).toEqual([TOUCHED, 'proxy_on_request_trailers'])
})

it('takes classes from an export list', async () => {
  const { callbacks } = await build(`${HEAD}
    class Http extends HttpContext { onRequestHeaders(): Action { return Action.Continue } }
    export { Http }`)
  expect(callbacks).toContain('proxy_on_request_headers')
})

it('adds parameters that callbacks leave out', async () => {
  const { callbacks } = await build(`${HEAD}
    export class Plugin extends RootContext { onConfigure(): bool { return true } }
    export class Tcp extends StreamContext<Plugin> {
      onDownstreamData(size: u32): Action { return size ? Action.Continue : Action.Pause }
      onDownstreamClose(): void {}
    }`)
  expect(callbacks).toContain('proxy_on_downstream_connection_close')
})

it('warns of a misspelt callback', async () => {
  const { warnings } = await build(`${HEAD}
    export class Http extends HttpContext {
      onRequestHeader(): Action { return Action.Continue }
      onrequestBody(): Action { return Action.Continue }
      onResponse(): void {}
    }`)
  expect(warnings).toEqual([
    'onRequestHeader is no callback: did you mean onRequestHeaders?',
    'onrequestBody is no callback: did you mean onRequestBody?',
  ])
})

it('exports the answers of callouts where there are callouts', async () => {
  const { callbacks } = await build(`import { Action, Headers, httpCall, HttpContext } from '@meshscript/sdk'
    export class Http extends HttpContext {
      onRequestHeaders(): Action {
        httpCall(this, 'a', new Headers().add(':path', '/'), 5, (self, response) => { self.continueRequest() })
        return Action.Pause
      }
    }`)
  expect(callbacks).toContain('proxy_on_http_call_response')
  expect(callbacks).not.toContain('proxy_on_grpc_receive')
})

it('encodes literals that go to the host as UTF-8', async () => {
  const { bytes } = await build(`${HEAD}
    export class Http extends HttpContext {
      onRequestHeaders(): Action {
        this.requestHeaders.add('x-näme', 'wert\\u00e9')
        log.info('a line')
        this.sendLocalResponse(403, \`no way\`)
        return this.requestHeaders.has(utf8('x-other')) ? Action.Pause : Action.Continue
      }
    }`)
  for (const text of ['x-näme', 'werté', 'a line', 'no way', 'x-other']) {
    expect([text, bytes.includes(Buffer.from(text, 'utf8'))]).toEqual([text, true])
    expect([text, bytes.includes(Buffer.from(text, 'utf16le'))]).toEqual([text, false])
  }
})

it('asks for the log level before a message is formatted, and not for a literal', async () => {
  const filter = (argument: string) =>
    build(`${HEAD}
      export class Http extends HttpContext {
        onRequestHeaders(end: bool): Action { log.info(${argument}); return Action.Continue }
      }`)
  expect((await filter("'text'")).imports).not.toContain('env.proxy_get_log_level')
  expect((await filter('`end ${end}`')).imports).toContain('env.proxy_get_log_level')
})

it('says what a file without a filter lacks', async () => {
  expect(await messages('export const x = 1')).toEqual([
    '1: A filter exports a class that extends HttpContext, StreamContext or RootContext; this file has none.',
  ])
  expect(await messages(`${HEAD}class Http extends HttpContext {}`)).toEqual([
    '2: Export class Http, so that the build can register it.',
  ])
  expect(await messages(`${HEAD}export class A extends HttpContext {}\nexport class B extends HttpContext {}`)).toEqual(
    ['3: Several classes extend HttpContext: let a RootContext choose in its createHttpContext, or export only one.'],
  )
})

describe('the root context', () => {
  const ROOT = `export class Root extends RootContext { tenants: i32 = 7; onTick(): void {} }`
  const USER = `extends HttpContext<Root> {
    onRequestHeaders(): Action { return this.root.tenants == 7 ? Action.Continue : Action.Pause }
  }`
  const FILES: Record<string, [string, ...string[]]> = {
    'imported by the file that is built': [
      `${HEAD}import { Root } from './part1'\nexport class Http ${USER}`,
      HEAD + ROOT,
    ],
    'imported under another name': [
      `${HEAD}import { Other as Root } from './part1'\nexport class Http ${USER}`,
      `${HEAD}${ROOT.replace('export ', '')}\nexport { Root as Other }`,
    ],
    'exported again, by the file that is built': [
      `${HEAD}import { Root } from './part1'\nexport { Root } from './part1'\nexport class Http ${USER}`,
      HEAD + ROOT,
    ],
    'exported again, as the stream is': [
      `export * from './part1'\nexport { Http as Stream } from './part2'`,
      HEAD + ROOT,
      `${HEAD}import { Root } from './part1'\nexport class Http ${USER}`,
    ],
    'a default export': [
      `${HEAD}import Root from './part1'\nexport default class Http ${USER}`,
      `${HEAD}${ROOT.replace('export', 'export default')}`,
    ],
    'in a namespace': [
      `${HEAD}import * as parts from './part1'\nexport class Http ${USER.replace('<Root>', '<parts.Root>')}`,
      HEAD + ROOT,
    ],
    'named by a base class': [
      `${HEAD}import { Root } from './part1'\nimport { Base } from './part2'\nexport class Http ${USER.replace('HttpContext<', 'Base<i32, ')}`,
      HEAD + ROOT,
      `${HEAD}export class Base<T, R extends RootContext> extends HttpContext<R> {}`,
    ],
    'a class that extends the one that a stream asks for': [
      `${HEAD}import { Root } from './part1'\nexport class Mine extends Root {}\nexport class Http ${USER}`,
      HEAD + ROOT,
    ],
  }

  test.each(Object.entries(FILES))('%s is registered', async (_, texts) => {
    const { callbacks, bytes } = await build(...texts)
    expect(callbacks).toContain('proxy_on_tick')
    const module = await newModule(bytes)
    module.proxy_on_context_create!(1, 0)
    module.proxy_on_context_create!(2, 1)
    // What the stream reads of its root is what the class has put there.
    expect(module.proxy_on_request_headers!(2, 0, 1)).toBe(0)
  })

  test('is not another than a stream asks for', async () => {
    const other = `${HEAD}export class Other extends RootContext {}\n`
    expect(await messages(`${other}import { Root } from './part1'\nexport class Http ${USER}`, HEAD + ROOT)).toEqual([
      "4: Http wants Root for its root, but the root context is Other. Let Http say so, or Other extend Root, or register each root with registerRoot('ROOT ID', …).",
    ])
    // Another one makes the stream.
    const maker = `export class Other extends RootContext {
      createHttpContext(): HttpContext | null { return changetype<HttpContext>(new Http()) }
    }`
    expect(await messages(`${HEAD}${maker}\n${ROOT.replace('export ', '')}\nclass Http ${USER}`)).toEqual([
      expect.stringContaining('Http wants Root for its root, but the root context is Other.'),
    ])
  })

  test('has to be there for the build', async () => {
    expect(await messages(`${HEAD}${ROOT.replace('export ', '')}\nexport class Http ${USER}`)).toEqual([
      '2: Export class Root, so that the build can register it.',
    ])
    expect(await messages(`${HEAD}${ROOT.replace('class', 'abstract class')}\nexport class Http ${USER}`)).toEqual([
      '2: Export a class that extends Root, which is abstract, from the file that is built.',
    ])
  })

  test('that nobody registers is warned of', async () => {
    const plain = `export class Http extends HttpContext { onRequestHeaders(): Action { return Action.Continue } }`
    const { warnings } = await build(`${HEAD}import './part1'\n${plain}`, HEAD + ROOT)
    expect(warnings).toEqual(['Root is not registered: export it from the file that is built.'])
    const base = `class Base extends RootContext {}\nexport class Mine extends Base {}\n${plain}`
    expect((await build(HEAD + base)).warnings).toEqual([])
  })

  test('may be one of several that the file registers itself', async () => {
    const { callbacks } = await build(
      `${HEAD}import { Root } from './part1'\nexport class Http ${USER}`,
      `${HEAD}import { registerRoot } from '@meshscript/sdk'\n${ROOT}\nregisterRoot('a', () => new Root())`,
    )
    expect(callbacks).toContain('proxy_on_tick')
  })
})

type Exports = Record<string, (...values: number[]) => number>

/** A module whose hostcalls all succeed, and do nothing. */
async function newModule(bytes: Buffer): Promise<Exports> {
  const imports: Record<string, Record<string, () => number>> = {}
  const module = await WebAssembly.compile(new Uint8Array(bytes))
  for (const { module: from, name } of WebAssembly.Module.imports(module)) (imports[from] ??= {})[name] = () => 0
  const { exports } = await WebAssembly.instantiate(module, imports)
  ;(exports['_initialize'] as () => void)()
  return exports as Exports
}

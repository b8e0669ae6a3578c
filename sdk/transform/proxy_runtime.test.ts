/** What the transform makes of filters that are written for proxy-runtime. */

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, it } from 'vitest'
import { buildFilter } from '../../cli/src/build/index.ts'
import { UserError } from '../../cli/src/errors.ts'

// Inside of the workspace, where `@meshscript/sdk` is found.
const cache = fileURLToPath(new URL('../../.cache/', import.meta.url))
mkdirSync(cache, { recursive: true })
const folder = mkdtempSync(join(cache, 'proxy-runtime-transform-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const COMPAT = '@meshscript/sdk/compat/proxy-runtime'
const ALWAYS = ['proxy_on_configure', 'proxy_on_context_create']
const ROOT = `class Root extends RootContext { createContext(id: u32): Context { return new Stream(id, this) } }
  registerRootContext((id: u32) => new Root(id), 'root')`

let count = 0
async function build(text: string, alias: Record<string, string> = {}): Promise<string[]> {
  const path = join(folder, `filter${count++}.ts`)
  writeFileSync(path, text)
  const { callbacks, warnings } = await buildFilter({ path, alias })
  expect(warnings).toEqual([])
  return callbacks.sort()
}

it('takes a filter that only has another import path', async () => {
  const callbacks = await build(`export * from '${COMPAT}/proxy'
    import { Context, registerRootContext, RootContext } from '${COMPAT}'
    class Stream extends Context { onLog(): void {} }
    ${ROOT}`)
  expect(callbacks).toEqual([...ALWAYS, 'proxy_on_log'])
})

it('needs no line that exports callbacks, and knows a class by any name', async () => {
  const callbacks = await build(
    `import * as sdk from 'proxy-runtime/runtime'
    import { Context as Base, registerRootContext } from 'proxy-runtime'
    class Stream extends Base { onRequestTrailers(count: u32): sdk.FilterTrailersStatusValues { return sdk.FilterTrailersStatusValues.Continue } }
    class Root extends sdk.RootContext {
      onTick(): void { sdk.log(sdk.LogLevelValues.info, 'tick') }
      createContext(id: u32): Base { return new Stream(id, this) }
    }
    registerRootContext((id: u32) => new Root(id), 'root')`,
    { 'proxy-runtime': COMPAT },
  )
  expect(callbacks).toEqual([...ALWAYS, 'proxy_on_request_trailers', 'proxy_on_tick'])
})

it('lets callbacks leave out parameters, as those of older releases do', async () => {
  const callbacks =
    await build(`import { Context, ContextHelper, FilterHeadersStatusValues, makeHeaderPair, registerRootContext, RootContext, stream_context } from '${COMPAT}'
    class Stream extends Context {
      onRequestHeaders(count: u32): FilterHeadersStatusValues {
        stream_context.headers.request.set_headers([makeHeaderPair('a', 'b')])
        return FilterHeadersStatusValues.Continue
      }
    }
    class Root extends RootContext {
      onConfigure(): bool { return true }
      createContext(id: u32): Context { return ContextHelper.wrap(new Stream(id, this)) }
    }
    registerRootContext((id: u32) => new Root(id), 'root')`)
  expect(callbacks).toEqual([...ALWAYS, 'proxy_on_request_headers'])
})

it('exports the answers of callouts, and their cancellation, where there are callouts', async () => {
  const callbacks = await build(`import { BaseContext, Context, registerRootContext, RootContext } from '${COMPAT}'
    class Stream extends Context {}
    class Root extends RootContext {
      onQueueReady(): void {
        this.httpCall('c', [], new ArrayBuffer(0), [], 100, this, (origin: BaseContext, headers: u32, size: usize, trailers: u32) => {})
      }
      on_grpc_trailing_metadata(token: u32, trailers: u32): void {}
      createContext(id: u32): Context { return new Stream(id, this) }
    }
    registerRootContext((id: u32) => new Root(id), 'root')`)
  expect(callbacks).toEqual([
    ...ALWAYS,
    'proxy_on_done',
    'proxy_on_grpc_receive_trailing_metadata',
    'proxy_on_http_call_response',
    'proxy_on_queue_ready',
  ])
})

it("leaves the author's own names alone", async () => {
  const callbacks = await build(`import { Context, registerRootContext, RootContext } from '${COMPAT}'
    namespace log { export function debug(text: string): void {} }
    class Stream extends Context { onDelete(): void { log.debug('gone'.concat('!')) } }
    ${ROOT}`)
  expect(callbacks).toEqual([...ALWAYS, 'proxy_on_delete'])
})

it('says that a filter registers no root context', async () => {
  const error: unknown = await build(`import { RootContext } from '${COMPAT}'
    class Root extends RootContext {}`).catch((caught: unknown) => caught)
  expect(error).toBeInstanceOf(UserError)
  expect((error as UserError).diagnostics[0]?.message).toBe(
    'A filter for proxy-runtime calls registerRootContext(…); this file does not.',
  )
})

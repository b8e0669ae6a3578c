/** What filters of a bundle have of their plugin: configuration, ticks, queues, start and end. */

import { cluster, createHost, type Host, type HostOptions } from '@meshscript/sdk/testing'
import { afterEach, describe, expect, test } from 'vitest'
import { build } from './build.ts'

/** Built before the tests, which have less time. */
const wasm = await build('first.ts', 'second.ts', 'plain.ts', 'lasting.ts')

let host: Host | undefined
afterEach(async () => {
  await host?.close()
  host = undefined
})

const first = { name: 'a' }
const start = async (parts: object, more: Partial<HostOptions> = {}): Promise<Host> =>
  (host = await createHost({ wasm, name: 'bundle', configuration: { version: 1, ...parts }, ...more }))

const lines = (): string[] => host!.logs.map(({ message }) => message)
const seen = async () => (await host!.request('/')).upstream?.headers

describe('configuration', () => {
  test('a filter without a part is off', async () => {
    await start({ second: { name: 'b' } })
    expect((await seen())!.getAll('x-seen').map((text) => text[0])).toEqual(['b'])
    await start({})
    expect((await seen())!.getAll('x-seen')).toEqual([])
    expect(lines()).not.toContain('lasting starts')
  })

  test('any root id will do', async () => {
    await start({ first }, { rootId: 'bundle' })
    expect((await seen())!.getAll('x-seen')).toHaveLength(1)
  })

  test.each([
    [{ first: { name: 'a', rules: [{ path: 3 }] } }, /first\.rules\[0\]\.path: expected string, got number/],
    [{ first: { name: 'a', tick: -1 } }, /first\.tick: expected integer of at least 0/],
    [{ first: { name: 'a', tik: 1 } }, /first\.tik: unknown field; did you mean "tick"\?/],
    [{ first, secnd: {} }, /secnd: unknown field; did you mean "second"\?/],
    [{ first, other: {} }, /other: unknown field/],
    [{ version: 2, first }, /version: expected 1/],
    [{ first: { name: 'a', refuse: true } }, /bundle: first does not take its configuration/],
    [{ first: 'a' }, /first: expected object, got string/],
  ])('%j is refused', async (parts, message) => {
    const error = await start(parts).then(
      () => undefined,
      (failure: { logs: { message: string }[] }) => failure,
    )
    expect(error?.logs.map(({ message }) => message).join('\n')).toMatch(message)
  })

  test('without any, it is refused', async () => {
    const error = await createHost({ wasm }).catch((failure: { logs: { message: string }[] }) => failure)
    expect(JSON.stringify((error as { logs: unknown }).logs)).toMatch(/missing field \\"version\\"/)
  })

  test.each([
    [{ b: [1, '}"'], c: {} }, '{"b":[1,"}\\""],"c":{}}'],
    ['some text', 'some text'],
    [true, 'true'],
    [12.5, '12.5'],
    [[], '[]'],
  ])('as bytes, a part is %j', async (plain, text) => {
    await start({ plain, second: { name: 'b' } })
    expect((await seen())!.get('x-plain')).toBe(text)
  })

  test('a filter may have no context for a stream', async () => {
    await start({ plain: 'nothing', first })
    expect((await seen())!.get('x-plain')).toBeUndefined()
  })
})

test('ticks come to each filter in its own period', async () => {
  await start({ first: { name: 'a', tick: 40 }, second: { name: 'b', tick: 100 } })
  await host!.advance(1020)
  const count = (name: string) => lines().filter((line) => line === `${name} tick`).length
  const [a, b] = [count('a'), count('b')]
  // Two VMs tick, the worker's and the main thread's.
  if (host!.name === 'node') return expect([a, b]).toEqual([50, 20])
  // Timers of real time are late at times.
  expect(b).toBeGreaterThan(8)
  expect(b).toBeLessThanOrEqual(22)
  expect(a).toBeGreaterThan(2 * b - 4)
})

test('messages of a queue come to the filter that has registered it', async () => {
  await start({ first: { name: 'a', queue: 'q-a' }, second: { name: 'b', queue: 'q-b' } })
  await host!.request('/', { headers: { 'x-a': 'queue', 'x-b': 'queue' } })
  await host!.advance(50)
  await expect
    .poll(lines, { timeout: 10_000 })
    .toEqual(expect.arrayContaining(['a has got hello a', 'b has got hello b']))
  expect(lines().join()).not.toContain('not its own')
})

test('answers to root contexts come to the one that has asked, and what they do there is its own', async () => {
  const asking = (name: string) => ({ name, tick: 10, asks: true })
  await start({ first: asking('a'), second: asking('b') }, { clusters: { auth: cluster.http(() => 200) } })
  await host!.advance(100)
  await expect
    .poll(lines, { timeout: 10_000 })
    .toEqual(expect.arrayContaining(['a is told 200', 'b is told 200', 'a has got late', 'b has got late']))
  expect(lines().join()).not.toContain('not its own')
})

test('the plugin ends when the last filter is done', async () => {
  await start({ first, lasting: {} })
  expect(lines()).toContain('lasting starts')
  await host!.reconfigure({ version: 1, first: { name: 'c' } })
  await host!.advance(50)
  await expect.poll(lines, { timeout: 10_000 }).toContain('lasting is done')
  expect((await seen())!.getAll('x-seen')[0]).toMatch(/^c:/)
})

test('streams are logged in the order of the filters', async () => {
  await start({ first, second: { name: 'b' } })
  await host!.request('/')
  await expect
    .poll(() => lines().filter((line) => line.endsWith('logs')), { timeout: 10_000 })
    .toEqual(['a logs', 'b logs'])
})

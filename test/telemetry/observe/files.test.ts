/** Which lines of files are taken for flows. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CliFolder } from '../../../cli/src/testing.ts'
import { flows, linesOf, record, request } from './flows.ts'

let folder: CliFolder
beforeEach(() => (folder = new CliFolder({ 'flows.ndjson': linesOf(flows) })))
afterEach(() => folder.remove())

async function observe(text: string, options = ''): Promise<{ code: number; stdout: string; stderr: string }> {
  folder.write('in', text)
  return folder.run(`observe in ${options}`)
}

const json = JSON.stringify(record(request, 'kind/worker'))
const expected = async () => (await folder.run('observe flows.ndjson --first 1')).stdout

describe('a flow is found', () => {
  test.each<[string, string]>([
    ['in a record', json],
    ['bare', JSON.stringify(request)],
    ['with spaces around it', `\t ${json} \r`],
    [
      "behind a prefix of Envoy's log",
      `[2026-11-23 18:00:00.123][17][info][wasm] [source/extensions/common/wasm/context.cc:1195] wasm log telemetry: flow ${json}`,
    ],
    [
      "in a line of Istio's proxy",
      `2026-11-23T18:00:00.123Z\tinfo\tenvoy wasm external/envoy/context.cc:1195\twasm log: flow ${json}\tthread=25`,
    ],
    ['in a log of JSON', JSON.stringify({ level: 'info', time: 'x', msg: `wasm log: flow ${json}` })],
    ['in another log of JSON', JSON.stringify({ message: `wasm log: flow ${json} [x]` })],
    ['by names in camel case', JSON.stringify({ flow: camel(request), nodeName: 'x', time: request['time'] })],
    [
      'with null for what is absent',
      JSON.stringify({ flow: { ...request, ethernet: null, tunnel: null }, node_name: null }),
    ],
  ])('%s', async (_, line) => {
    expect(await observe(`other line\n${line}\nanother {"line"}\n`)).toEqual({
      code: 0,
      stdout: await expected(),
      stderr: '',
    })
  })

  function camel(value: unknown): unknown {
    if (Array.isArray(value)) return value.map(camel)
    if (typeof value !== 'object' || value === null) return value
    const name = (key: string) => key.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())
    return Object.fromEntries(Object.entries(value).map(([key, each]) => [name(key), camel(each)]))
  }
})

test('numbers stand for names', async () => {
  const numbers = {
    ...request,
    verdict: 1,
    l7: { ...(request['l7'] as object), type: 1 },
    traffic_direction: 1,
    auth_type: 0,
  }
  expect((await observe(JSON.stringify(numbers))).stdout).toBe(await expected())
})

test('a bare flow is printed as a record', async () => {
  const { stdout } = await observe(JSON.stringify(request), '-o jsonpb')
  expect(JSON.parse(stdout)).toEqual(record(request, 'kind/worker'))
})

test('what Hubble writes besides flows is passed over', async () => {
  const others =
    '{"node_status":{"state_change":"NODE_CONNECTED","node_names":["a"]},"node_name":"a"}\n{"lost_events":{"source":"HUBBLE_RING_BUFFER"}}\n'
  expect(await observe(others + json)).toEqual({ code: 0, stdout: await expected(), stderr: '' })
})

test('a line that is no flow is told with its place', async () => {
  const bad = [
    '{"flow":{"time":"today"}}',
    '{"flow":',
    `${json} ${json}`,
    '{"x":1}',
    `{"flow":{"uuid":"${'x'.repeat(2_000_000)}"}}`,
    'log: flow {"flow":[]}',
  ]
  const { code, stdout, stderr } = await observe(`${bad.join('\n')}\n${json}\n`)
  expect({ code, stdout }).toEqual({ code: 0, stdout: await expected() })
  expect(stderr.split('\n')).toEqual([
    'meshscript: in:1: flow.time: expected a time like 2006-01-02T15:04:05.999Z',
    'meshscript: in:2: not valid JSON: the object has no end',
    'meshscript: in:3: there is more than one JSON object in the line',
    'meshscript: in:4: no flow record: it has neither `flow` nor the members of a flow',
    'meshscript: in:5: longer than 1 MiB',
    'meshscript: in:6: flow: expected an object',
    '',
  ])
})

test('what JSON says of a bad line reaches no terminal as it is', async () => {
  const { stderr } = await observe('{"flow": \u001bc}\n')
  expect(stderr).toMatch(/^meshscript: in:1: not valid JSON: .*\^\[.*\nmeshscript: OBS004: /)
})

test('a file without flows is a failure, one of a log without them is not', async () => {
  expect(await observe('{"a":1}\n')).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringContaining('OBS004: no line of in is a flow record'),
  })
  expect(await observe('a log\n')).toEqual({ code: 0, stdout: '', stderr: '' })
  expect(await observe('')).toEqual({ code: 0, stdout: '', stderr: '' })
})

test('files that cannot be read', async () => {
  mkdirSync(join(folder.path, 'sub'))
  const failure = (stderr: string) => ({ code: 1, stdout: '', stderr })
  expect(await folder.run('observe none')).toEqual(
    failure('meshscript: OBS003: none cannot be read: there is no such file\n'),
  )
  expect(await folder.run('observe sub')).toEqual(failure('meshscript: OBS003: sub is a folder; name its files\n'))
})

test('several files are read in their order, and no further than needed', async () => {
  folder.write('one', linesOf([request]))
  const { code, stdout } = await folder.run('observe one flows.ndjson --input-file none --first 3')
  expect({ code, lines: stdout.split('\n').slice(0, 2) }).toEqual({
    code: 0,
    lines: Array(2).fill((await expected()).trimEnd()),
  })
})

test('colours only on a terminal, unless asked for', async () => {
  const isColored = async (options: string, env = {}) =>
    (await folder.run(`observe flows.ndjson ${options}`, { env })).stdout.includes('\x1b[')
  expect(await isColored('')).toBe(false)
  expect(await isColored('', { FORCE_COLOR: '1' })).toBe(true)
  expect(await isColored('--color never', { FORCE_COLOR: '1' })).toBe(false)
  expect(await isColored('--color always', { NO_COLOR: '1' })).toBe(true)
  expect(await isColored('--color always -o table')).toBe(false)
})

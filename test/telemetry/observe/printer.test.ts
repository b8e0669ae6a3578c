/** What is printed, line for line beside what `hubble observe` (1.19.4) printed of the same flows: fixtures/. */
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CliFolder } from '../../../cli/src/testing.ts'
import { denied, flows, linesOf, record, request, response } from './flows.ts'

const hubble = (name: string) => readFileSync(fileURLToPath(new URL(`fixtures/${name}.txt`, import.meta.url)), 'utf8')

let folder: CliFolder
beforeEach(() => (folder = new CliFolder({ 'flows.ndjson': linesOf(flows) })))
afterEach(() => folder.remove())

async function print(options: string, records?: unknown[]): Promise<string> {
  if (records) folder.write('flows.ndjson', linesOf(records))
  const { code, stdout, stderr } = await folder.run(`observe flows.ndjson ${options}`)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout
}

describe('as Hubble', () => {
  test.each([
    ['compact', ''],
    ['dict', '-o dict'],
    ['dict-nodes-colors', '-o dict --print-node-name --color always --not --protocol dns'],
    ['table', '-o table'],
    ['table-nodes', '-o table --print-node-name --color always'],
    ['numeric', '--numeric'],
    ['policies', '--print-policy-names --print-node-name -t policy-verdict'],
    ['colors', '--color always --not --protocol dns'],
    ...['StampMilli', 'YearMonthDay', 'YearMonthDayHour', 'YearMonthDayHourMinute'].map(timed),
    ...['RFC3339', 'RFC3339Milli', 'RFC3339Micro', 'RFC3339Nano', 'RFC1123Z'].map(timed),
  ])('%s', async (name, options) => {
    expect(await print(options)).toBe(hubble(name))
  })

  function timed(format: string): [string, string] {
    return [`time-${format}`, `--time-format ${format}`]
  }

  test.each(['json', 'jsonpb'])('%s', async (form) => {
    const lines = (text: string) =>
      text
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line))
    expect(lines(await print(`-o ${form}`))).toEqual(lines(hubble('jsonpb')))
  })

  test('its own JSON passes byte by byte', async () => {
    folder.write('flows.ndjson', hubble('jsonpb'))
    expect(await print('-o jsonpb')).toBe(hubble('jsonpb'))
  })
})

test('the examples that are documented', async () => {
  const lines = (await print('')).split('\n')
  const death = 'default/deathstar-6fb5694d48-5hmds:80 (ID:21349)'
  const host = 'http://deathstar.default.svc.cluster.local'
  expect(lines.slice(0, 5)).toEqual([
    `Jan  2 15:04:05.101: default/tiefighter:43010 (ID:5531) -> ${death} http-request FORWARDED (HTTP/1.1 POST ${host}/v1/request-landing)`,
    `Jan  2 15:04:05.103: default/tiefighter:43010 (ID:5531) <- ${death} http-response FORWARDED (HTTP/1.1 200 1ms (POST ${host}/v1/request-landing))`,
    `Jan  2 15:04:07.220: default/tiefighter:43012 (ID:5531) -> ${death} http-request DROPPED (HTTP/1.1 PUT ${host}/v1/exhaust-port)`,
    `Jan  2 15:04:09.418: default/xwing:52110 (ID:17403) -> ${death} policy-verdict:none INGRESS DENIED (TCP Flags: SYN)`,
    `Jan  2 15:04:11.006: default/xwing:52114 (ID:17403) -> ${death} policy-verdict:none INGRESS AUDITED (TCP Flags: SYN)`,
  ])
})

test('requests that a filter decided name their policies', async () => {
  const egress = { ...denied, traffic_direction: 'EGRESS', egress_denied_by: [{ name: 'out', kind: 'Sidecar' }] }
  const allowed = { ...request, ingress_allowed_by: [{ name: 'all', kind: 'AuthorizationPolicy' }] }
  const text = await print('--print-policy-names', [denied, egress, allowed, response, { ...denied, verdict: 'AUDIT' }])
  expect(text.match(/http-\w+ (.*?) \(HTTP/g)).toEqual([
    'http-request DROPPED BY rule1 (CiliumNetworkPolicy) (HTTP',
    'http-request DROPPED BY out (Sidecar) (HTTP',
    'http-request FORWARDED BY all (AuthorizationPolicy) (HTTP',
    'http-response FORWARDED (HTTP',
    'http-request AUDIT BY rule1 (CiliumNetworkPolicy) (HTTP',
  ])
  expect(await print('', [denied])).toContain('http-request DROPPED (HTTP')
})

test('summaries are made where there are none', async () => {
  const without = (flow: object) => ({ ...flow, Summary: undefined })
  expect(await print('', [request, response, denied].map(without))).toBe(await print('', [request, response, denied]))
})

test('verdicts of later versions are shown as they are', async () => {
  const text = await print('--print-policy-names --color always', [{ ...denied, verdict: 'LATER' }])
  expect(text).toContain(' http-request LATER (HTTP')
})

test('time and node of the record stand for those of the flow', async () => {
  const bare = { ...request, time: undefined, node_name: undefined }
  expect(await print('--print-node-name', [{ ...record(bare, 'n1'), time: '2006-01-02T15:04:05.9Z' }])).toMatch(
    /^Jan {2}2 15:04:05.900 \[n1\]: /,
  )
})

describe('what a terminal would obey', () => {
  const evil = '\u001b]0;title\u0007\n\u009b2J\t\u202eabc\u007f\r'

  test.each(['compact', 'dict', 'table', 'jsonpb'])('does not reach it as %s', async (form) => {
    const source = { ...(request['source'] as object), pod_name: evil, namespace: evil }
    const l7 = { type: evil, http: { method: evil, url: evil } }
    const flow = { ...request, source, l7: { ...l7, type: 'REQUEST' }, Summary: evil, node_name: evil }
    const by = [{ name: evil, kind: evil }]
    const records = [flow, { ...flow, Summary: '', verdict: 'DROPPED', ingress_denied_by: by, IP: { source: evil } }]
    const text = await print(`-o ${form} --print-node-name --print-policy-names --color never`, records)
    const lines = text.trimEnd().split('\n')
    expect(lines).toHaveLength({ compact: 2, dict: 15, table: 3, jsonpb: 2 }[form]!)
    // eslint-disable-next-line no-control-regex -- they are what is looked for
    expect(lines.join('')).not.toMatch(/[\0-\x1f\x7f-\x9f\u202e]/)
    if (form === 'jsonpb') expect(lines.map((line) => JSON.parse(line).flow)).toEqual(records)
  })

  test('keeps a table in line', async () => {
    const wide = { ...request, source_service: { name: '名前🙂', namespace: 'x' }, source: {} }
    const [head, first, second] = (await print('-o table', [wide, request])).split('\n')
    const places = [head, first, second].map((line) => [...line!].join('').search(/DESTINATION|default\/deathstar/))
    // One character of the first row is two units of UTF-16.
    expect(places).toEqual([places[0], places[0]! + 1, places[0]])
  })
})

/** Which flows are shown, beside what `hubble observe` (1.19.4) shows of the same flows with the same options: hubble.ts. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { CliFolder } from '../../../cli/src/testing.ts'
import { flows, linesOf, request } from './flows.ts'
import { refused, shown } from './hubble.ts'

let folder: CliFolder
let all: string[]
beforeAll(async () => {
  folder = new CliFolder({ 'flows.ndjson': linesOf(flows) })
  all = (await observe([])).split('\n')
})
afterAll(() => folder.remove())

async function observe(options: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await folder.run(['observe', 'flows.ndjson', ...options])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return stdout.trimEnd()
}

test('every flow is printed in another way', () => {
  expect(new Set(all).size).toBe(flows.length)
})

test.each(shown)('%j', async (options, wanted) => {
  const lines = (await observe(options)).split('\n').filter(Boolean)
  expect(lines.map((line) => all.indexOf(line))).toEqual(wanted)
})

test.each(refused)('refused: %s', async (...options) => {
  const { code, stdout, stderr } = await folder.run(['observe', 'flows.ndjson', ...options])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^meshscript: OBS00[12]: /)
})

describe('messages say what to write instead', () => {
  test.each([
    ['--http-status 600', '--http-status "600": expected a status such as 404, or the beginning of one: 5+, 40+'],
    ['--verdict no', '--verdict "no": expected one of VERDICT_UNKNOWN, FORWARDED, DROPPED, ERROR, AUDIT'],
    ['--http-path (', '--http-path "(": "(" is not a valid regular expression: unterminated group'],
    ['--http-path (?=a)', '--http-path "(?=a)": "(?=a)": RE2 has no look-ahead and look-behind; match what is wanted'],
    ['--http-header a', '--http-header "a": expected NAME:VALUE'],
    ['--ip 1.2.3', '--ip "1.2.3": expected an IP address, or a range such as 10.0.0.0/8'],
    ['--to-port http', '--to-port "http": expected a port'],
    ['--identity me', '--identity "me": expected a number or one of host, world,'],
    ['--type l8', '--type "l8": expected a number or one of capture, drop, l7,'],
    ['--type constructor', '--type "constructor": expected a number or one of capture, drop, l7,'],
    ['--http-path [[:constructor:]]', '--http-path "[[:constructor:]]": '],
    ['--type trace:x', '--type "trace:x": a subtype is a number, or for trace one of to-endpoint,'],
    ['--traffic-direction in', '--traffic-direction "in": expected ingress or egress'],
    ['--since yesterday', '--since "yesterday": expected a duration such as 5m or 1h30m, or a time such as'],
    ['--pod a --to-pod b', '--pod and --to-pod cannot be combined; leave one of them out'],
    ['--type drop --http-method get', '--http-method needs flows of --type l7; leave --type out, or name l7 too'],
    ['-n a --pod b/c', 'the namespace "a" and b/c do not go together; name one namespace'],
    ['--verdict AUDIT --not', '--not is the last filter; it stands before the filter that it reverses'],
    ['--first 1 --last 1', '--first and --last cannot be combined; leave one of them out'],
    ['-f -o table', 'a table is printed at the end, and --follow has none; take another form for --output'],
    ['--listen 1', 'flows are read from files or received; leave FILE or --listen out'],
  ])('%s', async (options, message) => {
    const { code, stderr } = await folder.run(`observe flows.ndjson ${options}`)
    expect(code).toBe(2)
    expect(stderr).toMatch(/^meshscript: OBS00[12]: /)
    expect(stderr.replace(/^meshscript: OBS\d+: /, '')).toContain(message)
  })

  test.each(['--last 0', '--last 1000001', '--first x', '-o xml', '--color maybe', '--time-format ISO'])(
    '%s',
    async (wrong) => {
      const { code, stdout, stderr } = await folder.run(`observe flows.ndjson ${wrong}`)
      expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
      expect(stderr).toContain('is invalid')
    },
  )
})

test('durations count from now', async () => {
  const ago = (minutes: number) => new Date(Date.now() - minutes * 60_000).toISOString()
  const records = [120, 90, 10, 0].map((minutes) => ({ ...request, time: ago(minutes) }))
  folder.write('recent.ndjson', linesOf(records))
  const count = async (options: string) =>
    (await folder.run(`observe recent.ndjson ${options}`)).stdout.split('\n').length - 1
  expect(await count('--since 5m')).toBe(1)
  expect(await count('--since 1.7h')).toBe(3)
  expect(await count('--since 1h45m --until 300s')).toBe(2)
  expect(await count('--until -1h')).toBe(4)
})

test('paths are compared without query and escapes', async () => {
  const http = (url: string) => ({ ...request, l7: { type: 'REQUEST', http: { method: 'GET', url } }, Summary: url })
  const urls = [
    'http://h/a%20b?x=/c',
    'http://h',
    'http://h?q=/a',
    '/a/b',
    'a/b',
    'http://h/%zz',
    'http://u:p@h:1/a#/c',
    '',
    'http://h:x/c',
    '//h/c',
    '?c',
    'http://[::1]:80/c',
    '/%2fd',
    'http://h/é b',
  ]
  folder.write('paths.ndjson', linesOf(urls.map(http)))
  const shownFor = async (path: string) => {
    const { stdout } = await folder.run(['observe', 'paths.ndjson', '--http-path', path, '-o', 'jsonpb'])
    return stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line).flow.Summary as string)
  }
  expect(await shownFor('^/a b$')).toEqual([urls[0]])
  expect(await shownFor('c')).toEqual([urls[6], urls[9], urls[11]])
  expect(await shownFor('^//(h|d)')).toEqual([urls[9], urls[12]])
  expect(await shownFor('é b$')).toEqual([urls[13]])
  expect(await shownFor('^$')).toEqual([urls[1], urls[2]])
  const invalid = ['a/b', 'http://h/%zz', '', 'http://h:x/c', '?c']
  expect(await shownFor('')).toEqual(urls.filter((url) => !invalid.includes(url)))
})

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CliFolder } from '../testing.ts'

const policies = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: callers
  namespace: payments
spec:
  selector:
    matchLabels:
      app: payments
  rules:
  - from:
    - source:
        principals: ["cluster.local/ns/frontend/sa/default"]
    to:
    - operation:
        methods: ["POST"]
        paths: ["/charge", "/refund"]
    - operation:
        paths: ["/status"]
    when:
    - key: request.headers[X-Auth]
      values: ["admin"]
      notValues: ["guest*"]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: no-debug
  namespace: payments
spec:
  action: DENY
  rules:
  - to:
    - operation:
        notPaths: ["/charge*", "/status", "/refund"]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: ledger
  namespace: payments
spec:
  selector:
    matchLabels:
      app: ledger
`
const workload = ['--workload', 'payments/payments', '--labels', 'app=payments']
const frontend = ['--peer', 'spiffe://cluster.local/ns/frontend/sa/default']

let folder: CliFolder
beforeEach(() => {
  folder = new CliFolder({ 'policies.yaml': policies })
})
afterEach(() => folder.remove())

const explain = (...args: string[]) => folder.run(['explain', 'policies.yaml', ...workload, ...args])
const explainJson = async (...args: string[]) => {
  const { code, stdout, stderr } = await explain('--json', ...args)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  return JSON.parse(stdout).results
}

describe('for people', () => {
  test('an allowed request', async () => {
    const curl = "curl -X POST -H 'X-Auth: admin' http://payments/charge?amount=5"
    const { code, stdout, stderr } = await explain('--curl', curl, ...frontend)
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatchInlineSnapshot(`
      "ALLOWED  POST /charge?amount=5 to payments, as spiffe://cluster.local/ns/frontend/sa/default
        an ALLOW rule matches: ns[payments]-policy[callers]-rule[0]
        policies.yaml:11:5
         11 |   - from:
            |     ^^^^^

      AuthorizationPolicy payments/no-debug  DENY  policies.yaml:28:9
        ✗ rules[0] does not match  policies.yaml:33:5
            to[0].notPaths  wants none of /charge*, /status, /refund, the request has /charge

      AuthorizationPolicy payments/callers  ALLOW  policies.yaml:4:9
        ✓ rules[0] matches  policies.yaml:11:5

      Do not apply to the workload:
        AuthorizationPolicy payments/ledger  policies.yaml:40:9
      "
    `)
  })

  test('one that no rule allows: every field that fails, in the entries that come into question', async () => {
    const { stdout } = await explain('--path', '/status', '--header', 'x-auth: guest1')
    expect(stdout.split('\n').slice(0, 2)).toEqual([
      'DENIED  GET /status to localhost, without a client certificate',
      '  no ALLOW rule matches (403)',
    ])
    expect(stdout.split('\n').filter((line) => line.includes('['))).toEqual([
      '  ✗ rules[0] does not match  policies.yaml:33:5',
      '      to[0].notPaths  wants none of /charge*, /status, /refund, the request has /status',
      '  ✗ rules[0] does not match  policies.yaml:11:5',
      '      from[0].principals                 wants cluster.local/ns/frontend/sa/default, the request has no client certificate',
      '      when[0] header x-auth              wants admin, the request has guest1',
      '      when[0] header x-auth (notValues)  wants none of guest*, the request has guest1',
    ])
  })

  test('one that a rule refuses', async () => {
    const { stdout } = await explain('--path', '/charge/../debug')
    expect(stdout).toContain(
      '  a DENY rule matches (403): ns[payments]-policy[no-debug]-rule[0]\n  policies.yaml:33:5\n   33 |   - to:',
    )
    expect(stdout).toContain('the filter sees the path /debug\n')
  })

  test('what a file says does not act on the terminal', async () => {
    folder.write('request.json', JSON.stringify({ path: '/charge', headers: { 'x-auth': '\x1b[2Jx\u202e' } }))
    const { stdout } = await explain('--request', 'request.json')
    expect(stdout).toContain('the request has \\x1b[2Jx\\u{202e}\n')
  })
})

describe('for programs', () => {
  test('the whole of it', async () => {
    const [result] = await explainJson('--method', 'POST', '--path', '/charge', '--header', 'X-Auth: user', ...frontend)
    expect(result).toMatchSnapshot()
  })

  test('several requests, in order', async () => {
    folder.write('requests.json', JSON.stringify([{ path: '/status' }, { path: '/debug' }]))
    const results = await explainJson('--request', 'requests.json', ...frontend, '--header', 'x-auth: admin')
    expect(results.map((each: { verdict: string }) => each.verdict)).toEqual(['allowed', 'denied'])
  })
})

test('requests of an HTTP archive', async () => {
  const entry = (url: string) => ({ request: { method: 'GET', url, headers: [{ name: 'X-Auth', value: 'admin' }] } })
  folder.write('a.har', JSON.stringify({ log: { entries: [entry('http://a/x'), entry('https://b/status')] } }))
  const paths = (results: { request: { path: string } }[]) => results.map(({ request }) => request.path)
  expect(paths(await explainJson('--har', 'a.har'))).toEqual(['/x', '/status'])
  const chosen = await explainJson('--har', 'a.har', '--entry', '1', ...frontend)
  expect(paths(chosen)).toEqual(['/status'])
  expect(chosen[0].verdict).toBe('allowed')
})

test('every rule and every field is the filter’s own answer', async () => {
  const methods = ['GET', 'POST', 'PUT']
  // More rules than are asked together, of which some match.
  const rule = (index: number) =>
    `  - to: [{operation: {paths: ["/a${index % 7}*", "/b"], methods: ["${methods[index % 3]}"]}}]\n`
  const head = policies.split('---')[0]!.replace(/ {2}rules:[^]*/, '  rules:\n')
  folder.write('policies.yaml', head + Array.from({ length: 100 }, (_, index) => rule(index)).join(''))
  const [{ policies: found }] = await explainJson('--path', '/a5', '--method', 'PUT')
  for (const { index, matched, fields } of found[0].rules) {
    const [path, method] = [index % 7 === 5, index % 3 === 2]
    expect([index, matched]).toEqual([index, path && method])
    const answers = fields.map((field: { name: string; matched: boolean }) => [field.name, field.matched])
    if (!matched)
      expect(answers.sort()).toEqual([
        ['methods', method],
        ['paths', path],
      ])
  }
})

test('a refused gRPC call, which has status 200', async () => {
  const [result] = await explainJson('--path', '/a.B/C', '--header', 'content-type: application/grpc')
  expect(result).toMatchObject({ verdict: 'denied', status: 200, rule: 'ns[payments]-policy[no-debug]-rule[0]' })
})

test('paths are normalized as the mesh configuration says', async () => {
  const seen = async (normalization: string) => {
    folder.write('mesh.yaml', `pathNormalization: {normalization: ${normalization}}`)
    const [{ request }] = await explainJson('--path', '/a/../b//c%2fd', '--mesh-config', 'mesh.yaml')
    return request.path
  }
  expect(await seen('NONE')).toBe('/a/../b//c%2fd')
  expect(await seen('BASE')).toBe('/b//c%2fd')
  expect(await seen('MERGE_SLASHES')).toBe('/b/c%2fd')
  expect(await seen('DECODE_AND_MERGE_SLASHES')).toBe('/b/c/d')
})

test('a path that Envoy refuses is put before no policy', async () => {
  const [result] = await explainJson('--path', '/a b')
  expect(result).toMatchObject({ verdict: 'rejected', status: 400, policies: [] })
})

test('no policy at all', async () => {
  const { code, stdout, stderr } = await folder.run('explain policies.yaml --workload other/x --path /x')
  expect(code).toBe(0)
  expect(stdout).toContain('ALLOWED  GET /x to localhost, without a client certificate\n  there is no ALLOW policy')
  expect(stderr).toContain('warning MS1402: no policy selects other/x')
})

test('the exit code tells the verdict where it is asked for', async () => {
  expect(await explain('--path', '/debug')).toMatchObject({ code: 0, stderr: '' })
  expect(await explain('--path', '/debug', '--fail-on-deny')).toMatchObject({ code: 1, stderr: '' })
  const allowed = ['--path', '/status', '--header', 'x-auth: admin', ...frontend]
  expect(await explain(...allowed, '--fail-on-deny')).toMatchObject({ code: 0 })
})

describe('mistakes', () => {
  test.each([
    [['--curl', 'curl'], '--curl: the command has no URL'],
    [['--curl', 'curl h', '--har', 'x'], "option '--har <FILE>' cannot be used with option '--curl <COMMAND>'"],
    [['--entry', '1'], '--entry goes with --har'],
    [['--header', 'nonsense'], '--header "nonsense": expected NAME: VALUE'],
    [['--port', '99999'], 'a port is a number from 1 to 65535'],
    [['--claims', '{'], '--claims is no JSON'],
    [['--path', 'x'], 'a path begins with /'],
    [['--peer', 'cluster.local/ns/a/sa/b'], 'has no scheme: write spiffe://cluster.local/ns/a/sa/b'],
    [['--source-ip', '1.2.3'], '"1.2.3" is no IP address'],
    [['--remote-ip', 'x'], '"x" is no IP address'],
    [['--header', 'x-forwarded-for: 1.2.3.4', '--remote-ip', '1.2.3.4'], 'already given by the header x-forwarded-for'],
    [['--workload', 'x'], 'expected NAMESPACE/NAME'],
  ])('in usage: %j', async (args, message) => {
    const { code, stdout, stderr } = await explain(...args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
  })

  test.each([
    ['missing.json', undefined, 'cannot read missing.json'],
    ['text.json', 'text', 'text.json is no JSON'],
    ['wrong.json', '{"pth":"/"}', 'wrong.json: unknown field "pth"; did you mean path?'],
  ])('in a file: %s', async (name, content, message) => {
    if (content !== undefined) folder.write(name, content)
    const { code, stderr } = await explain('--request', name)
    expect(code).toBe(1)
    expect(stderr).toContain(message)
  })

  test('in policies are shown as by compile', async () => {
    folder.write('policies.yaml', policies.replace('notPaths', 'notPath'))
    const { code, stdout, stderr } = await explain()
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toContain('policies.yaml:35:9 error MS1101: unknown field "notPath"')
  })
})

import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { CliFolder } from '../testing.ts'

const policy = (rules: string, action = 'ALLOW', name = 'p') => `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: ${name}
  namespace: payments
spec:
  action: ${action}
  rules:
${rules}
`
const paths = (...list: string[]) => `  - to: [{operation: {paths: ${JSON.stringify(list)}}}]`
const withHeader = (path: string, value: string) =>
  `${paths(path)}\n    when: [{key: "request.headers[x-auth]", values: ["${value}"]}]`

let folder: CliFolder
beforeEach(() => {
  folder = new CliFolder()
})
afterEach(() => folder.remove())

const log = (path: string, more: object = {}) => JSON.stringify({ method: 'GET', path, response_code: 200, ...more })

async function diff(old: string, now: string, traffic: readonly string[], flags = '') {
  folder.write('old.yaml', old)
  folder.write('new.yaml', now)
  folder.write('traffic.jsonl', traffic.join('\n'))
  return folder.run(`diff old.yaml new.yaml --traffic traffic.jsonl --workload payments/payments ${flags}`)
}

async function diffJson(old: string, now: string, traffic: readonly string[]) {
  const { code, stdout } = await diff(old, now, traffic, '--json')
  const { summary, groups } = JSON.parse(stdout)
  const { changed, undecided, unchanged } = summary
  expect(code).toBe(changed + undecided > 0 ? 1 : 0)
  return { changed, undecided, unchanged, groups }
}

test('lists the requests whose verdict changes, with the rules that decide', async () => {
  const traffic = [
    log('/a?x=1'),
    log('/b'),
    log('/a?x=2'),
    log('/c'),
    log('/out', { upstream_cluster: 'outbound|80||x' }),
  ]
  const { code, stdout, stderr } = await diff(policy(paths('/a', '/b')), policy(paths('/b', '/c')), [...traffic, '{'])
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
  expect(stdout.replace(/JSON object: .*\)/, 'JSON object: …)')).toMatchInlineSnapshot(`
    "4 requests: 3 change, 1 do not
    left out: 1 outbound, 1 unreadable (line 6 is no JSON object: …)

    GET /a  allowed → denied  2 ×, first in line 1
      old  ns[payments]-policy[p]-rule[0]  old.yaml:9:5
      new  no ALLOW rule matches

    GET /c  denied → allowed  1 ×, first in line 4
      old  no ALLOW rule matches
      new  ns[payments]-policy[p]-rule[0]  new.yaml:9:5
    "
  `)
})

test('for programs', async () => {
  const { stdout } = await diff(policy(paths('/a')), policy(paths('/b')), [log('/a')], '--json')
  expect(JSON.parse(stdout)).toEqual({
    version: 1,
    summary: { requests: 1, changed: 1, undecided: 0, unchanged: 0, lines: 1, skipped: {}, unreadable: 0 },
    groups: [
      {
        kind: 'changed',
        method: 'GET',
        path: '/a',
        count: 1,
        line: 1,
        old: {
          verdicts: ['allowed'],
          rule: 'ns[payments]-policy[p]-rule[0]',
          provider: null,
          place: { file: 'old.yaml', line: 9, column: 5 },
        },
        new: { verdicts: ['denied'], rule: null, provider: null, place: null },
        dependsOn: [],
      },
    ],
    diagnostics: { old: [], new: [] },
  })
})

describe('what a record does not tell is not guessed', () => {
  const isUndecided = { changed: 0, undecided: 1, unchanged: 0 }
  const isSame = { changed: 0, undecided: 0, unchanged: 1 }

  test('the verdict depends on it', async () => {
    const old = policy(withHeader('/a', 'x'))
    const { groups, ...counts } = await diffJson(old, policy(withHeader('/a', 'y')), [log('/a')])
    expect(counts).toEqual(isUndecided)
    expect(groups[0]).toMatchObject({
      kind: 'undecided',
      old: { verdicts: ['denied', 'allowed'], rule: null },
      new: { verdicts: ['denied', 'allowed'] },
      dependsOn: ['header x-auth'],
    })
  })

  test('it is the same in both, whatever that is', async () => {
    const old = policy(`${withHeader('/a', 'x')}\n${paths('/b')}`)
    const reordered = policy(`${paths('/c')}\n${withHeader('/a', 'x')}`)
    expect(await diffJson(old, reordered, [log('/a')])).toMatchObject(isSame)
    // A rule that was edited for other paths.
    const edited = policy(withHeader('/a', 'x').replace('"/a"', '"/a","/b"'))
    expect(await diffJson(policy(withHeader('/a', 'x')), edited, [log('/a')])).toMatchObject(isSame)
    expect(await diffJson(policy(withHeader('/a', 'x')), edited, [log('/b')])).toMatchObject(isUndecided)
  })

  test('another rule decides anyway', async () => {
    const old = policy(`${withHeader('/a', 'x')}\n${paths('/a')}`)
    expect(await diffJson(old, policy(paths('/a')), [log('/a')])).toMatchObject(isSame)
    expect(await diffJson(old, policy(paths('/b')), [log('/a')])).toMatchObject({ changed: 1 })
  })

  test('in DENY rules, and in notX', async () => {
    const allow = policy(paths('/*'), 'ALLOW', 'all')
    const deny = (rules: string) => `${allow}---\n${policy(rules, 'DENY')}`
    const { groups } = await diffJson(deny(withHeader('/a', 'x')), allow, [log('/a')])
    expect(groups[0]).toMatchObject({ old: { verdicts: ['denied', 'allowed'] }, new: { verdicts: ['allowed'] } })
    const not = (value: string) => `  - from: [{source: {notPrincipals: ["${value}"]}}]`
    const other = await diffJson(deny(not('a')), deny(not('b')), [log('/a')])
    expect(other).toMatchObject(isUndecided)
    expect(other.groups[0].dependsOn).toEqual(['principal'])
  })

  test('the first ALLOW policy refuses what it does not name', async () => {
    const deny = policy(withHeader('/a', 'x'), 'DENY')
    expect(await diffJson(deny, `${deny}---\n${policy(paths('/b'), 'ALLOW', 'b')}`, [log('/a')])).toMatchObject(
      isUndecided,
    )
  })

  test('a full record decides', async () => {
    const requests = ['x', 'y', 'z'].map((value) => JSON.stringify({ path: '/a', headers: { 'X-Auth': value } }))
    const result = await diffJson(policy(withHeader('/a', 'x')), policy(withHeader('/a', 'y')), requests)
    expect(result).toMatchObject({ changed: 2, undecided: 0, unchanged: 1 })
  })
})

test('flows of Hubble: who calls is in their labels', async () => {
  const from = (name: string) => `  - from: [{source: {principals: ["cluster.local/ns/a/sa/${name}"]}}]`
  const flow = (name: string) => ({
    source: { labels: ['k8s:io.kubernetes.pod.namespace=a', `k8s:io.cilium.k8s.policy.serviceaccount=${name}`] },
    destination: { namespace: 'payments' },
    l7: { type: 'REQUEST', http: { method: 'GET', url: 'http://payments/' } },
  })
  const traffic = ['x', 'y', 'z'].map((name) => JSON.stringify({ flow: flow(name) }))
  expect(await diffJson(policy(from('x')), policy(from('y')), traffic)).toMatchObject({ changed: 2, unchanged: 1 })
})

test('--limit', async () => {
  const traffic = ['/a', '/b', '/c'].map((path) => log(path))
  const { stdout } = await diff(policy(paths('/a', '/b', '/c')), policy(paths('/x')), traffic, '--limit 1')
  expect(stdout).toContain('GET /a')
  expect(stdout).not.toContain('GET /b')
  expect(stdout).toContain('… and 2 more (--limit shows them)\n')
})

describe('trouble has exit code 2', () => {
  test.each([
    ['no records', ['text'], '', 'traffic.jsonl has no records: line 1 is no JSON object'],
    ['no such file', [], '--traffic none', 'cannot read none'],
    ['wrong limit', [], '--limit 0', 'expected a number from 1'],
    ['no policies', [], '--mesh-config none', 'cannot read none'],
  ])('%s', async (_, traffic, flags, message) => {
    const { code, stdout, stderr } = await diff(policy(paths('/a')), policy(paths('/a')), traffic, flags)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(message)
  })
})

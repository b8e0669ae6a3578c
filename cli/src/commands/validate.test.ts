import { afterEach, beforeEach, expect, test } from 'vitest'
import { CliFolder } from '../testing.ts'

const valid = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: p, namespace: a}
spec: {}
`
const invalid = valid.replace('name: p', 'name: q').replace('spec: {}', 'spec: {acton: DENY}')

let folder: CliFolder
beforeEach(() => {
  folder = new CliFolder({ 'valid.yaml': valid, 'invalid.yaml': invalid })
})
afterEach(() => folder.remove())

test('says that all is valid', async () => {
  expect(await folder.run('validate valid.yaml')).toEqual({
    code: 0,
    stdout: '1 resource checked: no errors\n',
    stderr: '',
  })
})

test('says what is not, and where', async () => {
  const { code, stdout, stderr } = await folder.run('validate .')
  expect({ code, stdout }).toEqual({ code: 1, stdout: '2 resources checked: 1 error\n' })
  expect(stderr).toBe(`invalid.yaml:4:8 error MS1101: unknown field "acton"
    4 | spec: {acton: DENY}
      |        ^^^^^
      = in: AuthorizationPolicy a/q: spec.acton
      = help: did you mean "action"?

`)
})

test('prints JSON', async () => {
  const { code, stdout, stderr } = await folder.run('validate . --json')
  expect({ code, stderr }).toEqual({ code: 1, stderr: '' })
  expect(JSON.parse(stdout)).toEqual({
    version: 1,
    valid: false,
    checked: 2,
    ignored: 0,
    diagnostics: [
      {
        severity: 'error',
        code: 'MS1101',
        file: 'invalid.yaml',
        line: 4,
        column: 8,
        resource: 'AuthorizationPolicy a/q',
        field: 'spec.acton',
        message: 'unknown field "acton"',
        hint: 'did you mean "action"?',
      },
    ],
  })
})

test('reads lists in lists, several documents, and kinds that are not checked', async () => {
  const item = {
    apiVersion: 'security.istio.io/v1',
    kind: 'PeerAuthentication',
    metadata: { name: 'p', namespace: 'a' },
  }
  const typed = {
    metadata: { name: 'r', namespace: 'a' },
    spec: { jwtRules: [{ isuer: 'i', jwksUri: 'https://i/keys' }] },
  }
  const list = { apiVersion: 'security.istio.io/v1', kind: 'RequestAuthenticationList', items: [typed] }
  const all = {
    apiVersion: 'v1',
    kind: 'List',
    items: [item, list, { apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }],
  }
  folder.write('list.json', JSON.stringify(all))
  const { code, stdout, stderr } = await folder.run('validate list.json valid.yaml')
  expect({ code, stdout }).toEqual({ code: 1, stdout: '3 resources checked, 1 not: 1 error\n' })
  expect(stderr).toContain('error MS1101: unknown field "isuer"')
})

test('warns of what can never match in this mesh', async () => {
  const rules = '{rules: [{from: [{source: {principals: [cluster.local/ns/a/*]}}]}]}'
  folder.write('policy.yaml', valid.replace('{}', rules))
  folder.write('mesh.yaml', 'trustDomain: td1')
  expect(await folder.run('validate policy.yaml')).toMatchObject({ code: 0, stderr: '' })
  const { code, stdout, stderr } = await folder.run('validate policy.yaml --mesh-config mesh.yaml')
  expect({ code, stdout }).toEqual({ code: 0, stdout: '1 resource checked: 1 warning\n' })
  expect(stderr).toContain('warning MS1403')
})

test('a file that is not there is an error; no file is wrong usage', async () => {
  expect(await folder.run('validate missing.yaml')).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('MS1001'),
  })
  expect(await folder.run('validate')).toMatchObject({ code: 2 })
})

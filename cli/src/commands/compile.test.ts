import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { CliFolder } from '../testing.ts'

const policy = readFileSync(new URL('../../../examples/payments/policy.yaml', import.meta.url), 'utf8')
const flags = '--workload payments/payments --labels app=payments --filter authorization'
const names = (json: string) => JSON.parse(json).policies.map((each: { name: string }) => each.name)

let folder: CliFolder
beforeEach(() => {
  folder = new CliFolder({ 'policy.yaml': policy })
})
afterEach(() => folder.remove())

test('prints the configuration alone on standard output', async () => {
  const { code, stdout, stderr } = await folder.run(`compile policy.yaml ${flags}`)
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(names(stdout)).toEqual(['ns[payments]-policy[allow-frontend]'])
})

test('writes to a file', async () => {
  const { code, stdout } = await folder.run(`compile policy.yaml ${flags} -o out.json`)
  expect({ code, stdout }).toEqual({ code: 0, stdout: '' })
  expect(names(readFileSync(join(folder.path, 'out.json'), 'utf8'))).toHaveLength(1)
  const failed = await folder.run(`compile policy.yaml ${flags} -o missing/out.json`)
  expect(failed).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('cannot write') })
})

test('reads folders, several files and the mesh configuration', async () => {
  folder.write('more/deep/a.yml', policy.replace('allow-frontend', 'a'))
  folder.write('more/b.json', '{"apiVersion":"v1","kind":"Service","metadata":{"name":"s"}}')
  folder.write('more/notes.txt', 'not YAML: [')
  folder.write('more/.hidden.yaml', 'not YAML: [')
  folder.write('mesh.yaml', 'trustDomain: td1')
  const { code, stdout } = await folder.run(`compile policy.yaml more --mesh-config mesh.yaml ${flags}`)
  expect(code).toBe(0)
  expect(names(stdout)).toEqual(['ns[payments]-policy[a]', 'ns[payments]-policy[allow-frontend]'])
  expect(stdout).toContain('td1/ns/frontend/sa/default')
})

const invalid = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata:
  name: broken
  namespace: payments
spec:
  action: DENNY
  rules:
  - from:
    - source:
        principals: "*"
    to:
    - operation:
        path: ["/charge"]
        ports: [8080]
    when:
    - key: request.header[X-Auth]
      values: [admin]
  - to:
    - operation: {}
  - when:
    - values: [""]
  - from:
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: semantic, namespace: payments}
spec:
  selector: {matchLabels: {app: payments}}
  targetRefs: [{kind: Gateway, name: g}]
  action: DENY
  provider: {name: x}
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: rules, namespace: payments}
spec:
  rules:
  - to:
    - operation: {}
    when:
    - key: request.header[X-Auth]
      values: [admin, ""]
    - key: source.ip
  - from:
    - source: {serviceAccounts: [a/b], namespaces: [a]}
    to: []
  - to:
    - operation: {paths: ["/{*}/{name}"]}
`

test('shows errors as a compiler does', async () => {
  folder.write('invalid.yaml', invalid)
  const { code, stdout, stderr } = await folder.run(`compile invalid.yaml ${flags}`)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatchSnapshot()
})

test('shows errors as JSON', async () => {
  folder.write('invalid.yaml', policy.replace('paths:', 'path:'))
  const { code, stdout, stderr } = await folder.run(`compile invalid.yaml ${flags} --json`)
  expect(code).toBe(1)
  // The failure, as every command tells it, says no less.
  expect(JSON.parse(stdout).error.diagnostics).toMatchObject([
    {
      file: 'invalid.yaml',
      field: 'spec.rules[0].to[0].operation.path',
      hint: 'did you mean "paths"?',
      resource: 'AuthorizationPolicy payments/allow-frontend',
    },
  ])
  expect(JSON.parse(stderr)).toEqual({
    diagnostics: [
      {
        severity: 'error',
        code: 'MS1101',
        file: 'invalid.yaml',
        line: 18,
        column: 9,
        resource: 'AuthorizationPolicy payments/allow-frontend',
        field: 'spec.rules[0].to[0].operation.path',
        message: 'unknown field "path"',
        hint: 'did you mean "paths"?',
      },
    ],
  })
})

test('files that cannot be read', async () => {
  const { code, stderr } = await folder.run(`compile missing.yaml ${flags}`)
  expect({ code, stderr }).toMatchInlineSnapshot(`
    {
      "code": 1,
      "stderr": "error MS1001: cannot read missing.yaml: there is no such file

    meshscript: 1 error
    ",
    }
  `)
})

test.each([
  ['no files', flags],
  ['no workload', 'policy.yaml --filter authorization'],
  ['a workload without namespace', 'policy.yaml --workload payments --filter authorization'],
  ['labels without value', 'policy.yaml --workload a/b --labels app --filter authorization'],
  ['an unknown filter', 'policy.yaml --workload a/b --filter other'],
  ['an unknown option', `policy.yaml ${flags} --output-file x`],
])('wrong usage: %s', async (_, args) => {
  expect(await folder.run(`compile ${args}`)).toMatchObject({ code: 2, stdout: '' })
})

test('compiles for a gateway or a waypoint', async () => {
  const attached = (kind: string, group: string) =>
    policy
      .replace(/name: allow-frontend/, `name: on-${kind.toLowerCase()}`)
      .replace(
        /selector:\n.*matchLabels:\n.*app: payments/,
        `targetRefs: [{kind: ${kind}, name: it, group: "${group}"}]`,
      )
  folder.write('gateway.yaml', attached('Gateway', 'gateway.networking.k8s.io'))
  folder.write('service.yaml', attached('Service', ''))
  const compile = async (more: string) => names((await folder.run(`compile . ${flags} ${more}`)).stdout)
  expect(await compile('')).toEqual(['ns[payments]-policy[allow-frontend]'])
  const both = ['ns[payments]-policy[allow-frontend]', 'ns[payments]-policy[on-gateway]']
  expect(await compile('--gateway it')).toEqual(both)
  expect(await compile('--service payments/it')).toEqual(['ns[payments]-policy[on-service]'])
  expect(await compile('--waypoint')).toEqual([])
  expect(await folder.run(`compile . ${flags} --service it`)).toMatchObject({ code: 2 })
})

test('for the proxy of a Gateway, of its own namespace or another one', async () => {
  const route = (gateway: string) =>
    `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: a, namespace: shop}, spec: {hosts: [a.com], gateways: [${gateway}], http: [{directResponse: {status: 200}}]}}`
  const compile = async (gateway: string, flags: string) => {
    folder.write('route.yaml', route(gateway))
    const command = `compile route.yaml --filter routing --workload edge/ingress ${flags}`
    const { code, stdout, stderr } = await folder.run(command)
    return { code, hosts: (JSON.parse(stdout || '{}') as { virtualHosts?: unknown[] }).virtualHosts?.length, stderr }
  }
  expect(await compile('edge/web', '--gateway web')).toMatchObject({ code: 0, hosts: 1 })
  expect(await compile('web', '--gateway shop/web')).toMatchObject({ code: 0, hosts: 1 })
  const none = await compile('web', '--gateway web')
  expect(none).toMatchObject({ code: 0, hosts: 0 })
  expect(none.stderr).toContain('no route is for requests to the Gateway edge/web')
  expect(none.stderr).toContain('compare --gateway with gateways of VirtualServices and parentRefs of routes')
})

test.each([
  ['--gateway a/b/c', 'expected NAME or NAMESPACE/NAME.'],
  ['--gateway a/', 'expected NAME or NAMESPACE/NAME.'],
  ['--gateway a --target istio --image oci://a/b:c', 'with --gateway print the configuration alone, or --target envoy'],
])('%s is a mistake', async (flags, message) => {
  const { code, stderr } = await folder.run(`compile policy.yaml --filter routing --workload a/b ${flags}`)
  expect(code).toBe(2)
  expect(stderr).toContain(message)
})

import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runCli } from '../cli.ts'
import { CliFolder } from '../testing.ts'

const DIGEST = `sha256:${'a'.repeat(64)}`
const NEWER = `sha256:${'b'.repeat(64)}`

/** Keeps resources in a file, as an API server would, and writes down what it is asked. */
const kubectl = `#!/usr/bin/env node
const { appendFileSync, existsSync, readFileSync, writeFileSync } = require('node:fs')
const [verb, ...args] = process.argv.slice(2)
appendFileSync('kubectl.log', [verb, ...args].join(' ') + '\\n')
const live = existsSync('live.json') ? readFileSync('live.json', 'utf8') : ''
const input = verb === 'get' ? '' : readFileSync(0, 'utf8')
if (verb === 'get') process.stdout.write(live)
else if (existsSync('fail.txt') && !args.includes('--force-conflicts')) {
  process.stderr.write(readFileSync('fail.txt', 'utf8'))
  process.exitCode = 1
} else if (verb === 'apply') writeFileSync('live.json', input)
else if (verb === 'diff' && JSON.stringify(JSON.parse(input).spec) !== JSON.stringify(JSON.parse(live).spec)) {
  process.stdout.write('-old\\n+new\\n')
  process.exitCode = 1
}
`

let folder: CliFolder
beforeEach(() => {
  folder = new CliFolder({ 'config.json': '{"answer":"yes","limit":3}', kubectl })
  chmodSync(join(folder.path, 'kubectl'), 0o755)
})
afterEach(() => folder.remove())

async function run(args: string) {
  const result = { code: -1, stdout: '', stderr: '' }
  const output = (name: 'stdout' | 'stderr') => ({ write: (text: string) => (result[name] += text) })
  // Only the fake one, and the Node.js that runs it.
  const env = { PATH: [folder.path, dirname(process.execPath)].join(delimiter) }
  const io = { stdout: output('stdout'), stderr: output('stderr'), cwd: folder.path, env }
  result.code = await runCli(args.split(' '), io)
  return result
}

const live = () => JSON.parse(readFileSync(join(folder.path, 'live.json'), 'utf8'))
const image = `deploy oci://ghcr.io/acme/hello:v1 --digest ${DIGEST}`
// Nothing is asked of the registry.
const offline = `${image} --no-preflight --namespace shop`

describe('forms', () => {
  test('WasmPlugin', async () => {
    const result = await run(
      `${offline} --config config.json --phase AUTHZ --priority 5 --selector app=cart --match SERVER:8080,8081 --env A=b --env HOME`,
    )
    expect(result).toMatchInlineSnapshot(`
      {
        "code": 0,
        "stderr": "",
        "stdout": "apiVersion: extensions.istio.io/v1alpha1
      kind: WasmPlugin
      metadata:
        name: hello
        namespace: shop
        labels:
          app.kubernetes.io/managed-by: meshscript
      spec:
        selector:
          matchLabels:
            app: cart
        phase: AUTHZ
        priority: 5
        match:
          - mode: SERVER
            ports:
              - number: 8080
              - number: 8081
        url: oci://ghcr.io/acme/hello:v1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
        failStrategy: FAIL_RELOAD
        vmConfig:
          env:
            - name: A
              valueFrom: INLINE
              value: b
            - name: HOME
              valueFrom: HOST
        pluginConfig:
          answer: "yes"
          limit: 3
      ",
      }
    `)
  })

  test('TrafficExtension', async () => {
    const result = await run(`${offline} --as traffic-extension --target-ref Gateway/main --config config.json`)
    expect(result).toMatchInlineSnapshot(`
      {
        "code": 0,
        "stderr": "",
        "stdout": "apiVersion: extensions.istio.io/v1alpha1
      kind: TrafficExtension
      metadata:
        name: hello
        namespace: shop
        labels:
          app.kubernetes.io/managed-by: meshscript
      spec:
        targetRefs:
          - group: gateway.networking.k8s.io
            kind: Gateway
            name: main
        wasm:
          url: oci://ghcr.io/acme/hello:v1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
          sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
          failStrategy: FAIL_RELOAD
          pluginConfig:
            answer: "yes"
            limit: 3
      ",
      }
    `)
  })

  test('EnvoyExtensionPolicy', async () => {
    const result = await run(`${offline} --as envoy-extension-policy --target-ref Gateway/main --config config.json`)
    expect(result).toMatchInlineSnapshot(`
      {
        "code": 0,
        "stderr": "warning: an EnvoyExtensionPolicy has no FAIL_RELOAD: after a trap requests are refused until the proxy restarts the filter
      ",
        "stdout": "apiVersion: gateway.envoyproxy.io/v1alpha1
      kind: EnvoyExtensionPolicy
      metadata:
        name: hello
        namespace: shop
        labels:
          app.kubernetes.io/managed-by: meshscript
      spec:
        targetRefs:
          - group: gateway.networking.k8s.io
            kind: Gateway
            name: main
        wasm:
          - name: hello
            code:
              type: Image
              image:
                url: ghcr.io/acme/hello:v1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
                sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
            config:
              answer: "yes"
              limit: 3
            failOpen: false
      ",
      }
    `)
  })

  test('EnvoyFilter', async () => {
    const result = await run(
      `${offline} --as envoy-filter --selector app=cart --config config.json --allow-on-headers-stop-iteration`,
    )
    expect(result).toMatchInlineSnapshot(`
      {
        "code": 0,
        "stderr": "",
        "stdout": "apiVersion: networking.istio.io/v1alpha3
      kind: EnvoyFilter
      metadata:
        name: hello
        namespace: shop
        labels:
          app.kubernetes.io/managed-by: meshscript
      spec:
        workloadSelector:
          labels:
            app: cart
        configPatches:
          - applyTo: HTTP_FILTER
            match:
              context: ANY
              listener:
                filterChain:
                  filter:
                    name: envoy.filters.network.http_connection_manager
                    subFilter:
                      name: envoy.filters.http.router
            patch:
              operation: INSERT_BEFORE
              value:
                name: meshscript.shop.hello
                config_discovery:
                  config_source:
                    ads: {}
                    initial_fetch_timeout: 0s
                    resource_api_version: V3
                  type_urls:
                    - type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
                    - type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC
          - applyTo: EXTENSION_CONFIG
            match:
              context: ANY
            patch:
              operation: ADD
              value:
                name: meshscript.shop.hello
                typed_config:
                  "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
                  config:
                    name: hello
                    failure_policy: FAIL_RELOAD
                    allow_on_headers_stop_iteration: true
                    configuration:
                      "@type": type.googleapis.com/google.protobuf.StringValue
                      value: '{"answer":"yes","limit":3}'
                    vm_config:
                      runtime: envoy.wasm.runtime.v8
                      code:
                        remote:
                          http_uri:
                            uri: oci://ghcr.io/acme/hello:v1@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
                            cluster: wasm_module
                            timeout: 30s
                          sha256: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
      ",
      }
    `)
  })

  test('plain Envoy', async () => {
    const result = await run(`${image} --no-preflight --as envoy --code /etc/envoy/hello.wasm --config config.json`)
    expect(result).toMatchInlineSnapshot(`
      {
        "code": 0,
        "stderr": "",
        "stdout": "- name: envoy.filters.http.wasm
        typed_config:
          "@type": type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm
          config:
            name: hello
            failure_policy: FAIL_RELOAD
            configuration:
              "@type": type.googleapis.com/google.protobuf.StringValue
              value: '{"answer":"yes","limit":3}'
            vm_config:
              runtime: envoy.wasm.runtime.v8
              code:
                local:
                  filename: /etc/envoy/hello.wasm
      ",
      }
    `)
  })

  test('without --apply, kubectl is not asked', async () => {
    await run(offline)
    expect(() => readFileSync(join(folder.path, 'kubectl.log'))).toThrow('ENOENT')
  })

  test('what is written is valid by our own validate', async () => {
    await run(`${offline} --config config.json --selector app=cart -o plugin.yaml`)
    expect(await run('validate plugin.yaml')).toEqual({
      code: 0,
      stdout: '1 resource checked: no errors\n',
      stderr: '',
    })
  })
})

describe('refused', () => {
  test.each([
    ['--name Hello', 2, 'DEP001'],
    ['--priority 1.5', 2, 'DEP001'],
    ['--match INBOUND', 2, 'DEP001'],
    ['--match SERVER:0', 2, 'DEP001'],
    ['--selector app', 2, 'DEP001'],
    ['--env ISTIO_META_X=1', 2, 'DEP001'],
    ['--selector a=b --target-ref Gateway/g', 2, 'DEP001'],
    ['--allow-on-headers-stop-iteration', 2, 'DEP001'],
    ['--apply --diff', 2, 'DEP001'],
    ['--config missing.json', 1, 'DEP002'],
    ['--config big.json', 1, 'DEP003'],
    ['--config list.yaml', 1, 'DEP003'],
  ])('%s', async (options, code, error) => {
    folder.write('big.json', '{"a":[9007199254740993]}')
    folder.write('list.yaml', '- 1\n')
    const result = await run(`${offline} ${options}`)
    expect(result).toMatchObject({ code, stdout: '' })
    expect(result.stderr).toContain(`${error}: `)
  })
})

describe('kubectl', () => {
  const apply = (digest: string) =>
    `deploy oci://ghcr.io/acme/hello@${digest} --digest ${digest} --no-preflight --namespace shop --timeout 300ms`

  test('apply, change, and back again', async () => {
    expect(await run(`${apply(DIGEST)} --apply`)).toMatchObject({
      code: 0,
      stdout: 'wasmplugin.extensions.istio.io/hello created\n',
    })
    expect(await run(`${apply(NEWER)} --apply`)).toMatchObject({
      code: 0,
      stdout: 'wasmplugin.extensions.istio.io/hello changed\n',
    })
    // What is applied twice does not lose what was before.
    expect((await run(`${apply(NEWER)} --apply`)).stdout).toBe('wasmplugin.extensions.istio.io/hello unchanged\n')
    expect((await run('deploy --rollback --name hello --namespace shop --timeout 300ms')).stdout).toBe(
      `wasmplugin.extensions.istio.io/hello rolled back to oci://ghcr.io/acme/hello@${DIGEST}\n`,
    )
    expect(live().spec.sha256).toBe('a'.repeat(64))
    await run('deploy --rollback --name hello --namespace shop --timeout 300ms')
    expect(live().spec.sha256).toBe('b'.repeat(64))
    const [, applied] = readFileSync(join(folder.path, 'kubectl.log'), 'utf8').split('\n')
    expect(applied).toBe('apply --server-side --field-manager=meshscript -f - --namespace shop --request-timeout=1s')
  })

  test('nothing to roll back to', async () => {
    await run(`${apply(DIGEST)} --apply`)
    const result = await run('deploy --rollback --name hello --namespace shop')
    expect(result).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('DEP036') })
  })

  test('--diff: 0 the same, 1 different', async () => {
    await run(`${apply(DIGEST)} --apply`)
    expect(await run(`${apply(DIGEST)} --diff`)).toEqual({ code: 0, stdout: '', stderr: '' })
    expect(await run(`${apply(NEWER)} --diff`)).toEqual({ code: 1, stdout: '-old\n+new\n', stderr: '' })
  })

  test.each([
    ['error: the server doesn\'t have a resource type "wasmplugins"', 'DEP032'],
    ['error: Apply failed with 1 conflict: conflict with "kubectl-edit": .spec.url', 'DEP033'],
    ['Error from server (Forbidden): wasmplugins is forbidden', 'DEP034'],
    ['error: the connection was refused', 'DEP031'],
  ])('%s', async (said, code) => {
    writeFileSync(join(folder.path, 'fail.txt'), said)
    expect(await run(`${apply(DIGEST)} --apply`)).toMatchObject({ code: 1, stderr: expect.stringContaining(code) })
  })

  test('a status that refuses', async () => {
    const status = { conditions: [{ type: 'Accepted', status: 'False', reason: 'Invalid', message: 'no such target' }] }
    const source = kubectl.replace(
      'writeFileSync(',
      `((f, t) => writeFileSync(f, JSON.stringify({ ...JSON.parse(t), status: ${JSON.stringify(status)} })))(`,
    )
    folder.write('kubectl', source)
    expect(await run(`${apply(DIGEST)} --apply`)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('DEP038: wasmplugin.extensions.istio.io/hello was applied, but is not accepted'),
    })
  })
})

describe('--force-conflicts', () => {
  test('takes fields over from the manager that the error names without it', async () => {
    const conflict = 'error: Apply failed with 1 conflict: conflict with "helm" using v1: .spec.url\n'
    writeFileSync(join(folder.path, 'fail.txt'), conflict)
    const refused = await run(`${offline} --apply`)
    expect(refused.code).not.toBe(0)
    expect(refused.stderr).toContain(
      'helm owns .spec.url of this resource; take them over by --apply --force-conflicts',
    )
    expect(await run(`${offline} --apply --force-conflicts --timeout 100ms`)).toMatchObject({ code: 0 })
    expect(live().spec.url).toContain(DIGEST)
    expect(readFileSync(join(folder.path, 'kubectl.log'), 'utf8')).toMatch(/^apply --server-side .*--force-conflicts/m)
  })

  test('is refused without --apply', async () => {
    const { code, stderr } = await run(`${offline} --force-conflicts`)
    expect(code).not.toBe(0)
    expect(stderr).toContain('--force-conflicts has a meaning with --apply only')
  })
})

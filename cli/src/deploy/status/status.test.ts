/** `status` with the real registry client, a fake kubectl, and proxies that answer as Envoy 1.40 and pilot-agent do. */
import { chmodSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { MemoryRegistry } from '../../../../test/oci/memory_registry.ts'
import { packImage, parseReference, pushImage } from '../../oci/index.ts'
import { CliFolder } from '../../testing.ts'

const filter = createRequire(import.meta.url).resolve('@meshscript/filters/dist/authorization.wasm')
const CONFIG = { version: 1, policies: [] }
const OTHER = `sha256:${'0'.repeat(64)}`

/** Answers lists by kind and what pods say from files, and writes down what it is asked. */
const kubectl = `#!/usr/bin/env node
const { appendFileSync, existsSync, readFileSync } = require('node:fs')
const args = process.argv.slice(2)
appendFileSync('kubectl.log', args.join(' ') + '\\n')
const file = args[0] === 'get' ? args[1].split('.')[0] + '.json' : args[0] === 'logs' ? 'logs.txt'
  : /config_dump/.test(args.at(-1)) || /config_dump/.test(args.join(' ')) ? 'dump.json' : 'stats.json'
if (existsSync(file)) process.stdout.write(readFileSync(file, 'utf8'))
else if (args[0] === 'get' && args[1] === 'trafficextensions.extensions.istio.io') {
  process.stderr.write('error: the server doesn\\'t have a resource type "trafficextensions"\\n')
  process.exitCode = 1
} else if (args[0] === 'get') process.stdout.write('{"items":[]}')
else process.exitCode = 1
`

let registry: MemoryRegistry
let digest: string
let folder: CliFolder
let admin: Server
let dump: unknown
let stats: unknown

beforeAll(async () => {
  registry = await MemoryRegistry.start()
  const image = packImage(readFileSync(filter), { layout: 'compat', annotations: {} })
  digest = image.manifest.digest
  await pushImage(image, parseReference(`oci://${registry.host}/acme/hello`), ['v1'], { env: {}, insecure: true })
  admin = createServer(({ url = '' }, response) => {
    response.end(JSON.stringify(url.startsWith('/config_dump?resource=ecds_filters') ? dump : stats))
  })
  await new Promise<void>((resolve) => admin.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await Promise.all([registry.close(), new Promise((resolve) => admin.close(resolve))])
})
beforeEach(() => {
  folder = new CliFolder({ kubectl })
  chmodSync(join(folder.path, 'kubectl'), 0o755)
  dump = { configs: [ecds(wasm())] }
  stats = { stats: [] }
})
afterEach(() => folder.remove())

const proxy = () => `127.0.0.1:${(admin.address() as AddressInfo).port}`
/** As long as an address, which has five digits for its port: columns depend on it. */
const PROXY = '127.0.0.1:PROXY'
const NAME = 'extensions.istio.io/trafficextension/shop.hello~istio-translated-wasmplugin'

function ecds(typed_config: unknown, name = NAME) {
  return {
    '@type': 'type.googleapis.com/envoy.admin.v3.EcdsConfigDump.EcdsFilterConfig',
    version_info: '2',
    ecds_filter: { '@type': 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig', name, typed_config },
    last_updated: '2026-11-23T09:42:42.544Z',
  }
}

function wasm(configuration: unknown = CONFIG, runs = digest) {
  const filename = `/var/lib/istio/data/0a1b/${runs.slice(7)}.wasm`
  return {
    '@type': 'type.googleapis.com/envoy.extensions.filters.http.wasm.v3.Wasm',
    config: {
      name: 'shop.hello',
      configuration: {
        '@type': 'type.googleapis.com/google.protobuf.StringValue',
        value: JSON.stringify(configuration),
      },
      vm_config: { runtime: 'envoy.wasm.runtime.v8', code: { local: { filename } } },
    },
  }
}

const denies = {
  '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC',
  rules: {},
  rules_stat_prefix: 'wasm-default-deny',
}
const allows = {
  '@type': 'type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC',
  rules_stat_prefix: 'wasm-default-allow',
}

function plugin(spec: object = {}, name = 'hello') {
  return {
    apiVersion: 'extensions.istio.io/v1alpha1',
    kind: 'WasmPlugin',
    metadata: { name, namespace: 'shop', labels: { 'app.kubernetes.io/managed-by': 'meshscript' } },
    spec: {
      selector: { matchLabels: { app: 'cart' } },
      url: `oci://${registry.host}/acme/hello:v1@${digest}`,
      sha256: digest.slice(7),
      pluginConfig: CONFIG,
      ...spec,
    },
  }
}

function pod(name: string, containers = ['app', 'istio-proxy']) {
  return {
    metadata: { name, namespace: 'shop' },
    spec: { containers: containers.map((name) => ({ name })) },
    status: { phase: 'Running' },
  }
}

/** What is in the cluster: lists by the name of their type. */
function cluster(lists: Record<string, unknown[]>) {
  for (const [type, items] of Object.entries(lists)) folder.write(`${type}.json`, JSON.stringify({ items }))
}

async function status(args: string) {
  // Only the fake one, and the Node.js that runs it.
  const env = { PATH: [folder.path, dirname(process.execPath)].join(delimiter), HOME: folder.path }
  const line = ['status', ...args.replace('PROXY', proxy()).split(' '), '--insecure']
  const { code, stdout, stderr } = await folder.run(line, { env })
  const clean = (text: string) =>
    text
      .replaceAll(registry.host, 'HOST')
      .replaceAll(proxy(), PROXY)
      .replaceAll(digest, 'DIGEST')
      .replaceAll(digest.slice(7), 'HEX')
      .replaceAll(OTHER, 'OTHER')
  return `${clean(stdout)}--- ${code}\n${clean(stderr)}`
}

// Some are asked at once.
const asked = () => readFileSync(join(folder.path, 'kubectl.log'), 'utf8').trim().split('\n').sort()

test('all is well in the pods', async () => {
  cluster({ wasmplugins: [plugin()], pods: [pod('cart-1'), pod('job-1', ['app'])] })
  folder.write('dump.json', JSON.stringify(dump))
  expect(await status('--namespace shop')).toMatchInlineSnapshot(`
    "WasmPlugin shop/hello
      oci://HOST/acme/hello:v1
      DIGEST
      √ registry  the image is there, and has the digest
      √ module    the filter starts, and takes its configuration
      √ pods      1 pod: cart-1, and 1 without a proxy
      √ cart-1    runs this image with this configuration
    --- 0
    "
  `)
  expect(asked()).toMatchInlineSnapshot(`
    [
      "exec cart-1 -c istio-proxy --namespace shop --request-timeout=10s -- pilot-agent request GET config_dump?resource=ecds_filters",
      "exec cart-1 -c istio-proxy --namespace shop --request-timeout=10s -- pilot-agent request GET stats?format=json&filter=extension_config_discovery|wasm",
      "get pods -l app=cart -o json --namespace shop --request-timeout=10s",
      "get trafficextensions.extensions.istio.io -l app.kubernetes.io/managed-by=meshscript -o json --namespace shop --request-timeout=10s",
      "get wasmplugins.extensions.istio.io -l app.kubernetes.io/managed-by=meshscript -o json --namespace shop --request-timeout=10s",
    ]
  `)
})

test('nothing is managed', async () => {
  expect(await status('--namespace shop')).toMatchInlineSnapshot(`
    "no WasmPlugin or TrafficExtension here is managed by meshscript
    --- 0
    "
  `)
})

test('a name that there is not', async () => {
  expect(await status('hullo --namespace shop')).toMatchInlineSnapshot(`
    "--- 1
    meshscript: DEP035: there is no WasmPlugin and no TrafficExtension hullo in this namespace
    "
  `)
})

test('the registry has no image with this digest, and the agent put another filter in its place', async () => {
  const spec = { url: `oci://${registry.host}/acme/hello:v1@${OTHER}`, sha256: OTHER.slice(7) }
  cluster({ wasmplugins: [plugin(spec)], pods: [pod('cart-1')] })
  dump = { configs: [ecds(denies)] }
  stats = { stats: [{ name: 'http.in.rbac.wasm-default-deny.denied', value: 3 }] }
  expect(await status('hello --namespace shop --proxy PROXY')).toMatchInlineSnapshot(`
    "WasmPlugin shop/hello
      oci://HOST/acme/hello:v1
      OTHER
      × registry         the registry has no image with this digest: reading oci://HOST/acme/hello:v1@OTHER: the registry answered 404 (MANIFEST_UNKNOWN: not here); it is not there, or needs credentials to be seen (OCI404)
                         push it again, or deploy a version that is there; meshscript deploy --rollback brings the former one back
      √ tag              v1 names another digest by now, DIGEST; the proxies keep to theirs
      √ pods             1 pod: cart-1
      × 127.0.0.1:PROXY  the agent could not fetch the module, and put a filter in its place that answers every request with "RBAC: access denied" (403)
                         likely because of what is said of the registry above
                         denied: 3
                         push it again, or deploy a version that is there; meshscript deploy --rollback brings the former one back
    --- 1
    "
  `)
})

test('the agent could not fetch what can be read from here, and says why', async () => {
  cluster({ wasmplugins: [plugin()], pods: [pod('cart-1')] })
  folder.write('dump.json', JSON.stringify({ configs: [{ ecds_filters: [ecds(allows)] }] }))
  folder.write(
    'logs.txt',
    'info ready\n2026-11-23T09:42:45Z\terror\twasm\terror in converting the wasm config to local: cannot fetch Wasm module oci://x: UNAUTHORIZED. applying allow RBAC filter\ninfo\n',
  )
  expect(await status('hello --namespace shop')).toMatchInlineSnapshot(`
    "WasmPlugin shop/hello
      oci://HOST/acme/hello:v1
      DIGEST
      √ registry  the image is there, and has the digest
      √ module    the filter starts, and takes its configuration
      √ pods      1 pod: cart-1
      × cart-1    the agent could not fetch the module, and put a filter in its place that lets every request pass, unfiltered
                  the agent says: error in converting the wasm config to local: cannot fetch Wasm module oci://x: UNAUTHORIZED. applying allow RBAC filter
                  a private registry needs --image-pull-secret, one without TLS the agent's WASM_INSECURE_REGISTRIES, and /var/lib/istio/data must be writable; the log of istio-proxy tells more (grep wasm)
    --- 1
    "
  `)
})

test('a configuration that the filter refuses', async () => {
  const bad = {
    version: 1,
    policies: [{ name: 'a', action: 'ALLOW', rules: [{ from: [{ principals: [{ regex: '(' }] }] }] }],
  }
  cluster({ wasmplugins: [plugin({ pluginConfig: bad })], pods: [pod('cart-1')] })
  dump = { configs: [ecds(wasm(bad))] }
  expect(await status('hello --namespace shop --proxy PROXY')).toMatchInlineSnapshot(`
    "WasmPlugin shop/hello
      oci://HOST/acme/hello:v1
      DIGEST
      √ registry         the image is there, and has the digest
      × module           the filter refuses its configuration: configuration:1:97: policies[0].rules[0].from[0].principals[0].regex: missing ) at byte 1 (DEP023)
                         mend the configuration or the filter, and deploy again; or --rollback
      √ pods             1 pod: cart-1
      × 127.0.0.1:PROXY  Envoy was sent the filter, but refuses it, and keeps to what it had before, if anything
                         likely because of what is said of the module above
                         mend the configuration or the filter, and deploy again; or --rollback
    --- 1
    "
  `)
})

// As Envoy counts: the dump has what it was sent, and update_time is when it last took something.
const counters = (update_time: number) => ({
  stats: [
    { name: `extension_config_discovery.http_filter.${NAME}.version_text`, value: '1' },
    { name: `extension_config_discovery.http_filter.${NAME}.config_fail`, value: 1 },
    { name: `extension_config_discovery.http_filter.${NAME}.update_rejected`, value: 1 },
    { name: `extension_config_discovery.http_filter.${NAME}.update_time`, value: update_time },
    { name: 'extension_config_discovery.http_filter.another.update_rejected', value: 7 },
    { name: 'wasm.shop.hello~istio-translated-wasmplugin.vm_reload_success', value: 2 },
    { name: 'wasm.shop.hello2.vm_reload_backoff', value: 8 },
  ],
})

test('Envoy refused what the Node host takes', async () => {
  cluster({ wasmplugins: [plugin()], pods: [pod('cart-1')] })
  stats = counters(Date.parse('2026-11-23T09:42:39.305Z'))
  expect(await status('hello --namespace shop --proxy PROXY')).toMatchInlineSnapshot(`
    "WasmPlugin shop/hello
      oci://HOST/acme/hello:v1
      DIGEST
      √ registry         the image is there, and has the digest
      √ module           the filter starts, and takes its configuration
      √ pods             1 pod: cart-1
      × 127.0.0.1:PROXY  Envoy was sent the filter, but refuses it, and keeps to what it had before, if anything
                         config_fail: 1, update_rejected: 1, vm_reload_success: 2
                         the proxy's log says why; mend it and deploy again, or meshscript deploy --rollback
    --- 1
    "
  `)
})

test('a refusal of the past', async () => {
  cluster({ wasmplugins: [plugin()], pods: [pod('cart-1')] })
  stats = counters(Date.parse('2026-11-23T09:42:42.544Z'))
  const result = JSON.parse((await status('hello --namespace shop --proxy PROXY --json')).split('\n---')[0]!)
  expect(result.healthy).toBe(true)
  expect(result.plugins[0].proxies).toEqual([
    {
      name: PROXY,
      state: 'running',
      digest: 'DIGEST',
      stats: {
        config_fail: 1,
        update_rejected: 1,
        update_time: Date.parse('2026-11-23T09:42:42.544Z'),
        vm_reload_success: 2,
      },
    },
  ])
})

test.each([
  ['another image', () => ecds(wasm(CONFIG, OTHER)), 'it still runs another image, OTHER'],
  [
    'another configuration',
    () => ecds(wasm({ version: 1 })),
    'it runs the image, but still with another configuration',
  ],
  ['a filter of another plugin', () => ecds(wasm(), `${NAME}2`), 'istiod has not sent this filter to the proxy'],
])('a proxy with %s', async (_, filter, message) => {
  cluster({ wasmplugins: [plugin()], pods: [pod('cart-1')] })
  dump = { configs: [filter()] }
  const result = await status('hello --namespace shop --proxy PROXY')
  expect(result).toContain(`× ${PROXY}  ${message}\n`)
  expect(result).toMatch(/\n--- 1\n$/)
})

test('a proxy that does not answer, a tag that moved, no pods', async () => {
  const byTag = { url: `oci://${registry.host}/acme/hello:v1`, sha256: OTHER.slice(7) }
  cluster({ wasmplugins: [plugin(byTag), plugin({ selector: undefined, url: 'https://example.com/a.wasm' }, 'web')] })
  expect(await status('--namespace shop')).toMatchInlineSnapshot(`
    "WasmPlugin shop/hello
      oci://HOST/acme/hello:v1
      OTHER
      × registry  sha256 says that the digest is OTHER, but the image is DIGEST: Istio's agent refuses it
                  deploy again; sha256 is the digest of the manifest, not of the module
      × pods      no running pod is selected (app=cart)
                  compare the labels of the pods

    WasmPlugin shop/web
      https://example.com/a.wasm
      DIGEST
      ‼ registry  https://example.com/a.wasm names no image, and was not checked
                  meshscript push makes an image
      × pods      no running pod is selected (all of the namespace shop)
                  compare the labels of the pods
    --- 1
    "
  `)
  expect(await status('--namespace shop --proxy 127.0.0.1:1 --proxy x')).toMatchInlineSnapshot(`
    "--- 2
    meshscript: DEP001: --proxy x: write HOST:PORT of its admin interface
    "
  `)
  expect(await status('--namespace shop --proxy 127.0.0.1:1')).toContain(
    '× 127.0.0.1:1  it does not answer: connect ECONNREFUSED',
  )
})

test('a TrafficExtension, and one with Lua', async () => {
  const { spec, ...rest } = plugin()
  const { selector, ...wasm_ } = spec as { selector?: object }
  cluster({
    wasmplugins: [],
    trafficextensions: [
      { ...rest, kind: 'TrafficExtension', spec: { selector, wasm: wasm_ } },
      { ...rest, kind: 'TrafficExtension', spec: { lua: { inlineCode: '' } } },
    ],
    pods: [],
  })
  dump = { configs: [ecds(wasm(), 'extensions.istio.io/trafficextension/shop.hello')] }
  expect(await status('--namespace shop --proxy PROXY')).toMatchInlineSnapshot(`
    "TrafficExtension shop/hello
      oci://HOST/acme/hello:v1
      DIGEST
      √ registry         the image is there, and has the digest
      √ module           the filter starts, and takes its configuration
      ‼ pods             no running pod is selected (app=cart)
      √ 127.0.0.1:PROXY  runs this image with this configuration
    --- 0
    "
  `)
})

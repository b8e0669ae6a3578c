/** A filter in a gateway of the real Istio, from `push` to what the gateway answers: one after the other, as an operator's day goes. */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, inject, test } from 'vitest'
import { CliFolder, type CliResult } from '../../cli/src/testing.ts'
import { Cluster } from './cluster.ts'
import { type Proxy, startProxy } from './istio.ts'
import { freePorts } from '../free-ports.ts'
import { eventually } from './program.ts'

/** Says who it is in the answer's headers; refuses a configuration without a greeting. */
const filter = (version: string) => `
import { Action, Bytes, Configuration, HttpContext, RootContext } from '@meshscript/sdk'

export class Root extends RootContext {
  greeting!: Bytes

  onConfigure(configuration: Configuration): bool {
    const json = configuration.json()
    this.greeting = json.get('greeting').bytes()
    return json.refuseUnknown()
  }
}

export class Hello extends HttpContext<Root> {
  onResponseHeaders(): Action {
    this.responseHeaders.set('x-version', '${version}')
    this.responseHeaders.set('x-greeting', this.root.greeting)
    return Action.Continue
  }
}
`

const NAMESPACE = 'edge'
const WRONG_DIGEST = `sha256:${'0'.repeat(64)}`

const shared = inject('istio')
const cluster = new Cluster(shared.kubeconfig, shared.binaries)
const folder = new CliFolder({
  'package.json': JSON.stringify({ name: 'hello', version: '1.0.0', license: 'MIT' }),
  'good.json': '{"greeting": "hi"}',
  'better.json': '{"greeting": "good day"}',
  'bad.json': '{"greeting": 5}',
})
let gateway: Proxy
let port: number

const env = { PATH: process.env['PATH'] ?? '', KUBECONFIG: shared.kubeconfig }
const cli = (...args: string[]): Promise<CliResult> => folder.run(args, { env })
const image = (tag: string) => `oci://${shared.registry}/team/hello:${tag}`
const deploy = (tag: string, ...args: string[]) =>
  cli('deploy', image(tag), '--insecure', '-n', NAMESPACE, '--selector', 'istio=ingressgateway', ...args)
const status = (...args: string[]) =>
  cli('status', 'hello', '-n', NAMESPACE, '--insecure', '--proxy', gateway.admin, ...args)
const deployed = () => cluster.kubectl('get', 'wasmplugin', 'hello', '-n', NAMESPACE, '-o', 'jsonpath={.spec}')

/** Code 0, or the failure shows what was said. */
function succeeded(result: CliResult): CliResult {
  expect(result.code, result.stdout + result.stderr).toBe(0)
  return result
}

/** What the gateway answers: status, version and greeting of the filter. */
async function ask(): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/`)
  const text = await response.text()
  if (response.status !== 200) return `${response.status} ${text}`
  const header = (name: string) => response.headers.get(name) ?? '-'
  return `${text} ${header('x-version')} ${header('x-greeting')}`
}

const answers = (expected: string) =>
  eventually(`answering ${expected}`, async () => {
    const answer = await ask()
    if (answer !== expected) throw new Error(`it answers ${answer}`)
    return true
  })

beforeAll(async () => {
  for (const version of ['1', '2']) {
    folder.write(`v${version}/assembly/index.ts`, filter(version))
    succeeded(await cli('build', `v${version}`, '-o', `v${version}.wasm`))
    succeeded(await cli('push', `v${version}.wasm`, image(`v${version}`), '--insecure'))
  }
  ;[port] = (await freePorts(1)) as [number]
  await cluster.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: NAMESPACE } })
  const metadata = { name: 'front', namespace: NAMESPACE }
  const api = { apiVersion: 'networking.istio.io/v1', metadata }
  const server = { port: { number: port, name: 'http', protocol: 'HTTP' }, hosts: ['*'], bind: '127.0.0.1' }
  const answer = { directResponse: { status: 200, body: { string: 'ok' } } }
  await cluster.apply(
    { ...api, kind: 'Gateway', spec: { selector: { istio: 'ingressgateway' }, servers: [server] } },
    { ...api, kind: 'VirtualService', spec: { hosts: ['*'], gateways: ['front'], http: [answer] } },
  )
  gateway = await startProxy(cluster, shared, {
    name: 'gateway',
    namespace: NAMESPACE,
    serviceAccount: 'gateway',
    labels: { istio: 'ingressgateway' },
    type: 'router',
  })
  await answers('ok - -')
}, 180_000)

afterAll(async () => {
  await gateway?.stop()
  folder.remove()
}, 30_000)

test('deploy --apply changes what the gateway answers', async () => {
  succeeded(await deploy('v1', '--config', 'good.json', '--apply'))
  await answers('ok 1 hi')
  await eventually('well', async () => (await status()).code === 0)
})

test('a new version rolls over without a lost request', async () => {
  let stop = false
  const seen = new Map<string, number>()
  const load = Promise.all(
    Array.from({ length: 4 }, async () => {
      while (!stop) {
        const answer = await ask().catch((error: Error) => `lost: ${error.message}`)
        seen.set(answer, (seen.get(answer) ?? 0) + 1)
      }
    }),
  )
  try {
    await eventually('under load', async () => (seen.get('ok 1 hi') ?? 0) > 100)
    succeeded(await deploy('v2', '--config', 'better.json', '--apply'))
    await answers('ok 2 good day')
    // Both workers have it, and what was late has come.
    await sleep(500)
  } finally {
    stop = true
    await load
  }
  expect([...seen.keys()].sort()).toEqual(['ok 1 hi', 'ok 2 good day'])
})

test('--rollback brings the old one back', async () => {
  succeeded(await deploy('v2', '--rollback'))
  await answers('ok 1 hi')
})

test.each([
  ['a bad image', 'none', ['--config', 'good.json'], /none/],
  ['a wrong digest', 'v2', ['--config', 'good.json', '--digest', WRONG_DIGEST], /DEP010/],
  ['a refused configuration', 'v2', ['--config', 'bad.json'], /greeting/],
])('%s is caught before anything is applied', async (_, tag, args, reason) => {
  const before = await deployed()
  const { code, stderr } = await deploy(tag, ...args, '--apply')
  expect(code, stderr).toBe(1)
  expect(stderr).toMatch(reason)
  expect(await deployed()).toBe(before)
  expect(await ask()).toBe('ok 1 hi')
})

test.each([
  ['a bad image', 'none', ['--config', 'good.json', '--digest', WRONG_DIGEST], '403', /registry|image/],
  ['a wrong digest', 'v2', ['--config', 'good.json', '--digest', WRONG_DIGEST], '403', /sha256:0000/],
  ['a refused configuration', 'v2', ['--config', 'bad.json'], 'ok 1 hi', /greeting/],
])(
  '%s that is applied all the same is explained by status, and --rollback mends it',
  async (_, tag, args, then, reason) => {
    succeeded(await deploy(tag, ...args, '--apply', '--no-preflight'))
    await eventually('told', async () => (await status()).code === 1)
    await eventually('in force', async () => (await ask()).startsWith(then))
    const { code, stdout } = await status()
    expect(code).toBe(1)
    expect(stdout).toMatch(reason)

    succeeded(await deploy('v1', '--rollback'))
    await answers('ok 1 hi')
    await eventually('well', async () => (await status()).code === 0)
  },
)

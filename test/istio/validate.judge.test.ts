/** Istio's own validation accepts every resource that `deploy` writes, with every option, and those in examples and templates. */

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, describe, expect, test } from 'vitest'
import { CliFolder } from '../../cli/src/testing.ts'
import { filesUnder, root } from '../../scripts/lib/steps.mjs'
import { validate } from './judge.ts'

const DIGEST = `sha256:${'ab'.repeat(32)}`
const IMAGE = `oci://ghcr.io/acme/hello:v1 --digest ${DIGEST} --namespace shop`
const WARNING = 'EnvoyFilter exposes internal implementation details'

const folder = new CliFolder()
folder.write('config.json', JSON.stringify({ rules: [{ path: '/x', list: [1, null, true] }], text: '√ "' }))
afterAll(() => folder.remove())

const options = [
  '',
  '--name other',
  '--config config.json',
  '--phase AUTHN --priority 10',
  '--phase AUTHZ --priority -10',
  '--phase STATS',
  '--selector app=cart,version=v1',
  '--target-ref Gateway/edge',
  '--target-ref Service/cart --target-ref Service/pay',
  '--match SERVER',
  '--match CLIENT:80,443 --match SERVER:8080',
  '--match CLIENT_AND_SERVER',
  '--fail-strategy FAIL_OPEN',
  '--fail-strategy FAIL_CLOSE',
  '--plugin-name bundle',
  '--image-pull-secret registry',
  '--env A=1 --env B',
  '--type NETWORK',
  '--config config.json --phase AUTHZ --priority 5 --selector app=cart --match SERVER --plugin-name hello --env A=1',
]

describe.each([
  ['wasm-plugin', 'WasmPlugin'],
  ['traffic-extension', 'TrafficExtension'],
])('%s', (form, kind) => {
  test.each(options)('%s', async (option) => {
    expect(await verdictsOf(`--as ${form} ${option}`)).toEqual([{ kind, name: expect.any(String) as string }])
  })
})

describe('envoy-filter', () => {
  test.each([
    '',
    '--name other',
    '--config config.json',
    '--phase AUTHN',
    '--selector app=cart,version=v1',
    '--match SERVER',
    '--match CLIENT_AND_SERVER',
    '--fail-strategy FAIL_OPEN',
    '--plugin-name bundle',
    '--env A=1',
    '--allow-on-headers-stop-iteration',
    '--config config.json --phase AUTHN --selector app=cart --match SERVER --plugin-name hello --env A=1',
  ])('%s', async (option) => {
    const [verdict, ...others] = await verdictsOf(`--as envoy-filter --code /etc/hello.wasm ${option}`)
    // Istio says it about each.
    expect(verdict).toMatchObject({ kind: 'EnvoyFilter', warning: expect.stringContaining(WARNING) as string })
    expect([verdict!.error, ...others]).toEqual([undefined])
  })
})

async function verdictsOf(flags: string) {
  const { code, stdout, stderr } = await folder.run(`deploy ${IMAGE} ${flags}`.trim())
  expect(code, stderr).toBe(0)
  return validate(stdout)
}

test('what Istio would refuse is refused', async () => {
  const { stdout } = await folder.run(`deploy ${IMAGE} --config config.json`)
  const broken = stdout.replace(/^ {2}url: .*$/m, '  url: ftp://ghcr.io/acme')
  expect(broken).not.toBe(stdout)
  expect((await validate(broken))[0]!.error).toContain('url')
})

// A MeshConfig is no resource.
const own = filesUnder(['examples', 'cli/templates']).filter(
  (file) => file.endsWith('.yaml') && /^apiVersion:/m.test(readFileSync(file, 'utf8')),
)
test.each(own.map((file) => file.slice(root.length + 1)))('%s', async (file) => {
  const verdicts = await validate(readFileSync(join(root, file), 'utf8'))
  expect(verdicts.map(({ error }) => error)).toEqual(verdicts.map(() => undefined))
})

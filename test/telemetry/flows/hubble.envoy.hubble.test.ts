/** What `hubble observe` makes of the records that the telemetry filter in a real Envoy sends: each is read as it is, and lines are as Hubble's. */
import { cluster } from '@meshscript/sdk/testing'
import { createEnvoyHost, typed } from '@meshscript/sdk/testing/envoy/index'
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import authorization from '../../../filters/authorization/assembly/index.ts?filter'
import ratelimit from '../../../filters/ratelimit/assembly/index.ts?filter'
import telemetry from '../../../filters/telemetry/assembly/index.ts?filter'
import { buildHubble } from '../../../scripts/hubble.mjs'

const TRACE = '4bf92f3577b34da6a3ce929d0e0e4736'
const PATHS = ['/ok', '/denied', '/limited', '/limited', '/refused', '/native']

interface Line {
  flow: { time: string; l4: { TCP: { source_port: number; destination_port: number } }; l7: { latency_ns: string } }
}

let folder: string
let file: string
let program: string
/** As they were sent. */
let lines: string[]

const exact = (path: string) => [{ to: [{ paths: [{ exact: path }] }] }]
const plugin = (name: string, wasm: string, configuration: object) => ({ name, vmId: name, wasm, configuration })

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'meshscript-flows-'))
  file = join(folder, 'flows.jsonl')
  program = await buildHubble()
  const host = await createEnvoyHost({
    filters: [
      plugin('telemetry', telemetry, {
        version: 1,
        reporter: 'destination',
        workload: { name: 'cart-v1', namespace: 'shop', app: 'cart', cluster: 'east' },
        peers: [{ address: '127.0.0.0/8', name: 'front-v1', namespace: 'web', app: 'front' }],
        flows: {
          exporter: { cluster: 'receiver' },
          batch: { interval: '10ms' },
          headers: ['x-tenant', 'authorization'],
        },
      }),
      plugin('authorization', authorization, {
        version: 1,
        policies: [{ name: 'ns[shop]-policy[viewers]', action: 'DENY', rules: exact('/denied') }],
      }),
      plugin('ratelimit', ratelimit, {
        version: 1,
        rules: [
          { name: 'shop/cart-rl[total]', match: [{ path: { exact: '/limited' } }], limit: { requests: 1, per: '1h' } },
        ],
      }),
    ],
    routes: [{ prefix: '/refused', cluster: 'refused' }, { prefix: '/' }],
    clusters: { refused: cluster.refused(), receiver: cluster.http(() => 200) },
    connectionManager: { http_filters: [rbac('/native')] },
    // As Istio's: node and pod are known by it.
    bootstrap: {
      node: { id: 'sidecar~10.0.0.1~cart-v1-5d9f.shop~shop.svc.cluster.local', metadata: { NODE_NAME: 'node-1' } },
    },
  })
  try {
    const headers = { 'x-tenant': 'a "b"\\', authorization: 'Bearer x', traceparent: `00-${TRACE}-00f067aa0ba902b7-01` }
    for (const path of PATHS) {
      const authority = 'cart.shop:80'
      await host.request(`${path}?token=x`, path === '/ok' ? { authority, headers } : { authority })
    }
    const received = () => host.callouts.map(({ body }) => body.toString()).join('')
    await vi.waitFor(() => expect(received().split('\n')).toHaveLength(PATHS.length + 1), { timeout: 15_000 })
    lines = received().split('\n').slice(0, -1)
    writeFileSync(file, received())
  } finally {
    await host.close()
  }
}, 600_000)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Istio's own filter, in front of those in Wasm. */
function rbac(path: string) {
  const rules = {
    action: 'DENY',
    policies: {
      'ns[shop]-policy[native]-rule[0]': {
        permissions: [{ url_path: { path: { exact: path } } }],
        principals: [{ any: true }],
      },
    },
  }
  return {
    name: 'envoy.filters.http.rbac',
    typed_config: { ...typed('envoy.extensions.filters.http.rbac.v3.RBAC'), rules },
  }
}

/** What `hubble observe` prints, line by line. It complains of nothing. */
async function observe(...args: string[]): Promise<string[]> {
  const { stdout, stderr } = await promisify(execFile)(program, ['observe', '--input-file', file, '--all', ...args])
  expect(stderr).toBe('')
  return stdout.split('\n').slice(0, -1)
}

test('is the same bytes again, read and written by Hubble’s own definition', async () => {
  expect(await observe('-o', 'jsonpb')).toEqual(lines)
})

test('is a line for each request, as Hubble has them', async () => {
  const expected = lines
    .map((line) => JSON.parse(line) as Line)
    .map(({ flow }, index) => {
      const path = PATHS[index]!
      const { source_port: source, destination_port: destination } = flow.l4.TCP
      const time = `${flow.time.slice(0, -1)}Z`.replace(/\.?0*Z$/, 'Z')
      const url = `GET http://cart.shop:80${path}`
      if (path === '/denied' || path === '/native' || index === 3)
        return `${time} [node-1]: web/front:${source} (unknown) -> shop/cart-v1-5d9f:${destination} (unknown) http-request DROPPED (HTTP/1.1 ${url})`
      const [code, verdict] = path === '/refused' ? [503, 'ERROR'] : [200, 'FORWARDED']
      const latency = Math.floor(Number(flow.l7.latency_ns) / 1e6)
      return `${time} [node-1]: web/front:${destination} (unknown) <- shop/cart-v1-5d9f:${source} (unknown) http-response ${verdict} (HTTP/1.1 ${code} ${latency}ms (${url}))`
    })
  expect(await observe('--print-node-name', '--time-format', 'RFC3339Nano')).toEqual(expected)
})

test.each<[string[], number[]]>([
  [
    ['--verdict', 'DROPPED'],
    [1, 3, 5],
  ],
  [['--verdict', 'ERROR'], [4]],
  [
    ['--drop-reason-desc', 'POLICY_DENIED'],
    [1, 5],
  ],
  [['--drop-reason-desc', 'DROP_RATE_LIMITED'], [3]],
  [
    ['--http-status', '4+'],
    [1, 3, 5],
  ],
  [['--http-status', '429'], [3]],
  [
    ['--http-path', '^/limited$'],
    [2, 3],
  ],
  [['--http-header', 'X-Tenant:a "b"\\'], [0]],
  [['--trace-id', TRACE], [0]],
  [
    ['--traffic-direction', 'ingress', '--from-label', 'app=front'],
    [1, 3, 5],
  ],
  [
    ['--from-workload', 'cart-v1'],
    [0, 2, 4],
  ],
  [
    ['--from-pod', 'shop/cart-v1'],
    [0, 2, 4],
  ],
  [
    ['--type', 'l7', '--node-name', 'node-1'],
    [0, 1, 2, 3, 4, 5],
  ],
  [['--not', '--namespace', 'shop'], []],
])('is found by %j', async (flags, expected) => {
  expect(await observe('-o', 'jsonpb', ...flags)).toEqual(expected.map((index) => lines[index]))
})

test('has no secrets', () => {
  expect(lines.join()).not.toMatch(/token|Bearer/)
  expect(lines[0]).toContain('{"key":"Authorization","value":"HUBBLE_REDACTED"}')
})

test('names the policies', () => {
  const denied = lines.map((line) => (JSON.parse(line) as { flow: Record<string, unknown> }).flow['ingress_denied_by'])
  const policy = (name: string) => [{ name, namespace: 'shop', kind: 'AuthorizationPolicy' }]
  const limit = [{ name: 'cart-rl', namespace: 'shop', kind: 'HTTPLocalRateLimitPolicy' }]
  expect(denied).toEqual([undefined, policy('viewers'), undefined, limit, undefined, policy('native')])
})

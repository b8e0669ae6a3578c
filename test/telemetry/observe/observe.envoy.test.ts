/** The telemetry filter in a real Envoy sends its flow records to `meshscript observe`, which prints them. */
import { cluster } from '@meshscript/sdk/testing'
import { createEnvoyHost, type EnvoyHost } from '@meshscript/sdk/testing/envoy/index'
import { afterAll, beforeAll, expect, test, vi } from 'vitest'
import { CliFolder } from '../../../cli/src/testing.ts'
import authorization from '../../../filters/authorization/assembly/index.ts?filter'
import telemetry from '../../../filters/telemetry/assembly/index.ts?filter'
import { Observing } from './observing.ts'

const PATHS = ['/ok', '/denied', '/refused', '/ok?n=2']

let folder: CliFolder
let observing: Observing
let host: EnvoyHost
let lines: string[]

const plugin = (name: string, wasm: string, configuration: object) => ({ name, vmId: name, wasm, configuration })

function endpoint(name: string, { url }: Observing): object {
  const { hostname: address, port } = new URL(url)
  const socket_address = { address, port_value: Number(port) }
  const lb_endpoints = [{ endpoint: { address: { socket_address } } }]
  return { name, type: 'STATIC', load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints }] } }
}

beforeAll(async () => {
  folder = new CliFolder()
  observing = await Observing.start(folder, '--print-policy-names --print-node-name')
  host = await createEnvoyHost({
    filters: [
      plugin('telemetry', telemetry, {
        version: 1,
        reporter: 'destination',
        workload: { name: 'cart-v1', namespace: 'shop', app: 'cart', cluster: 'east' },
        peers: [{ address: '127.0.0.0/8', name: 'front-v1', namespace: 'web', app: 'front' }],
        flows: {
          exporter: { cluster: 'observer' },
          batch: { interval: '10ms' },
          log: true,
          node: 'n1',
          pod: 'cart-v1-5d9f',
        },
      }),
      plugin('authorization', authorization, {
        version: 1,
        policies: [
          { name: 'ns[shop]-policy[viewers]', action: 'DENY', rules: [{ to: [{ paths: [{ exact: '/denied' }] }] }] },
        ],
      }),
    ],
    routes: [{ prefix: '/refused', cluster: 'refused' }, { prefix: '/' }],
    clusters: { refused: cluster.refused() },
    bootstrap: { static_resources: { clusters: [endpoint('observer', observing)] } },
  })
  for (const path of PATHS) await host.request(path, { authority: 'cart.shop' })
  await vi.waitFor(() => expect(observing.stdout.split('\n')).toHaveLength(PATHS.length + 1), { timeout: 20_000 })
  lines = observing.stdout.trimEnd().split('\n')
}, 60_000)
afterAll(async () => {
  await host?.close()
  await observing?.stop()
  folder.remove()
})

const TIME = String.raw`^[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d\.\d{3} \[n1\]: `
const ENDS = (arrow: string) => String.raw`web/front:\d+ \(unknown\) ${arrow} shop/cart-v1-5d9f:\d+ \(unknown\) `

test('shows what became of each request, and the policy that denied one', () => {
  const url = 'http://cart.shop'
  const answered = (verdict: string, code: number, path: string) =>
    new RegExp(`${TIME}${ENDS('<-')}http-response ${verdict} \\(HTTP/1.1 ${code} \\d+ms \\(GET ${url}${path}\\)\\)$`)
  expect(lines[0]).toMatch(answered('FORWARDED', 200, '/ok'))
  expect(lines[1]).toMatch(
    new RegExp(
      `${TIME}${ENDS('->')}http-request DROPPED BY viewers \\(AuthorizationPolicy\\) \\(HTTP/1.1 GET ${url}/denied\\)$`,
    ),
  )
  expect(lines[2]).toMatch(answered('ERROR', 503, '/refused'))
  expect(lines[3]).toMatch(answered('FORWARDED', 200, '/ok'))
  expect(observing.stderr).toBe('')
})

test("shows the same from the proxy's log, and filters it", async () => {
  const prefix =
    '[2026-11-23 18:00:00.123][17][info][wasm] [source/extensions/common/wasm/context.cc:1195] wasm log telemetry: '
  const messages = host.logs.map(({ message }) => `${prefix}${message}`)
  folder.write('envoy.log', `${['[2026-11-23 18:00:00.000][1][info][main] starting', ...messages].join('\n')}\n`)
  const observe = async (options: string) => {
    const { code, stdout, stderr } = await folder.run(
      `observe envoy.log --print-policy-names --print-node-name ${options}`,
    )
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    return stdout.split('\n').slice(0, -1)
  }
  expect(await observe('')).toEqual(lines)
  expect(await observe('--verdict DROPPED --drop-reason-desc POLICY_DENIED')).toEqual([lines[1]])
  expect(await observe('--http-status 5+')).toEqual([lines[2]])
  expect(await observe('--http-status 403')).toEqual([lines[1]])
  expect(await observe('--http-path ^/ok$ --http-method get')).toEqual([lines[0], lines[3]])
  expect(await observe('--not --verdict DROPPED --last 2')).toEqual([lines[2], lines[3]])
  expect(await observe('--from-pod shop/cart --protocol http -t l7')).toEqual([lines[0], lines[2], lines[3]])
  expect(await observe('--to-pod shop/cart --from-workload front-v1')).toEqual([lines[1]])
  expect(await observe('--from-label app=front --node-name n1 --traffic-direction ingress')).toEqual([lines[1]])
})

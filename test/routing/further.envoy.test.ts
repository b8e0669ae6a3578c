/** Further routes: the filter, fed with VirtualServices, does what Envoy's own router does. */
import { cluster, type Host } from '@meshscript/sdk/testing'
import { createEnvoyHost, type Json } from '@meshscript/sdk/testing/envoy/index'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { nativeVirtualHost } from '../../cli/src/compile/target/native-routes.ts'
import { compileRouting } from '../../cli/src/compile/traffic/index.ts'
import { Source } from '../../cli/src/resources/source.ts'
import filter from '../../filters/routing/assembly/index.ts?filter'
import { clusterOf, further } from './further.ts'

/** What Envoy or the test's client sets by itself. */
const OWN =
  /^(:|x-envoy-|x-request-id$|x-forwarded-|content-length$|date$|server$|host$|connection$|transfer-encoding$)/
const visible = (headers: { entries: readonly (readonly [string, string])[] }) =>
  headers.entries.filter(([name]) => !OWN.test(name)).map(([name, value]) => `${name}: ${value}`).sort() // prettier-ignore

/** One Envoy with the filter and one without, each with all cases, told apart by the authority. */
let hosts: Host[]
let seen: string[] = []
let backend: { status: number; first: number } | undefined

const upstream = (name: string) =>
  cluster.http(({ method, path, authority, headers }) => {
    seen.push([name, method, path, authority, ...visible(headers)].join('\n'))
    if (backend && seen.length <= backend.first) return backend.status
    return { status: 200, headers: [['x-kind', 'one'], ['x-internal', 'i'], ['x-from', name]] } // prettier-ignore
  })

beforeAll(async () => {
  const clusters = Object.fromEntries(['a', 'b', 'c'].map((name) => [clusterOf(name), upstream(name)]))
  const routed = (virtual_hosts: Json[]) => ({
    clusters,
    connectionManager: { route_config: { name: 'routes', ignore_port_in_host_matching: true, virtual_hosts } },
  })
  const services = further.map(({ http }, n) => {
    const indented = http.replace(/^/gm, '  ')
    return `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v${n}, namespace: default}\nspec:\n  hosts: [v${n}.test]\n  http:\n${indented}\n`
  })
  const workload = { namespace: 'default', name: 'client', labels: {} }
  const { configuration, diagnostics } = compileRouting([new Source('all.yaml', services.join('---\n'))], { workload, port: 80 }) // prettier-ignore
  expect(diagnostics.toJSON()).toEqual([])
  const native = further.map(({ routes }, n) => ({ name: `v${n}`, domains: [`v${n}.test`], routes }))
  hosts = await Promise.all([
    createEnvoyHost({
      wasm: filter,
      configuration: { ...configuration! },
      // The host has a virtual host for '*' itself.
      ...routed([{ ...nativeVirtualHost(), domains: ['v*', 'other.test', 'all.test'] }]),
    }),
    createEnvoyHost({ filters: [], ...routed(native) }),
  ])
})
afterAll(() => Promise.all((hosts ?? []).map((host) => host.close())))

describe.each(further.map((each, n) => ({ ...each, n })))('$name', ({ requests, n }) => {
  test.each(requests.map((request) => ({ request, title: JSON.stringify(request) })))('$title', async ({ request }) => {
    const { backend: behaviour, ...init } = request
    const [ours, theirs] = await inTurn(hosts, async (host) => {
      seen = []
      backend = behaviour
      const { status, headers, text } = await host.request({ authority: `v${n}.test:80`, ...init })
      return { status, headers: visible(headers), text, seen }
    })
    expect(ours).toEqual(theirs)
  })
})

async function inTurn<T, R>(items: readonly T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (const item of items) results.push(await work(item))
  return results
}

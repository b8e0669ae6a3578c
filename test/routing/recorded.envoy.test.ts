/** Every recorded route of Istio and Envoy, made again by the compiler and the filter in real Envoy. */
import { cluster, type Host } from '@meshscript/sdk/testing'
import { createEnvoyHost } from '@meshscript/sdk/testing/envoy/index'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import filter from '../../filters/routing/assembly/index.ts?filter'
import { nativeMirrors, nativeVirtualHost } from '../../cli/src/compile/target/native-routes.ts'
import { type RecordedRequest, type RoutingCase, routingCases } from './cases.ts'

interface Seen {
  cluster: string
  method: string
  path: string
  authority: string
  headers: [string, string][]
}

/** What Envoy or the test's client sets by itself. */
const OWN =
  /^(:|x-envoy-|x-request-id$|x-forwarded-|content-length$|date$|server$|host$|connection$|transfer-encoding$|user-agent$|accept)/
const compare = (a: readonly string[], b: readonly string[]) => (a.join('\0') < b.join('\0') ? -1 : 1)
const visible = (headers: readonly (readonly [string, string])[]) =>
  headers
    .filter(([name]) => !OWN.test(name))
    .map(([name, value]): [string, string] => [name, value])
    .sort(compare)

/** Copies by callouts of the filter, and by Envoy itself, as `--target envoy` has it. */
const cases = routingCases().flatMap((recorded) => {
  const { configuration, mirrors } = nativeMirrors(recorded.configuration)
  const own = { ...recorded, virtualHost: nativeVirtualHost() }
  const native = {
    ...recorded,
    name: `${recorded.name}, natively`,
    configuration,
    virtualHost: nativeVirtualHost(mirrors),
  }
  return mirrors.size ? [own, native] : [own]
})

describe.each(cases)('$name', (recorded: RoutingCase & { virtualHost: object }) => {
  let host: Host
  let seen: Seen[] = []
  let backend: RecordedRequest['backend']
  /** What was answered in time is answered sooner, as a busy machine would make it late. */
  let patience = 1

  const upstream = (name: string) =>
    cluster.http(async ({ method, path, authority, headers }) => {
      seen.push({ cluster: name, method, path, authority, headers: visible(headers.entries) })
      const { status = 503, reset, first = 0, sleep: seconds = 0 } = backend ?? {}
      if (seconds) await sleep(seconds * 1000 * patience)
      if (seen.filter((each) => each.cluster === name).length > first) return 200
      return reset ? { reset: true } : status
    })

  beforeAll(async () => {
    const text = JSON.stringify([recorded.configuration, recorded.requests, recorded.virtualHost])
    const names = new Set([...text.matchAll(/"cluster":"([^"]+)"/g)].map(([, name]) => name!))
    host = await createEnvoyHost({
      wasm: filter,
      configuration: { ...recorded.configuration },
      clusters: Object.fromEntries([...names].map((name) => [name, upstream(name)])),
      connectionManager: {
        route_config: {
          name: 'routes',
          ignore_port_in_host_matching: true,
          virtual_hosts: [
            // The host has one for '*' itself.
            { ...recorded.virtualHost, domains: ['r*'] },
          ],
        },
      },
    })
  })
  afterAll(() => host?.close())

  test.each(recorded.requests.map((request) => ({ request, name: JSON.stringify(request).slice(0, 100) })))(
    '$name',
    async ({ request }) => {
      seen = []
      backend = request.backend
      patience = request.status === 504 ? 1 : 0.2
      const { method = 'GET', path = '/', host: authority = 'reviews:9080', headers = {} } = request
      const start = performance.now()
      const response = await host.request({
        method,
        path,
        authority,
        headers: Object.entries(headers).flatMap(([name, value]) =>
          [value].flat().map((each): [string, string] => [name, each]),
        ),
      })
      const seconds = (performance.now() - start) / 1000
      const shadows = request.mirrored ?? []
      for (let waited = 0; waited < 20_000 && seen.length < request.attempts + shadows.length; waited += 20)
        await sleep(20)

      const chosen = seen.filter((each) => each.cluster === request.cluster)
      const others = seen.filter((each) => each.cluster !== request.cluster)
      expect({ status: response.status, attempts: chosen.length }).toEqual({
        status: request.status,
        attempts: request.attempts,
      })
      if (request.upstream)
        expect(chosen[0]).toMatchObject({ ...request.upstream, headers: visible(request.upstream.headers) })
      expect(others.map(({ cluster, authority, path }) => ({ cluster, authority, path }))).toEqual(shadows)
      if (request.responseHeaders) expect(visible(response.headers.entries)).toEqual(visible(request.responseHeaders))
      if (request.body !== undefined) expect(response.text).toBe(request.body)
      // What was recorded is rounded. The delay of a fault is the fault filter's.
      if (request.status === 504) expect(seconds).toBeGreaterThan(request.seconds! - 0.05)
    },
  )
})

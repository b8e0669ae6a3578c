/** Envoy's own ext_authz filter and ours, asked the same: client, service behind the proxy and authorizer must see no difference. */
import type { Host, Response, UpstreamRequest } from '@meshscript/sdk/testing'
import { createEnvoyHost } from '@meshscript/sdk/testing/envoy/index'
import { afterEach, expect, test } from 'vitest'
import wasm from './ext_authz/assembly/index.ts?filter'
import { nativeFilter } from './ext_authz/native.ts'
import { checks, requestOf, type Scenario, scenarios } from './ext_authz/scenarios.ts'

let hosts: Host[] = []
afterEach(async () => {
  await Promise.all(hosts.map((host) => host.close()))
  hosts = []
})

test.each(Object.entries(scenarios))('%s', async (_, scenario) => {
  const native = await seen(scenario, { connectionManager: { http_filters: [nativeFilter(scenario.provider)] } })
  const configuration = { providers: { p: scenario.provider } }
  expect(await seen(scenario, { wasm, configuration, allowOnHeadersStopIteration: true })).toEqual(native)
})

async function seen(scenario: Scenario, filter: object) {
  const host = await createEnvoyHost({
    ...filter,
    clusters: { authorizer: scenario.cluster },
    upstream: () => ({ headers: { 'x-set': 'old', 'x-over': 'old', 'x-there': 'old' }, body: 'ok' }),
  })
  hosts.push(host)
  checks.length = 0
  const response = await host.request(requestOf(scenario))
  // A gRPC call is told by its message alone.
  const callouts = 'http' in scenario.provider ? host.callouts.map(requested) : []
  return {
    ...answered(response),
    upstream: response.upstream && requested(response.upstream),
    callouts,
    checks: checks.map(compared),
  }
}

const answered = ({ status, text, headers, trailers, details, reset }: Response) => ({
  status,
  text,
  details,
  reset,
  headers: headers.entries.filter(([name]) => !OWN.has(name)).toSorted(),
  trailers: trailers.entries,
})

const requested = ({ method, path, authority, headers, body, trailers }: UpstreamRequest) => ({
  method,
  path,
  authority,
  headers: headers.entries.filter(([name]) => !OWN.has(name)).toSorted(),
  body: body.toString(),
  trailers: trailers.entries,
})

/** Ports and ids differ by request. */
const compared = ({ source, destination, seconds, id, headers, ...rest }: (typeof checks)[number]) => ({
  ...rest,
  source: { ...source, port: 0 },
  destination: { ...destination, port: 0 },
  isRecent: Math.abs(seconds - Date.now() / 1000) < 60,
  hasId: id !== '',
  headers: { ...headers, 'x-request-id': '' },
})

/** What the proxy adds to each message, and what differs by request. */
const OWN = new Set([':status', 'date', 'server', 'x-request-id', 'x-envoy-upstream-service-time', 'x-forwarded-for'])

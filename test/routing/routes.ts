/** Routes of any kind, compiled and asked through real Envoy. */
import { cluster, type Host } from '@meshscript/sdk/testing'
import { createEnvoyHost } from '@meshscript/sdk/testing/envoy/index'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { compileRouting, type TrafficOptions } from '../../cli/src/compile/traffic/index.ts'
import { Source } from '../../cli/src/resources/source.ts'
import filter from '../../filters/routing/assembly/index.ts?filter'

/** What a Service does to each request of a test. */
export type Behaviour = (
  attempt: number,
) => number | { status: number; headers?: Record<string, string>; after?: number }

export interface Asked {
  status: number
  /** The Services that got it, in order. */
  services: string[]
  path?: string
  authority?: string
  headers: Record<string, string>
  response: Record<string, string>
}

export interface Question {
  method?: string
  authority?: string
  headers?: [string, string][]
  /** Waits until so many Services have seen the request: copies come late. */
  seen?: number
}

export type Ask = (path: string, question?: Question) => Promise<Asked>

/** What the Services see is told apart by time alone: of requests at the same time only the responses are to be looked at. They name the Service. */
export async function withRoutes(
  text: string,
  options: TrafficOptions,
  behaviours: Readonly<Record<string, Behaviour>>,
  run: (ask: Ask) => Promise<void>,
): Promise<void> {
  const { configuration, diagnostics } = compileRouting([new Source('routes.yaml', text)], options)
  if (!configuration) throw new Error(JSON.stringify(diagnostics.toJSON()))
  const names = new Set([...JSON.stringify(configuration).matchAll(/"cluster":"([^"]+)"/g)].map(([, name]) => name!))
  let seen: { service: string; path: string; authority: string; headers: Record<string, string> }[] = []
  const upstream = (name: string) =>
    cluster.http(async ({ path, authority, headers }) => {
      const service = /^outbound\|\d+\|\|([^.]+)/.exec(name)![1]!
      const attempt = seen.filter((each) => each.service === service).length
      seen.push({ service, path, authority, headers: Object.fromEntries(headers.entries) })
      const answer = behaviours[service]?.(attempt) ?? 200
      const { status, headers: own = {}, after } = typeof answer === 'number' ? { status: answer } : answer
      if (after) await sleep(after)
      return { status, headers: { 'x-service': service, ...own } }
    })
  const host: Host = await createEnvoyHost({
    wasm: filter,
    configuration: { ...configuration },
    clusters: Object.fromEntries([...names].map((name) => [name, upstream(name)])),
    // One that has no policy of its own goes with the filter.
    routes: [{ clusterHeader: 'x-meshscript-cluster' }],
  })
  try {
    await run(async (path, { method = 'GET', authority = 'web', headers = [], seen: count = 0 } = {}) => {
      seen = []
      const response = await host.request({ method, path, authority, headers })
      for (let waited = 0; waited < 20_000 && seen.length < count; waited += 20) await sleep(20)
      const [first] = seen
      return {
        status: response.status,
        services: seen.map(({ service }) => service),
        ...(first && { path: first.path, authority: first.authority }),
        headers: first?.headers ?? {},
        response: Object.fromEntries(response.headers.entries),
      }
    })
    expect(host.logs.filter(({ level }) => level === 'error')).toEqual([])
  } finally {
    await host.close()
  }
}

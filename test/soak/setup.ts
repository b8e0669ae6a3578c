/** What the soak runs on: one Envoy with three filters, each on a listener of its own, and a second Envoy as the services behind it. */

import { join } from 'node:path'
import { buildFilter } from '../../cli/src/build/index.ts'
import {
  buildBootstrap,
  type EnvoyProcess,
  extension,
  type Json,
  type ListenerSpec,
  routeConfig,
  startEnvoy,
  staticFilter,
  temporaryDirectory,
} from '../../sdk/testing/envoy/index.ts'
import type { Load } from '../bench/load.ts'
import { root } from '../bench/paths.ts'

/** The filters under test, with the request that each gets and how the right answer ends. */
export const FILTERS = [
  { name: 'hello', load: { request: get('x-user: bob\r\n'), end: '\r\n\r\nok' } },
  { name: 'body', load: { request: post('a question'), end: '200 to the client\r\n0\r\n\r\n' } },
  { name: 'callout', load: { request: get('x-user: bob\r\n'), end: '\r\n\r\nok' } },
] as const satisfies readonly { name: string; load: Partial<Load> }[]

export interface Setup {
  /** The Envoy with the filters. */
  envoy: EnvoyProcess
  stop(): Promise<void>
}

export async function startSetup(): Promise<Setup> {
  const running: EnvoyProcess[] = []
  const stop = async () => void (await Promise.all(running.map((envoy) => envoy.stop())))
  try {
    const services = await startEnvoy({ bootstrap: servicesBootstrap() })
    running.push(services)
    const directory = temporaryDirectory()
    const filters = await Promise.all(FILTERS.map(({ name }) => build(directory, name)))
    const envoy = await startEnvoy({ directory, bootstrap: filterBootstrap(filters, services.ports) })
    running.push(envoy)
    return { envoy, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function build(directory: string, name: string): Promise<Json> {
  const path = join(root, 'test/soak/assembly', `${name}.ts`)
  const { output } = await buildFilter({ path, output: join(directory, `${name}.wasm`) })
  return staticFilter('http', 'wasm', { wasm: output, name }, output)
}

function filterBootstrap(filters: readonly Json[], services: Record<string, number>): Json {
  const listeners = FILTERS.map(({ name }, index): ListenerSpec => {
    const route = name === 'body' ? { cluster: 'upstream' } : { directResponse: { status: 200, body: 'ok' } }
    return { name, http: { filters: [filters[index]!], routes: routeConfig([route]) } }
  })
  const clusters = Object.fromEntries(
    Object.entries(services).map(([name, port]) => [name, { endpoints: [{ host: '127.0.0.1', port }] }]),
  )
  return buildBootstrap({ listeners, clusters })
}

/** Services that answer at once, after the whole request. */
function servicesBootstrap(): Json {
  // Without it Envoy answers as soon as it has the headers.
  const whole = extension('buffer', 'envoy.extensions.filters.http.buffer.v3.Buffer', { max_request_bytes: 65536 })
  const service = (name: string, body: string): ListenerSpec => ({
    name,
    http: { filters: [whole], routes: routeConfig([{ directResponse: { status: 200, body } }]) },
  })
  return buildBootstrap({ listeners: [service('upstream', '200'), service('decider', 'yes')] })
}

function get(headers: string): string {
  return `GET /soak HTTP/1.1\r\nhost: localhost\r\nuser-agent: soak\r\naccept: */*\r\n${headers}\r\n`
}

function post(body: string): string {
  return `POST /soak HTTP/1.1\r\nhost: localhost\r\nuser-agent: soak\r\ncontent-length: ${body.length}\r\n\r\n${body}`
}

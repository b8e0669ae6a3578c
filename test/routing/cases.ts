/** What real Istio and Envoy did with VirtualServices (`test/fixtures/routing.json`), each with our configuration for the same resources. */
import { readFileSync } from 'node:fs'
import { compileRouting } from '../../cli/src/compile/traffic/index.ts'
import type { RoutingConfig } from '../../cli/src/compile/traffic/model.ts'
import { Source } from '../../cli/src/resources/source.ts'

export interface RecordedRequest {
  method?: string
  path?: string
  host?: string
  headers?: Record<string, string | string[]>
  backend?: { status?: number; reset?: boolean; first?: number; sleep?: number }
  status: number
  cluster: string | null
  attempts: number
  upstream?: { method: string; path: string; authority: string; headers: [string, string][] }
  mirrored?: { cluster: string; authority: string; path: string }[]
  localReply?: boolean
  responseHeaders?: [string, string][]
  body?: string
  /** Where it took over 0.3. */
  seconds?: number
}

export interface RoutingCase {
  name: string
  config: string
  requests: RecordedRequest[]
  configuration: RoutingConfig
  /** What the compiler had to say, as `severity CODE field`. */
  told: string[]
}

interface RecordedFile {
  client: { namespace: string; labels: Record<string, string> }
  services: { name: string; namespace: string; clusterIP: string; port: number; portName: string }[]
  cases: { name: string; config: string; requests: RecordedRequest[] }[]
}

const recorded = JSON.parse(readFileSync(new URL('../fixtures/routing.json', import.meta.url), 'utf8')) as RecordedFile

const services = recorded.services
  .map(
    ({ name, namespace, clusterIP, port, portName }) =>
      `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: ${namespace}}\n` +
      `spec: {clusterIP: ${clusterIP}, ports: [{name: ${portName}, port: ${port}}]}\n`,
  )
  .join('---\n')

/** `more`: cases of the same form. */
export function routingCases(more: readonly Pick<RoutingCase, 'name' | 'config' | 'requests'>[] = []): RoutingCase[] {
  const workload = { namespace: recorded.client.namespace, name: 'client', labels: recorded.client.labels }
  return [...recorded.cases, ...more].map(({ name, config, requests }) => {
    const sources = [new Source(`${name}.yaml`, config), new Source('services.yaml', services)]
    const { configuration, diagnostics } = compileRouting(sources, { workload })
    if (!configuration) throw new Error(`${name}: ${diagnostics.summary}\n${JSON.stringify(diagnostics.toJSON())}`)
    const told = diagnostics.toJSON().map(({ severity, code, field }) => `${severity} ${code} ${field}`)
    return { name, config, requests, configuration, told }
  })
}

/** For the tests of what compiles to the routing filter's configuration. */
import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { expect } from 'vitest'
import { Source } from '../../resources/source.ts'
import { compileRouting, type TrafficOptions } from './index.ts'
import type { RouteConfig } from './model.ts'

const schema = JSON.parse(
  readFileSync(new URL('../../../../filters/routing/schema.json', import.meta.url), 'utf8'),
) as object
const isValid = new Ajv({ strict: false }).compile(schema)

export const workload = { namespace: 'shop', name: 'front', labels: { app: 'front' } }

/** A Service of the namespace shop. */
export const service = (name: string, ports: string = '[{port: 80}]', more = '') =>
  `{apiVersion: v1, kind: Service, metadata: {name: ${name}, namespace: shop${more}}, spec: {ports: ${ports}}}`
export const clusterOf = (name: string, port = 80, namespace = 'shop') =>
  `outbound|${port}||${name}.${namespace}.svc.cluster.local`

/** Compiles documents, and holds what comes out to the filter's schema. */
export function compileTraffic(documents: string[], options: Partial<TrafficOptions> = {}) {
  const sources = documents.map((text, index) => new Source(`${index}.yaml`, text))
  const { configuration, diagnostics } = compileRouting(sources, { workload, port: 80, ...options })
  if (configuration) expect(isValid(configuration), JSON.stringify(isValid.errors)).toBe(true)
  const all = diagnostics.toJSON()
  const hosts = configuration?.virtualHosts
  const routes: RouteConfig[] | undefined = hosts?.flatMap((host) => host.routes)
  return {
    configuration,
    hosts,
    routes,
    /** `severity CODE field` of each diagnostic. */
    told: all.map(({ severity, code, field }) => [severity, code, field].filter(Boolean).join(' ')),
    hints: all.map(({ hint }) => hint),
    messages: all.map(({ message }) => message),
  }
}

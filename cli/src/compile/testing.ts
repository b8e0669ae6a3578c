/** What the tests of families of policies share. */
import { Source } from '../resources/source.ts'
import { compileAuthorization, type CompileOptions } from './index.ts'

/** Compiles texts for the workload `app` of namespace `shop`, labelled `app: app`. */
export function compileTexts(texts: readonly string[], options: Partial<CompileOptions> = {}) {
  const workload = { namespace: 'shop', name: 'app', labels: { app: 'app' } }
  const sources = texts.map((text, index) => new Source(`${index}.yaml`, text))
  const result = compileAuthorization(sources, { workload, namespace: 'shop', ...options })
  const messages = result.diagnostics
    .toJSON()
    .map(({ severity, code, field = '', message }) => `${severity} ${code} ${field}: ${message}`)
  const hints = result.diagnostics.toJSON().map(({ hint }) => hint)
  const rules = result.configuration?.policies.flatMap((policy) => policy.rules)
  const places = [...result.rules].map(
    ([id, { source, start }]) => `${id} ${source.name}:${source.position(start).line}`,
  )
  return { ...result, messages, hints, rules, places }
}

/** A pod of namespace `shop`. */
export const pod = (
  name: string,
  labels: Record<string, string>,
  { account = name, ip = '', namespace = 'shop' } = {},
) =>
  JSON.stringify({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace, labels },
    spec: {
      serviceAccountName: account,
      containers: [{ name: 'main', ports: [{ name: 'web', containerPort: 8080 }] }],
    },
    ...(ip && { status: { phase: 'Running', podIP: ip } }),
  })

import { Ajv } from 'ajv'
import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { parseMeshConfig } from '../../resources/mesh-config.ts'
import { Diagnostics } from '../../resources/diagnostics.ts'
import { parseResources } from '../../resources/parse.ts'
import { Source } from '../../resources/source.ts'
import { STANDARD_METRICS } from './metrics.ts'
import { compileTelemetry, type TelemetryOptions } from './index.ts'
import { levelsFor, type Telemetry } from './levels.ts'
import { mergeTelemetries } from './merge.ts'

const workload = { namespace: 'shop', name: 'cart', labels: { app: 'cart', version: 'v1' } }
const telemetry = (spec: string, namespace = 'shop', name = 'a') =>
  `apiVersion: telemetry.istio.io/v1\nkind: Telemetry\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: ${spec}\n`
const MESH = `
extensionProviders:
- {name: otlp, opentelemetry: {service: ops/collector.ops.svc.cluster.local, port: 4318, http: {path: /v1/traces, timeout: 3s, headers: [{name: X-Key, value: k}]}}}
- {name: grpc, opentelemetry: {service: collector.ops, port: 4317}}
- {name: zip, zipkin: {service: zipkin.ops, port: 9411, traceContextOption: USE_B3_WITH_W3C_PROPAGATION}}
- {name: dog, datadog: {service: agent.ops, port: 8126}}
- {name: second, prometheus: {}}
- {name: file, envoyFileAccessLog: {path: /var/log/a}}
- {name: secret, opentelemetry: {service: a.b, port: 1, http: {path: /v1/traces, headers: [{name: x-key, envName: KEY}]}}}
- {name: own, envoyFileAccessLog: {path: /dev/stdout, logFormat: {text: "%STATUS%"}}}
- {name: labels, envoyFileAccessLog: {logFormat: {labels: {status: "%STATUS%"}}}}
- {name: short, envoyFileAccessLog: {omitEmptyValues: true}}
- {name: json, envoyFileAccessLog: {path: /dev/stderr, logFormat: {labels: {}}}}
- {name: plain, envoyFileAccessLog: {}}
`

const isValid = new Ajv({ strict: false }).compile(
  JSON.parse(readFileSync(new URL('../../../../filters/telemetry/schema.json', import.meta.url), 'utf8')) as object,
)

/** All that Telemetries say, also what the filter does not do. */
function merge(documents: string[], options: Partial<TelemetryOptions> = {}, mesh = MESH) {
  const diagnostics = new Diagnostics()
  const config = parseMeshConfig(new Source('mesh.yaml', mesh), diagnostics)
  const sources = documents.map((text, index) => new Source(`${index}.yaml`, text))
  const telemetries = parseResources(sources, diagnostics) as Telemetry[]
  const { direction = 'inbound' } = options
  const parts = mergeTelemetries(levelsFor(telemetries, workload, config), {
    workload,
    mesh: config,
    direction,
    diagnostics,
  })
  const told = diagnostics.toJSON().map(({ severity, code, field }) => `${severity} ${code} ${field}`)
  return { ...parts, told }
}

function compile(documents: string[], options: Partial<TelemetryOptions> = {}, mesh = MESH) {
  const diagnostics = new Diagnostics()
  const config = parseMeshConfig(new Source('mesh.yaml', mesh), diagnostics)
  const sources = documents.map((text, index) => new Source(`${index}.yaml`, text))
  const { configuration } = compileTelemetry(sources, { workload, mesh: config, diagnostics, ...options })
  if (configuration) expect(isValid(configuration), JSON.stringify(isValid.errors)).toBe(true)
  const told = diagnostics.toJSON().map(({ severity, code, field }) => `${severity} ${code} ${field}`)
  return { configuration, told, ...configuration }
}

const ALL = Object.fromEntries(Object.keys(STANDARD_METRICS).map((name) => [name, {}]))

test('without Telemetries: all standard metrics, no traces, no access log', () => {
  const { configuration, told } = compile([])
  expect(told).toEqual(['warning MS1007 undefined'])
  expect(configuration).toEqual({
    version: 1,
    reporter: 'destination',
    workload: {
      name: 'cart',
      namespace: 'shop',
      principal: 'spiffe://cluster.local/ns/shop/sa/default',
      app: 'cart',
      version: 'v1',
      canonicalService: 'cart',
      canonicalRevision: 'v1',
    },
    metadataExchange: true,
    metrics: ALL,
  })
})

test('how often connections are counted', () => {
  const { configuration } = compile([telemetry('{metrics: [{reportingInterval: 10s}]}')])
  expect(configuration?.metrics).toEqual({ ...ALL, reportingInterval: '10s' })
})

describe('parts', () => {
  const spec = '{tracing: [{providers: [{name: otlp}]}], accessLogging: [{providers: [{name: envoy}]}]}'

  test('all that Telemetries speak of; and that istiod has Envoy do some of it, too', () => {
    const { told, metrics, traces, accessLog } = compile([telemetry(spec)])
    expect(told).toEqual(['info MS1415 undefined'])
    expect(metrics).toEqual(ALL)
    expect(traces?.exporter?.type).toBe('otlp')
    expect(accessLog).toEqual([{ format: 'text' }])
  })

  test('those alone that are asked for: the rest is not looked at', () => {
    const broken = '{tracing: [{providers: [{name: nobody}]}], accessLogging: [{providers: [{name: nobody}]}]}'
    const { told, configuration } = compile([telemetry(broken)], { parts: ['metrics'] })
    expect(told).toEqual([])
    expect(configuration).toMatchObject({ metrics: ALL })
    expect(Object.keys(configuration!)).not.toEqual(expect.arrayContaining(['traces']))
    expect(Object.keys(configuration!)).not.toEqual(expect.arrayContaining(['accessLog']))
    const logs = compile([telemetry(spec)], { parts: ['accessLog'] })
    expect(logs.metrics).toBeUndefined()
    expect(logs.accessLog).toHaveLength(1)
  })

  test('flow records, of which no resource speaks', () => {
    const flows = { exporter: { cluster: 'observe' }, log: true } as const
    expect(compile([], { flows }).flows).toEqual(flows)
    expect(compile([]).flows).toBeUndefined()
  })
})

describe('metrics', () => {
  test('are switched off one by one, for one side', () => {
    const spec = '{metrics: [{overrides: [{match: {metric: REQUEST_SIZE, mode: CLIENT}, disabled: true}]}]}'
    expect(merge([telemetry(spec)]).metrics).toEqual(ALL)
    const { REQUEST_SIZE: _, ...others } = ALL
    expect(merge([telemetry(spec)], { direction: 'outbound' }).metrics).toEqual(others)
  })

  test('are all off where the root namespace says so, and on again for a namespace that speaks of one', () => {
    const off = telemetry('{metrics: [{overrides: [{disabled: true}]}]}', 'istio-system')
    expect(merge([off]).metrics).toBeUndefined()
    const on = telemetry('{metrics: [{overrides: [{match: {metric: REQUEST_COUNT}, disabled: false}]}]}')
    expect(merge([off, on]).metrics).toEqual(ALL)
  })

  test('have labels added and removed, the lowest level last', () => {
    const root = telemetry(
      '{metrics: [{overrides: [{tagOverrides: {path: {value: request.path}, source_app: {operation: REMOVE}}}]}]}',
      'istio-system',
    )
    const own = telemetry(
      '{selector: {matchLabels: {app: cart}}, metrics: [{overrides: [{match: {metric: REQUEST_COUNT}, tagOverrides: {path: {operation: REMOVE}, source_app: {value: "\'x\'"}}}]}]}',
    )
    const { metrics } = merge([own, root])
    expect(metrics?.REQUEST_COUNT).toEqual({ remove: ['path'], tags: { source_app: "'x'" } })
    expect(metrics?.REQUEST_SIZE).toEqual({ remove: ['source_app'], tags: { path: 'request.path' } })
  })

  test('of a provider that a lower level replaces count for nothing', () => {
    const root = telemetry(
      '{metrics: [{providers: [{name: prometheus}], overrides: [{match: {metric: REQUEST_COUNT}, disabled: true}]}]}',
      'istio-system',
    )
    expect(merge([root, telemetry('{metrics: [{providers: [{name: second}]}]}')]).metrics).toEqual(ALL)
  })

  test('of a level without providers are for those of the level above', () => {
    const root = telemetry('{metrics: [{providers: [{name: second}]}]}', 'istio-system')
    const own = telemetry(
      '{metrics: [{reportingInterval: 10s, overrides: [{match: {metric: REQUEST_COUNT}, disabled: true}]}]}',
    )
    const { REQUEST_COUNT: _, ...others } = ALL
    expect(merge([root, own]).metrics).toEqual({ ...others, reportingInterval: '10s' })
  })

  test.each([
    ['{metrics: [{providers: [{name: nobody}]}]}', 'a provider that is not there', undefined],
    ['{metrics: [{overrides: [{match: {customMetric: mine}, disabled: true}]}]}', 'a custom metric', ALL],
  ])('%s: a warning about %s', (spec, _, metrics) => {
    const compiled = merge([telemetry(spec)])
    expect(compiled.told).toEqual(['warning MS1401 spec.metrics'])
    expect(compiled.metrics).toEqual(metrics)
  })
})

describe('levels', () => {
  const count = (disabled: boolean, selector = '') =>
    `{${selector}metrics: [{overrides: [{match: {metric: REQUEST_COUNT}, disabled: ${disabled}}]}]}`
  const isOn = (documents: string[]) => merge(documents).metrics?.REQUEST_COUNT !== undefined

  test('the workload before its namespace, the namespace before the root namespace', () => {
    const selector = 'selector: {matchLabels: {app: cart}}, '
    const [root, namespace] = [telemetry(count(false), 'istio-system'), telemetry(count(true), 'shop', 'wide')]
    expect(isOn([namespace, root])).toBe(false)
    expect(isOn([telemetry(count(false, selector)), namespace, root])).toBe(true)
  })

  test('of other namespaces and workloads do not count', () => {
    expect(isOn([telemetry(count(true), 'other')])).toBe(true)
    expect(isOn([telemetry(count(true, 'selector: {matchLabels: {app: other}}, '))])).toBe(true)
    expect(isOn([telemetry(count(true, 'selector: {matchLabels: {app: cart}}, '), 'istio-system')])).toBe(true)
  })

  test('two for one namespace: the first counts', () => {
    const documents = [telemetry(count(false)), telemetry(count(true), 'shop', 'b')]
    expect(isOn(documents)).toBe(true)
    expect(compile(documents).told).toEqual(['warning MS1410 metadata.name'])
  })
})

describe('traces', () => {
  const to = (provider: string, more = '') => telemetry(`{tracing: [{providers: [{name: ${provider}}]${more}}]}`)

  test.each([
    [
      'otlp',
      {
        propagation: ['w3c'],
        exporter: {
          type: 'otlp',
          cluster: 'outbound|4318||collector.ops.svc.cluster.local',
          authority: 'collector.ops.svc.cluster.local',
          path: '/v1/traces',
          headers: { 'x-key': 'k' },
        },
        batch: { timeout: '3s' },
      },
    ],
    [
      'ZIP',
      {
        propagation: ['b3multi', 'w3c'],
        exporter: { type: 'zipkin', cluster: 'outbound|9411||zipkin.ops', authority: 'zipkin.ops' },
      },
    ],
    [
      'dog',
      {
        propagation: ['datadog'],
        exporter: { type: 'datadog', cluster: 'outbound|8126||agent.ops', authority: 'agent.ops' },
      },
    ],
  ])('go to %s', (provider, expected) => {
    const { traces, told } = compile([to(provider)])
    expect(told).toEqual(['info MS1415 undefined'])
    expect(traces).toEqual({ sampling: 1, service: 'cart.shop', ...expected })
  })

  test('are sampled as the lowest level says, 0 too', () => {
    const root = telemetry('{tracing: [{providers: [{name: otlp}], randomSamplingPercentage: 50}]}', 'istio-system')
    expect(merge([root]).traces?.sampling).toBe(50)
    expect(merge([root, telemetry('{tracing: [{randomSamplingPercentage: 0}]}')]).traces?.sampling).toBe(0)
    const mesh = `${MESH}defaultConfig: {tracing: {sampling: 7}}\ndefaultProviders: {tracing: [zip]}`
    expect(merge([], {}, mesh).traces).toMatchObject({ sampling: 7, exporter: { type: 'zipkin' } })
  })

  test('have tags; those of a lower level replace all others', () => {
    const tags =
      'customTags: {a: {literal: {value: x}}, b: {environment: {name: POD, defaultValue: none}}, c: {header: {name: X-User}}}'
    const root = telemetry(`{tracing: [{providers: [{name: otlp}], ${tags}}]}`, 'istio-system')
    expect(merge([root]).traces?.tags).toEqual({
      a: { literal: 'x' },
      b: { environment: 'POD', default: 'none' },
      c: { header: 'x-user' },
    })
    const own = telemetry('{tracing: [{customTags: {d: {literal: {value: z}}}}]}')
    expect(merge([root, own]).traces?.tags).toEqual({ d: { literal: 'z' } })
  })

  test('that are not reported are passed on all the same, unless that is off too', () => {
    const quiet = compile([to('otlp', ', disableSpanReporting: true, enableIstioTags: false')])
    expect(quiet.traces).toEqual({ propagation: ['w3c'], sampling: 1, service: 'cart.shop', istioTags: false })
    const { traces } = compile([to('otlp', ', disableContextPropagation: true')])
    expect(traces).toMatchObject({ propagation: ['w3c'], inject: false, exporter: { type: 'otlp' } })
    // For the other side.
    const client = telemetry('{tracing: [{match: {mode: CLIENT}, providers: [{name: zip}]}, {providers: [{name: otlp}], match: {mode: SERVER}}]}') // prettier-ignore
    expect(merge([client]).traces?.exporter?.type).toBe('otlp')
    expect(merge([client], { direction: 'outbound' }).traces?.exporter?.type).toBe('zipkin')
  })

  test('are decided by the request id, unless that is off', () => {
    expect(compile([to('otlp')]).traces).not.toHaveProperty('useRequestId')
    expect(compile([to('otlp', ', useRequestIdForTraceSampling: false')]).traces).toMatchObject({ useRequestId: false })
  })

  test('for nobody are none', () => {
    const { traces, told } = compile([telemetry('{tracing: [{randomSamplingPercentage: 10}]}')])
    expect(traces).toBeUndefined()
    expect(told).toEqual(['warning MS1401 spec.tracing'])
  })

  test.each([
    ['grpc', ''],
    ['secret', ''],
    ['nobody', ''],
    ['prometheus', ''],
    ['otlp', ', customTags: {a: {formatter: {value: "%REQ(a)%"}}}'],
  ])('to %s%s are refused', (provider, more) => {
    expect(merge([to(provider, more)]).told).toEqual(['error MS1301 spec.tracing'])
  })
})

describe('access logs', () => {
  const logs = (...entries: string[]) => telemetry(`{accessLogging: [${entries.join(', ')}]}`)
  const ENVOY = '{providers: [{name: envoy}]}'

  test('with a filter, for one side', () => {
    const document = logs(
      '{providers: [{name: envoy}], match: {mode: SERVER}, filter: {expression: response.code >= 400}}',
    )
    expect(compile([document]).accessLog).toEqual([{ format: 'text', filter: 'response.code >= 400' }])
    expect(compile([document], { direction: 'outbound' }).accessLog).toBeUndefined()
  })

  test('that a lower level switches off', () => {
    const mesh = `${MESH}defaultProviders: {accessLogging: [envoy]}`
    expect(compile([], {}, mesh).accessLog).toEqual([{ format: 'text' }])
    expect(compile([logs('{disabled: true}')], {}, mesh).accessLog).toBeUndefined()
  })

  test('in the format of the mesh, or the provider', () => {
    const mesh = `${MESH}accessLogEncoding: JSON`
    expect(compile([logs(ENVOY)], {}, mesh).accessLog).toEqual([{ format: 'json' }])
    // Istio asks the mesh for its own provider only.
    expect(compile([logs('{providers: [{name: plain}]}')], {}, mesh).accessLog).toEqual([{ format: 'text' }])
    expect(compile([logs('{providers: [{name: json}]}')]).accessLog).toEqual([{ format: 'json' }])
    const own = compile([logs(ENVOY)], {}, `${MESH}accessLogFormat: "%STATUS%"`)
    expect(own.told).toEqual(['error MS1301 spec.accessLogging'])
  })

  test('of the mesh, where nobody is named', () => {
    const mesh = `${MESH}accessLogFile: /dev/stdout\naccessLogEncoding: JSON`
    expect(compile([], {}, mesh).accessLog).toEqual([{ format: 'json' }])
    expect(compile([logs('{providers: [{name: plain}]}')], {}, mesh).accessLog).toEqual([{ format: 'text' }])
    expect(compile([logs('{disabled: true}')], {}, `${mesh}\ndefaultProviders: {accessLogging: [envoy]}`).accessLog).toBeUndefined() // prettier-ignore
    expect(compile([], {}, `${MESH}accessLogFile: /var/log/a`).told).toContain('error MS1301 undefined')
  })

  test.each(['file', 'own', 'labels', 'short', 'otlp', 'nobody'])('for %s are refused', (provider) => {
    expect(merge([logs(`{providers: [{name: ${provider}}]}`)]).told).toEqual(['error MS1301 spec.accessLogging'])
  })
})

test('peers are those whose pods are in the input', () => {
  const pod = (name: string, account: string, app: string, ip: string) =>
    `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}, namespace: web, labels: {app: ${app}}}\n` +
    `spec: {serviceAccountName: ${account}, containers: [{name: a, image: a}]}\nstatus: {podIP: ${ip}}\n`
  const { peers } = compile([
    pod('front-6fb5694d48-5hmds', 'front', 'front', '10.0.0.1'),
    pod('front-6fb5694d48-abcde', 'front', 'front', '10.0.0.2'),
    pod('x', 'shared', 'x', '10.0.0.3'),
    pod('z', 'shared', 'z', '10.0.0.4'),
  ])
  const front = {
    name: 'front',
    namespace: 'web',
    app: 'front',
    canonicalService: 'front',
    canonicalRevision: 'latest',
  }
  expect(peers?.[0]).toEqual({ ...front, principal: 'spiffe://cluster.local/ns/web/sa/front' })
  // Whom an account of two workloads is, only the address tells.
  expect(peers?.slice(1).map(({ name, address, principal }) => [name, address, principal])).toEqual([
    ['front', '10.0.0.1', undefined],
    ['front', '10.0.0.2', undefined],
    ['x', '10.0.0.3', undefined],
    ['z', '10.0.0.4', undefined],
  ])
})

/** Envoy's own tracers through the chain: what the filter is measured by, and that both make one trace together. */
import { typed } from '@meshscript/sdk/testing/envoy/index'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import wasm from '../../../filters/telemetry-headers/assembly/index.ts?filter'
import { Chain, SERVICES, type Tracing } from './chain.ts'
import { Collector } from './collector.ts'
import { expectNested, tracesOf } from './expectations.ts'

const openTelemetry: Tracing = {
  receiver: 'otlp',
  native: (service) => ({
    provider: {
      name: 'envoy.tracers.opentelemetry',
      typed_config: typed('envoy.config.trace.v3.OpenTelemetryConfig', {
        service_name: service,
        http_service: { http_uri: { uri: 'http://collector/v1/traces', cluster: 'collector', timeout: '1s' } },
      }),
    },
  }),
}
const zipkin: Tracing = {
  receiver: 'zipkin',
  native: () => ({
    provider: {
      name: 'envoy.tracers.zipkin',
      typed_config: typed('envoy.config.trace.v3.ZipkinConfig', {
        collector_cluster: 'collector',
        collector_endpoint: '/api/v2/spans',
        collector_endpoint_version: 'HTTP_JSON',
        trace_id_128bit: true,
        shared_span_context: false,
      }),
    },
  }),
}
const datadog: Tracing = {
  receiver: 'datadog',
  native: (service) => ({
    provider: {
      name: 'envoy.tracers.datadog',
      typed_config: typed('envoy.config.trace.v3.DatadogConfig', {
        collector_cluster: 'collector',
        service_name: service,
      }),
    },
  }),
}
const filter: Tracing = {
  receiver: 'otlp',
  filter: {
    wasm,
    traces: { propagation: ['w3c', 'b3multi', 'datadog'], exporter: { type: 'otlp', cluster: 'collector' } },
  },
}

let collector: Collector
let chain: Chain | undefined

beforeAll(async () => {
  collector = await Collector.start()
}, 300_000)
afterAll(() => collector?.kill())
beforeEach(() => void (collector.spans.length = 0))
afterEach(() => chain?.close())

test.each<[string, [Tracing, Tracing, Tracing]]>([
  ['the OpenTelemetry tracer', [openTelemetry, openTelemetry, openTelemetry]],
  ['the Zipkin tracer', [zipkin, zipkin, zipkin]],
  ['the Datadog tracer', [datadog, datadog, datadog]],
  ['the filter between two of the Datadog tracer', [datadog, filter, datadog]],
  ['the filter behind and before the OpenTelemetry tracer', [openTelemetry, filter, openTelemetry]],
  ['the filter between both tracers', [openTelemetry, filter, zipkin]],
  ['the OpenTelemetry tracer behind and before the filter', [filter, openTelemetry, filter]],
])('%s', async (_, [a, b, c]) => {
  chain = await Chain.start(collector, (service) => ({ a, b, c })[service])
  expect(await chain.request()).toBe(200)
  const traces = await tracesOf(collector)
  expect(traces).toHaveLength(1)
  const ofDatadog = SERVICES.filter((_, i) => [a, b, c][i] === datadog)
  expectNested(
    traces[0]!,
    '',
    ofDatadog.map((service) => `${service}.shop`),
  )
})

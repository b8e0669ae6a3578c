/** What the specs of traces share. */
import { cluster, type HostOptions, type HttpHandler, type Response } from '@meshscript/sdk/testing'
import filter from '../../telemetry-headers/assembly/index.ts?filter'
import { host, SPAN, startHost, TRACE } from '../testing.ts'

export const workload = {
  name: 'reviews-v2',
  namespace: 'shop',
  version: 'v2',
  canonicalService: 'reviews',
  canonicalRevision: 'v2',
  cluster: 'east',
}
export const EXPORTER = { type: 'otlp', cluster: 'collector' }
/** Of batches: they go while a test waits. */
export const SOON = { interval: '20ms' }

/** The header that names the trace the specs go on with. */
export const traceparent = (flags = '01') => `00-${TRACE}-${SPAN}-${flags}`

/** The filter that sends spans and tells of them, with this `traces` in its configuration. */
export async function start(
  traces: object,
  configuration: object = {},
  options: HostOptions = {},
  receive: HttpHandler = () => 200,
): Promise<void> {
  await startHost({
    wasm: filter,
    configuration: { version: 1, reporter: 'destination', workload, traces, ...configuration },
    clusters: { collector: cluster.http(receive) },
    // Envoy's own: none is added, and what a client says is kept.
    connectionManager: { generate_request_id: false, use_remote_address: false },
    ...options,
  })
}

/** A header that the service got. */
export const sent = (response: Response, name: string) => response.upstream!.headers.get(name)

interface OtlpSpan {
  traceId: string
  spanId: string
  parentSpanId?: string
  traceState?: string
  name: string
  kind: number
  startTimeUnixNano: string
  endTimeUnixNano: string
  attributes: { key: string; value: { stringValue?: string; intValue?: string } }[]
  status: { code?: number }
}
interface Otlp {
  resourceSpans: { resource: { attributes: OtlpSpan['attributes'] }; scopeSpans: { spans: OtlpSpan[] }[] }[]
}

/** What the receiver got. */
export const bodies = () => host.callouts.map(({ body }) => JSON.parse(body.toString('utf8')) as Otlp)

export const attributesOf = ({ attributes }: Pick<OtlpSpan, 'attributes'>) =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, value.stringValue ?? Number(value.intValue)]))

export const spansOf = (body: Otlp) =>
  body.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap(({ spans }) => spans))

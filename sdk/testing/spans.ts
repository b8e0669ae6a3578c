/** Spans as receivers get them: OTLP/HTTP in JSON, Zipkin's JSON (version 2), Datadog's MessagePack (version 0.4). */
import { decode } from '@msgpack/msgpack'
import type { Host, UpstreamRequest } from './types.ts'

/** A span that a filter has sent. */
export interface Span {
  /** 32 hexadecimal digits; 16 where Zipkin was sent as many. */
  traceId: string
  /** 16 hexadecimal digits. */
  spanId: string
  /** Undefined where the trace begins. */
  parentSpanId: string | undefined
  name: string
  kind: 'internal' | 'server' | 'client' | 'producer' | 'consumer'
  /** Whose span it is. */
  service: string
  /** Nanoseconds since 1970. */
  start: bigint
  end: bigint
  status: 'unset' | 'ok' | 'error'
  /** Of Zipkin and Datadog all are text. */
  attributes: Record<string, string | number | boolean>
  traceState: string | undefined
  /** Which cluster it was sent to. */
  cluster: string
}

/** The spans that the filters of a host have sent so far, in the order of their requests. Other callouts are passed over. */
export function spansOf(host: Pick<Host, 'callouts'>): Span[] {
  return host.callouts.flatMap((request) => decodeSpans(request).map((span) => ({ ...span, cluster: request.cluster })))
}

type Decoded = Omit<Span, 'cluster'>

function decodeSpans({ headers, body }: UpstreamRequest): Decoded[] {
  const type = headers.get('content-type')
  if (type === 'application/msgpack') return datadogSpans(decode(body, { useBigInt64: true }) as DatadogSpan[][])
  if (type !== 'application/json') return []
  let json: unknown
  try {
    json = JSON.parse(body.toString('utf8'))
  } catch {
    return []
  }
  if (Array.isArray(json)) return (json as Partial<ZipkinSpan>[]).filter(isZipkinSpan).map(zipkinSpan)
  return json !== null && typeof json === 'object' && 'resourceSpans' in json ? otlpSpans(json as OtlpRequest) : []
}

interface OtlpAttribute {
  key: string
  value: { stringValue?: string; intValue?: string | number; doubleValue?: number; boolValue?: boolean }
}
interface OtlpRequest {
  resourceSpans?: {
    resource?: { attributes?: OtlpAttribute[] }
    scopeSpans?: {
      spans?: {
        traceId: string
        spanId: string
        parentSpanId?: string
        traceState?: string
        name: string
        kind?: number
        startTimeUnixNano: string
        endTimeUnixNano: string
        attributes?: OtlpAttribute[]
        status?: { code?: number }
      }[]
    }[]
  }[]
}

const KINDS = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'] as const
const STATUSES = ['unset', 'ok', 'error'] as const

const otlpAttributes = (attributes: OtlpAttribute[] = []): Span['attributes'] =>
  Object.fromEntries(
    attributes.map(({ key, value: { stringValue, intValue, doubleValue, boolValue } }) => [
      key,
      stringValue ?? boolValue ?? doubleValue ?? Number(intValue),
    ]),
  )

function otlpSpans({ resourceSpans = [] }: OtlpRequest): Decoded[] {
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }) => {
    const service = String(otlpAttributes(resource?.attributes)['service.name'] ?? '')
    return scopeSpans
      .flatMap(({ spans = [] }) => spans)
      .map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId || undefined,
        name: span.name,
        kind: KINDS[span.kind ?? 0] ?? 'internal',
        service,
        start: BigInt(span.startTimeUnixNano),
        end: BigInt(span.endTimeUnixNano),
        status: STATUSES[span.status?.code ?? 0] ?? 'unset',
        attributes: otlpAttributes(span.attributes),
        traceState: span.traceState || undefined,
      }))
  })
}

interface ZipkinSpan {
  traceId: string
  id: string
  parentId?: string
  name?: string
  kind?: string
  timestamp?: number
  duration?: number
  localEndpoint?: { serviceName?: string }
  tags?: Record<string, string>
}

const isZipkinSpan = (span: Partial<ZipkinSpan> | null): span is ZipkinSpan =>
  typeof span?.traceId === 'string' && typeof span.id === 'string'

function zipkinSpan({
  traceId,
  id,
  parentId,
  name = '',
  kind,
  timestamp = 0,
  duration = 0,
  ...span
}: ZipkinSpan): Decoded {
  const { tags = {}, localEndpoint } = span
  return {
    traceId,
    spanId: id,
    parentSpanId: parentId,
    name,
    kind: KINDS.find((each) => each === kind?.toLowerCase()) ?? 'internal',
    service: localEndpoint?.serviceName ?? '',
    // Microseconds.
    start: BigInt(timestamp) * 1000n,
    end: BigInt(timestamp + duration) * 1000n,
    status: 'error' in tags ? 'error' : 'unset',
    attributes: tags,
    traceState: undefined,
  }
}

interface DatadogSpan {
  service: string
  resource: string
  trace_id: bigint
  span_id: bigint
  parent_id: bigint
  start: bigint
  duration: bigint
  error: bigint
  meta: Record<string, string>
}

const hex = (value: bigint) => value.toString(16).padStart(16, '0')

function datadogSpans(traces: DatadogSpan[][]): Decoded[] {
  return traces.flat().map((span) => ({
    traceId: (span.meta['_dd.p.tid'] ?? '').padStart(16, '0') + hex(BigInt(span.trace_id)),
    spanId: hex(BigInt(span.span_id)),
    parentSpanId: BigInt(span.parent_id) === 0n ? undefined : hex(BigInt(span.parent_id)),
    name: span.resource,
    kind: KINDS.find((each) => each === span.meta['span.kind']) ?? 'internal',
    service: span.service,
    start: BigInt(span.start),
    end: BigInt(span.start) + BigInt(span.duration),
    status: Number(span.error) === 0 ? 'unset' : 'error',
    attributes: span.meta,
    traceState: undefined,
  }))
}

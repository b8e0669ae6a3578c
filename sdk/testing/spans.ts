/** Spans as receivers get them: OTLP/HTTP in JSON, Zipkin's JSON (version 2), Datadog's MessagePack (version 0.4). */
import { decode } from '@msgpack/msgpack'
import type { Host, UpstreamRequest } from './types.ts'

type Attributes = Record<string, string | number | boolean>

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
  /** Of Zipkin all are text, of Datadog all but its `metrics`. Lists and objects are JSON. */
  attributes: Attributes
  /** Who has sent it, as OTLP says; of Zipkin and Datadog empty. */
  resource: Attributes
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
  const type = headers.get('content-type')?.split(';')[0]!.trim().toLowerCase()
  if (type === 'application/msgpack') {
    const traces = read(() => decode(body, { useBigInt64: true }))
    return Array.isArray(traces) ? (traces.flat() as Partial<DatadogSpan>[]).filter(isDatadogSpan).map(datadogSpan) : []
  }
  if (type !== 'application/json') return []
  const json = read(() => JSON.parse(body.toString('utf8')) as unknown)
  if (Array.isArray(json)) return (json as Partial<ZipkinSpan>[]).filter(isZipkinSpan).map(zipkinSpan)
  return json !== null && typeof json === 'object' && 'resourceSpans' in json ? otlpSpans(json as OtlpRequest) : []
}

/** Undefined for what is not in that form at all. */
function read(parse: () => unknown): unknown {
  try {
    return parse()
  } catch {
    return undefined
  }
}

interface OtlpAttribute {
  key: string
  value?: { stringValue?: string; intValue?: string | number; doubleValue?: number; boolValue?: boolean }
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

const otlpAttributes = (attributes: OtlpAttribute[] = []): Attributes =>
  Object.fromEntries(attributes.map(({ key, value = {} }) => [key, otlpValue(value)]))

function otlpValue(value: NonNullable<OtlpAttribute['value']>): string | number | boolean {
  const { stringValue, intValue, doubleValue, boolValue } = value
  const number = intValue === undefined ? doubleValue : Number(intValue)
  return stringValue ?? boolValue ?? number ?? JSON.stringify(value)
}

function otlpSpans({ resourceSpans = [] }: OtlpRequest): Decoded[] {
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }) => {
    const described = otlpAttributes(resource?.attributes)
    return scopeSpans
      .flatMap(({ spans = [] }) => spans)
      .map((span) => ({
        traceId: span.traceId,
        spanId: span.spanId,
        parentSpanId: span.parentSpanId || undefined,
        name: span.name,
        kind: KINDS[span.kind ?? 0] ?? 'internal',
        service: String(described['service.name'] ?? ''),
        start: BigInt(span.startTimeUnixNano),
        end: BigInt(span.endTimeUnixNano),
        status: STATUSES[span.status?.code ?? 0] ?? 'unset',
        attributes: otlpAttributes(span.attributes),
        resource: described,
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
    resource: {},
    traceState: undefined,
  }
}

type Integer = number | bigint
interface DatadogSpan {
  service?: string
  resource?: string
  trace_id: Integer
  span_id: Integer
  parent_id?: Integer
  start?: Integer
  duration?: Integer
  error?: Integer
  meta?: Record<string, string>
  metrics?: Record<string, Integer>
}

const isInteger = (value: unknown): value is Integer => typeof value === 'bigint' || Number.isInteger(value)
const isDatadogSpan = (span: Partial<DatadogSpan> | null): span is DatadogSpan =>
  isInteger(span?.trace_id) && isInteger(span.span_id)

const hex = (value: Integer) => value.toString(16).padStart(16, '0')

function datadogSpan({ start = 0, duration = 0, parent_id = 0, error = 0, meta = {}, ...span }: DatadogSpan): Decoded {
  const numbers = Object.entries(span.metrics ?? {}).map(([name, value]) => [name, Number(value)] as const)
  return {
    traceId: (meta['_dd.p.tid'] ?? '').padStart(16, '0') + hex(span.trace_id),
    spanId: hex(span.span_id),
    parentSpanId: Number(parent_id) === 0 ? undefined : hex(parent_id),
    name: span.resource ?? '',
    kind: KINDS.find((each) => each === meta['span.kind']) ?? 'internal',
    service: span.service ?? '',
    start: BigInt(start),
    end: BigInt(start) + BigInt(duration),
    status: Number(error) === 0 ? 'unset' : 'error',
    attributes: { ...meta, ...Object.fromEntries(numbers) },
    resource: {},
    traceState: undefined,
  }
}

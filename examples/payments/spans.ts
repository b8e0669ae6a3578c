/** Spans as the OpenTelemetry Collector writes them to a file: OTLP in JSON, a line for what came together. */

import { existsSync, readFileSync } from 'node:fs'

export interface Span {
  traceId: string
  spanId: string
  /** Empty: the trace begins with it. */
  parentSpanId: string
  name: string
  kind: 'server' | 'client' | 'other'
  service: string
  /** Nanoseconds since 1970. */
  start: bigint
  end: bigint
  /** Of the response. */
  status: string
}

interface Attribute {
  key: string
  value: { stringValue?: string; intValue?: string }
}

interface Line {
  resourceSpans: {
    resource: { attributes: Attribute[] }
    scopeSpans: {
      spans: {
        traceId: string
        spanId: string
        parentSpanId?: string
        name: string
        kind: number
        startTimeUnixNano: string
        endTimeUnixNano: string
        attributes: Attribute[]
      }[]
    }[]
  }[]
}

const KINDS: Record<number, Span['kind']> = { 2: 'server', 3: 'client' }

/** Those that are in the file, none where it is not there yet. */
export function readSpans(file: string): Span[] {
  if (!existsSync(file)) return []
  // The last line may not be complete.
  const lines = readFileSync(file, 'utf8').split('\n').slice(0, -1)
  return lines.flatMap((line) => spansOf(JSON.parse(line) as Line))
}

function spansOf({ resourceSpans }: Line): Span[] {
  return resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) =>
      spans.map(({ startTimeUnixNano, endTimeUnixNano, kind, attributes, parentSpanId = '', ...span }) => ({
        ...span,
        parentSpanId,
        kind: KINDS[kind] ?? 'other',
        service: valueOf(resource.attributes, 'service.name'),
        start: BigInt(startTimeUnixNano),
        end: BigInt(endTimeUnixNano),
        status: valueOf(attributes, 'http.response.status_code'),
      })),
    ),
  )
}

function valueOf(attributes: readonly Attribute[], key: string): string {
  const value = attributes.find((attribute) => attribute.key === key)?.value
  return value?.stringValue ?? value?.intValue ?? ''
}

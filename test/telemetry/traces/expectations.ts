/** What a trace through the chain has to be, whoever has sent its spans. */
import { expect } from 'vitest'
import { PAUSE } from './chain.ts'
import type { Collector, Span } from './collector.ts'

/** Server of a, client of a, server of b … */
const HOPS = [
  ['a.shop', 'Server'],
  ['a.shop', 'Client'],
  ['b.shop', 'Server'],
  ['b.shop', 'Client'],
  ['c.shop', 'Server'],
]
/** Nanoseconds: clocks of two processes, and Zipkin's microseconds, are that exact. */
const SLACK = 1_000_000n

/** Waits for as many spans as `traces` requests make, and answers them by trace. */
export async function tracesOf(collector: Collector, traces = 1): Promise<Span[][]> {
  await expect.poll(() => collector.spans.length, { timeout: 10_000 }).toBeGreaterThanOrEqual(traces * HOPS.length)
  const byTrace: Record<string, Span[]> = {}
  for (const span of collector.spans) (byTrace[span.traceId] ??= []).push(span)
  return Object.values(byTrace)
}

/**
 * Expects the spans of one request: one in another, from the first service's to the last one's.
 *
 * @param parent of the first span
 * @param sayServer services whose tracer calls all spans a server's
 */
export function expectNested(spans: readonly Span[], parent = '', sayServer: readonly string[] = []): void {
  const ordered: Span[] = []
  // By parents, not by time.
  for (let id = parent; ordered.length < spans.length; id = ordered[ordered.length - 1]!.spanId) {
    const children = spans.filter(({ parentSpanId }) => parentSpanId === id)
    expect(children, `spans below '${id}' of ${text(spans)}`).toHaveLength(1)
    ordered.push(children[0]!)
  }
  expect(ordered.map(({ service, kind }) => [service, kind])).toEqual(
    HOPS.map(([service, kind]) => [service, sayServer.includes(service!) ? 'Server' : kind]),
  )
  expect(new Set(ordered.map(({ spanId }) => spanId)).size).toBe(HOPS.length)
  expect(new Set(ordered.map(({ traceId }) => traceId)).size).toBe(1)
  for (const [i, inner] of ordered.entries()) {
    if (i === 0) continue
    const outer = ordered[i - 1]!
    // Within a service lies what its application does.
    const pause = inner.service === outer.service ? BigInt(PAUSE) * 1_000_000n : 0n
    expect(inner.start - outer.start, `${text([outer, inner])} begin`).toBeGreaterThanOrEqual(pause - SLACK)
    expect(outer.end - inner.end, `${text([outer, inner])} end`).toBeGreaterThanOrEqual(pause - SLACK)
    expect(inner.end).toBeGreaterThanOrEqual(inner.start)
  }
}

function text(spans: readonly Span[]): string {
  return JSON.stringify(
    spans.map(({ service, kind, spanId, parentSpanId, traceId }) => [service, kind, traceId, spanId, parentSpanId]),
  )
}

/** `toHaveSpan`: a span that a filter has sent to a receiver. */
import { matches, type Outcome, result } from './outcome.ts'
import { NodeHost } from './node/host.ts'
import { type Span, spansOf } from './spans.ts'
import type { Host } from './types.ts'

/** Expected parts of a span. */
export interface ExpectedSpan extends Partial<Pick<Span, 'kind' | 'status' | 'cluster'>> {
  name?: string | RegExp
  service?: string | RegExp
  traceId?: string | RegExp
  spanId?: string | RegExp
  /** Null: the trace begins with it. */
  parentSpanId?: string | RegExp | null
  traceState?: string | RegExp | null
  /** Value, a pattern for it, or null for an attribute that must not be there. */
  attributes?: ExpectedAttributes
  /** The same of who has sent it (OTLP). */
  resource?: ExpectedAttributes
}
type ExpectedAttributes = Record<string, string | number | boolean | RegExp | null>

/** Milliseconds that a real proxy may take to send what it has, and between two looks. */
const PATIENCE = 2000
const PAUSE = 20

type Value = string | number | boolean | undefined

function fits(actual: Value, wanted: Value | RegExp | null): boolean {
  if (wanted === null) return actual === undefined
  if (actual === undefined) return false
  // Of Zipkin and Datadog numbers come as text.
  return wanted instanceof RegExp ? matches(String(actual), wanted) : String(actual) === String(wanted)
}

function isSuch(span: Span, { attributes = {}, resource = {}, ...parts }: ExpectedSpan): boolean {
  return (
    Object.entries(parts).every(([part, wanted]) => wanted === undefined || fits(span[part as 'name'], wanted)) &&
    Object.entries(attributes).every(([name, wanted]) => fits(span.attributes[name], wanted)) &&
    Object.entries(resource).every(([name, wanted]) => fits(span.resource[name], wanted))
  )
}

const describe = ({ service, kind, name, traceId, spanId, parentSpanId, status, attributes }: Span) =>
  `\n  ${service}: ${kind} ${name} (trace ${traceId}, span ${spanId}, parent ${parentSpanId ?? 'none'}, ${status}) ${JSON.stringify(attributes)}`

const text = (expected: ExpectedSpan) =>
  JSON.stringify(expected, (_, value: unknown) => (value instanceof RegExp ? String(value) : value))

/** The matcher. A real proxy is given two seconds to send it; in the Node host it is time for `advance`. */
export function toHaveSpan(this: { isNot?: boolean } | void, host: Host, expected: ExpectedSpan = {}): Outcome {
  const check = () => {
    const spans = spansOf(host)
    const pass = spans.some((span) => isSuch(span, expected))
    return result(pass, `a span like ${text(expected)}`, () => spans.map(describe).join('') || 'none at all')
  }
  if (host instanceof NodeHost) return check()
  return waitFor(check, this?.isNot ?? false)
}

/** Until it passes. Where it must not, what there is now counts. */
async function waitFor(check: () => Awaited<Outcome>, isNot: boolean): Promise<Awaited<Outcome>> {
  const end = Date.now() + PATIENCE
  let outcome = check()
  while (!isNot && !outcome.pass && Date.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, PAUSE))
    outcome = check()
  }
  return outcome
}

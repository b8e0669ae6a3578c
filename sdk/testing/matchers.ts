/**
 * Matchers for test runners that have `expect.extend`; in vitest they are there by themselves.
 *
 * `expect(host)…` works at once on the Node host. Real Envoy has to be asked: there, and so in every spec for both hosts,
 * the result is a promise to await.
 */
import type { HeaderList, Host, LogLevel, LogLine, MetricValue, Response, UpstreamRequest } from './types.ts'
import { type MetricLabels, toHaveMetric } from './metric_matcher.ts'
import { leaks } from './node/leak.ts'
import { NodeHost } from './node/host.ts'
import { matches, type MatcherResult, result } from './outcome.ts'
import { type ExpectedSpan, toHaveSpan } from './span_matcher.ts'

/** Expected parts of the request that reached the upstream. */
export interface ExpectedRequest {
  method?: string
  path?: string | RegExp
  authority?: string
  body?: string | RegExp
  /** Value, a pattern for it, or null for a header that must not be there. */
  headers?: Record<string, string | RegExp | null>
}

/** What `expect` can say of responses and hosts. */
export interface FilterMatchers<R = void> {
  /** The proxy answered by itself, with this status. */
  toBeLocalReply(status?: number): R
  /** A local reply with an error status (400 and more), the given one if any. */
  toBeDenied(status?: number): R
  /** The request reached the upstream, and the answer is the upstream's. */
  toBeAllowed(): R
  /** Of a response or of an upstream request: a header, with this value (several lines are joined by `, `). */
  toHaveHeader(name: string, value?: string | RegExp): R
  /** Of a response: the default upstream got the request, such as expected. */
  toReachUpstream(expected?: ExpectedRequest): R
  /**
   * Of a host: a counter or gauge has this value; a histogram this count, or this count and sum. Of a metric with labels, all series that
   * have these labels add up.
   */
  toHaveMetric(name: string, value?: MetricValue, labels?: MetricLabels): Promise<void>
  /** Of a host: a filter has sent such a span, as OTLP/HTTP JSON, Zipkin's JSON or Datadog's MessagePack. A real proxy is given two seconds. */
  toHaveSpan(expected?: ExpectedSpan): Promise<void>
  /** Of a host: a filter logged such a line, at this level. */
  toContainLog(level: LogLevel, message: string | RegExp): R
  /** Of a Node host: shared data under this key. */
  toHaveSharedData(key: string, value?: string | RegExp, vmId?: string): R
  /** Of a Node host: running `fn` many times makes the guest's memory grow. Use it with `not`, and await it. */
  toLeak(fn: () => unknown, times?: number): Promise<void>
}

const LEAK_TIMES = 1000

const answered = (wanted: number | undefined, actual: number) => wanted === undefined || wanted === actual

function describeResponse({ status, details, localReply, reset, upstream }: Response): string {
  const kind = reset
    ? 'a reset'
    : localReply
      ? `a local reply (${details || 'no details'})`
      : 'an answer of the upstream'
  return `${kind} with status ${status}${upstream ? '' : '; the upstream got no request'}`
}

function toBeLocalReply(response: Response, status?: number): MatcherResult {
  const pass = response.localReply !== undefined && answered(status, response.status)
  return result(pass, `a local reply${status === undefined ? '' : ` with status ${status}`}`, () =>
    describeResponse(response),
  )
}

function toBeDenied(response: Response, status?: number): MatcherResult {
  // A gRPC client is refused in a response with status 200.
  const refused = response.status >= 400 || (response.grpcStatus ?? 0) > 0
  const pass = response.localReply !== undefined && refused && answered(status, response.status)
  return result(pass, `the request to be denied${status === undefined ? '' : ` with ${status}`}`, () =>
    describeResponse(response),
  )
}

function toBeAllowed(response: Response): MatcherResult {
  const pass = response.upstream !== undefined && response.localReply === undefined && !response.reset
  return result(pass, 'the request to be allowed', () => describeResponse(response))
}

function toHaveHeader(actual: { headers: HeaderList }, name: string, value?: string | RegExp): MatcherResult {
  const found = actual.headers.get(name)
  const pass = found !== undefined && (value === undefined || matches(found, value))
  const wanted = value === undefined ? '' : ` ${value instanceof RegExp ? 'like' : '='} ${String(value)}`
  return result(pass, `header ${name}${wanted}`, () => found ?? `missing among ${headerNames(actual.headers)}`)
}

const headerNames = (headers: HeaderList) => headers.entries.map(([name]) => name).join(', ')

function toReachUpstream(response: Response, expected: ExpectedRequest = {}): MatcherResult {
  const { upstream } = response
  if (!upstream) return result(false, 'the request to reach the upstream', () => describeResponse(response))
  const wrong = differences(upstream, expected)
  return result(wrong.length === 0, 'such a request at the upstream', () => wrong.join('; ') || 'exactly that')
}

function differences(actual: UpstreamRequest, expected: ExpectedRequest): string[] {
  const { headers = {}, ...parts } = expected
  const wrong: string[] = []
  for (const [part, wanted] of Object.entries(parts)) {
    const value = part === 'body' ? actual.body.toString('utf8') : (actual[part as 'path'] ?? '')
    if (wanted !== undefined && !matches(value, wanted)) wrong.push(`${part} is '${value}', not ${String(wanted)}`)
  }
  for (const [name, wanted] of Object.entries(headers)) {
    const value = actual.headers.get(name)
    const right = wanted === null ? value === undefined : value !== undefined && matches(value, wanted)
    if (!right)
      wrong.push(`header ${name} is ${value ?? 'missing'}, not ${wanted === null ? 'missing' : String(wanted)}`)
  }
  return wrong
}

function toContainLog(host: { logs: readonly LogLine[] }, level: LogLevel, message: string | RegExp): MatcherResult {
  const fits = (text: string) => (typeof message === 'string' ? text.includes(message) : message.test(text))
  const pass = host.logs.some((line) => line.level === level && fits(line.message))
  return result(pass, `a log line at ${level} ${message instanceof RegExp ? 'like' : 'with'} ${String(message)}`, () =>
    host.logs.length === 0 ? 'none at all' : host.logs.map((line) => `\n  ${line.level} ${line.message}`).join(''),
  )
}

function toHaveSharedData(host: Host, key: string, value?: string | RegExp, vmId = ''): MatcherResult {
  const found = nodeHost(host, 'toHaveSharedData').shared(key, vmId)
  const pass = found !== undefined && (value === undefined || matches(found, value))
  return result(pass, `shared data ${key}${value === undefined ? '' : ` = ${String(value)}`}`, () => found ?? 'missing')
}

async function toLeak(host: Host, fn: () => unknown, times = LEAK_TIMES): Promise<MatcherResult> {
  const report = await nodeHost(host, 'toLeak').leak(fn, times)
  return result(leaks(report), 'growing memory', () => JSON.stringify(report))
}

function nodeHost(host: Host, matcher: string): NodeHost {
  if (host instanceof NodeHost) return host
  throw new TypeError(`${matcher} is for the Node host: the real proxy does not show that`)
}

/** For `expect.extend`. */
export const matchers = {
  toBeLocalReply,
  toBeDenied,
  toBeAllowed,
  toHaveHeader,
  toReachUpstream,
  toHaveMetric,
  /** Finds a span that a filter has sent. */
  toHaveSpan,
  toContainLog,
  toHaveSharedData,
  toLeak,
}

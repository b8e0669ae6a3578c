import { describe, expect, it } from 'vitest'
import { HeaderMap } from './header_map.ts'
import type { Pair } from './pairs.ts'
import { RetryPolicy } from './retry.ts'

const policy = (...headers: Pair[]) => new RetryPolicy(new HeaderMap('request', headers))
const status = (code: number) => new HeaderMap('response', [[':status', String(code)]])

describe('RetryPolicy', () => {
  it('waits 15 s and does not retry by itself', () => {
    const headers = new HeaderMap('request')
    const none = new RetryPolicy(headers)
    expect(none.timeout).toBe(15_000)
    expect(headers.entries).toEqual([['x-envoy-expected-rq-timeout-ms', '15000']])
    expect(none.afterResponse(status(503))).toBe('final')
  })

  it('takes its headers out of the request', () => {
    const headers = new HeaderMap('request', [
      ['x-envoy-upstream-rq-timeout-ms', '0'],
      ['x-envoy-retry-on', '5xx'],
    ])
    expect(new RetryPolicy(headers).timeout).toBe(0)
    expect(headers.entries).toEqual([])
  })

  it('retries as often as it may', () => {
    const retry = policy(['x-envoy-retry-on', 'gateway-error, reset'], ['x-envoy-max-retries', '2'])
    expect([500, 502, 503, 504].map((code) => retry.afterResponse(status(code)))).toEqual([
      'final',
      'retry',
      'retry',
      'exhausted',
    ])
  })

  it('tells a connection that broke from one that was never made', () => {
    expect(policy(['x-envoy-retry-on', 'connect-failure']).afterReset(true)).toBe('final')
    expect(policy(['x-envoy-retry-on', 'connect-failure']).afterReset(false)).toBe('retry')
    expect(policy(['x-envoy-retry-on', 'reset']).afterReset(true)).toBe('retry')
  })

  it('retries by gRPC status', () => {
    const unavailable = new HeaderMap('response', [
      [':status', '200'],
      ['grpc-status', '14'],
    ])
    expect(policy(['x-envoy-retry-grpc-on', 'unavailable']).afterResponse(unavailable)).toBe('retry')
    expect(policy(['x-envoy-retry-grpc-on', 'cancelled']).afterResponse(unavailable)).toBe('final')
  })
})

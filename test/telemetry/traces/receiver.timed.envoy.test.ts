/** The receiver of spans fails for a while: requests do not notice, memory is bounded, what is lost is counted, and then all goes on. */
import { expect, test } from 'vitest'
import wasm from '../../../filters/telemetry-headers/assembly/index.ts?filter'
import { FAILURES, isTemporary, outage, QUEUE } from './outage.ts'

/** Milliseconds: a request that waited for the receiver would take at least as long. */
const TIMEOUT = 200

test.each(FAILURES)('%s', async (failure) => {
  const result = await outage({ wasm, failure, seconds: 0.6, warmUp: 0.3, timeout: TIMEOUT, patience: 10_000 })
  const { before, during, resident } = result
  expect(during.requests).toBeGreaterThan(0)
  expect([before.failures, during.failures]).toEqual([0, 0])
  expect(during.median).toBeLessThan(3 * before.median + 1)
  expect(during.p99).toBeLessThan(0.75 * TIMEOUT + before.p99)
  // The queue is 256 spans of less than 2 KB, its block twice as long at most.
  expect(Math.max(...resident) - resident[0]).toBeLessThan(3 * 2 ** 20)
  expect(result.sent).toBe(result.taken)
  const all = before.requests + during.requests
  const kept = before.requests + Math.min(QUEUE, during.requests)
  if (failure === 'slow') {
    expect(result.sent).toBeGreaterThanOrEqual(kept)
    expect({ dropped: result.dropped, rejected: result.rejected }).toEqual({ dropped: all - result.sent, rejected: 0 })
  } else if (isTemporary(failure)) {
    // The oldest are kept.
    expect(result.sent).toBe(kept)
    expect({ dropped: result.dropped, rejected: result.rejected }).toEqual({ dropped: all - result.sent, rejected: 0 })
    // Ever more seldom: 50 ms would be 16 times.
    expect(result.tries).toBeLessThan(failure === 429 ? 2 : 8)
  } else {
    // All but those that waited when it was well again.
    expect(result.dropped).toBe(0)
    expect(result.rejected).toBeGreaterThan(during.requests - QUEUE)
    expect(result.rejected).toBe(all - result.sent)
  }
})

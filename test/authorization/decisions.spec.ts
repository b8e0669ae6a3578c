/** The decisions of Istio and Envoy, made again by our filter: the same verdict, by the same rule, in the same words. */

import { createHost, hostName, type Host } from '@meshscript/sdk/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import filter from '../../filters/authorization/assembly/index.ts?filter'
import { has } from '../matrix/facts.ts'
import { type AuthorizationCase, authorizationCases, furtherAuthorizationCases } from './cases.ts'
import { listenerOptions } from './listener.ts'
import { expectedOutcome, FILTER_STATE, observedOutcome, toRequestInit } from './requests.ts'

const REFUSED = 'rbac_access_denied_matched_policy[none]'

describe('recorded', () => authorizationCases().forEach(specify))
describe('further', () => furtherAuthorizationCases().forEach(specify))

function specify(recorded: AuthorizationCase) {
  const { configuration, listener } = recorded
  const requests = recorded.requests.flatMap((request) => {
    const init = toRequestInit(request, hostName())
    return init ? [{ request, init }] : []
  })
  // What Istio refuses is refused here too (`cases.test.ts`).
  if (recorded.invalid || requests.length === 0) return
  describe(recorded.name, () => {
    let host: Host
    beforeAll(async () => {
      host = await createHost({
        wasm: filter,
        // A policy that the compiler does not take must not look like one that allows.
        configuration: configuration ? { ...configuration, record: 'all' } : 'not compiled',
        filterState: FILTER_STATE,
        ...listenerOptions(listener),
      })
    })
    afterAll(() => host?.close())

    for (const { request, init } of requests) {
      // Most of the time of a request is waiting for the access log.
      it.concurrent(JSON.stringify({ ...request, policyId: undefined, status: undefined }), async () => {
        const expected = expectedOutcome(request, recorded)
        const response = await host.request(init)
        const observed = observedOutcome(response, expected)
        // Where certificates can't be read, clients whose names matter are refused.
        const isUnread = request.peer && !has('peerCertificate') && response.details === REFUSED
        if (!isUnread) expect(observed).toEqual(expected)
      })
    }
  })
}

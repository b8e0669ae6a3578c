/** The recorded decisions of Istio and Envoy, made again by our filter: the same verdict, by the same rule, in the same words. */

import { createHost } from '@meshscript/sdk/testing'
import type { Host } from '@meshscript/sdk/testing'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import filter from '../../filters/authorization/assembly/index.ts?filter'
import { type AuthorizationCase, authorizationCases, expectedOutcome, toRequestInit } from './cases.ts'

for (const recorded of authorizationCases()) {
  const { configuration } = recorded
  const requests = recorded.requests.flatMap((request) => {
    const init = toRequestInit(request)
    return init ? [{ request, init }] : []
  })
  if (!configuration || !requests.length) continue
  describe(recorded.name, () => {
    let host: Host
    beforeAll(async () => {
      host = await createHost({
        wasm: filter,
        configuration,
        tls: { trustDomain: recorded.anyTrustDomain ? '*' : trustDomains(recorded), permissive: true },
        connectionManager: normalization(recorded),
        bootstrap: runtime,
      })
    })
    afterAll(() => host?.close())

    for (const { request, init } of requests) {
      it(JSON.stringify({ ...request, policyId: undefined, status: undefined }), async () => {
        const { status, text, details } = await host.request(init)
        const expected = expectedOutcome(request)
        if (request.method === 'HEAD' && status === 403) expected.text = ''
        expect({ status, ...(status === 403 && { text, details }) }).toEqual(expected)
      })
    }
  })
}

function trustDomains({ mesh }: AuthorizationCase): string[] {
  return [mesh.trustDomain, ...mesh.trustDomainAliases]
}

/** What Istio sets of Envoy's path normalization. */
function normalization({ pathNormalization }: AuthorizationCase): Record<string, unknown> {
  return {
    normalize_path: pathNormalization !== 'NONE',
    merge_slashes: pathNormalization === 'MERGE_SLASHES' || pathNormalization === 'DECODE_AND_MERGE_SLASHES',
    path_with_escaped_slashes_action:
      pathNormalization === 'DECODE_AND_MERGE_SLASHES' ? 'UNESCAPE_AND_FORWARD' : 'KEEP_UNCHANGED',
  }
}

/** Istio's runtime: a path with a fragment is cut instead of refused. */
const runtime = {
  layered_runtime: {
    layers: [{ name: 'istio', static_layer: { 'envoy.reloadable_features.http_reject_path_with_fragment': false } }],
  },
}

/** Linkerd's own kinds (linkerd.io, policy.linkerd.io) that are read. */
import { httpRoute } from '../gateway-api/http-route.ts'
import type { Family } from '../kind.ts'
import { httpLocalRateLimitPolicy } from './http-local-rate-limit-policy.ts'
import { server } from './server.ts'
import { serviceProfile } from './service-profile.ts'

export const linkerd: Family = {
  groups: {
    'linkerd.io': { ServiceProfile: serviceProfile },
    // As in the Gateway API, of which it has a part.
    'policy.linkerd.io': {
      HTTPRoute: httpRoute(['v1alpha1', 'v1beta1', 'v1beta2', 'v1beta3']),
      HTTPLocalRateLimitPolicy: httpLocalRateLimitPolicy,
      Server: server,
    },
  },
}

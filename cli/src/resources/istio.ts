/** Istio's kinds. */
import { authorizationPolicySchema, checkAuthorizationPolicy } from './authorization-policy.ts'
import type { Family } from './kind.ts'

const security = ['v1', 'v1beta1']

export const istio: Family = {
  complete: ['security.istio.io'],
  groups: {
    'security.istio.io': {
      AuthorizationPolicy: {
        use: 'read',
        versions: security,
        fields: { spec: authorizationPolicySchema },
        check: checkAuthorizationPolicy,
      },
      RequestAuthentication: {
        use: 'ignore',
        versions: security,
        why: "Envoy's own jwt_authn filter verifies tokens",
      },
      PeerAuthentication: { use: 'ignore', versions: security, why: "Envoy's listener terminates TLS" },
    },
  },
}

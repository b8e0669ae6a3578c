/** The routes of the Gateway API (gateway.networking.k8s.io), as meshes read them. */
import type { Family, Kind } from '../kind.ts'
import { gateway } from './gateway.ts'
import { grpcRoute } from './grpc-route.ts'
import { httpRoute } from './http-route.ts'
import { referenceGrant } from './reference-grant.ts'

const versions = ['v1', 'v1beta1', 'v1alpha2', 'v1alpha3']
const unused: Kind = { use: 'ignore', versions, why: 'the filters do without it' }

export const gatewayApi: Family = {
  groups: {
    'gateway.networking.k8s.io': {
      HTTPRoute: httpRoute(['v1', 'v1beta1']),
      GRPCRoute: grpcRoute,
      Gateway: gateway,
      GatewayClass: unused,
      ReferenceGrant: referenceGrant,
    },
  },
}

/** Istio's kinds. */
import { authorizationPolicySchema } from './authorization-policy.ts'
import { checkAuthorizationPolicy } from './check-authorization-policy.ts'
import type { Family, Kind, ReadKind } from './kind.ts'
import { checkDestinationRule, destinationRuleSchema } from './networking/destination-rule.ts'
import { checkGateway, gatewaySchema } from './networking/gateway.ts'
import { checkVirtualService } from './networking/check-virtual-service.ts'
import { virtualServiceSchema } from './networking/virtual-service.ts'
import { checkPeerAuthentication, peerAuthenticationSchema } from './peer-authentication.ts'
import { checkRequestAuthentication, requestAuthenticationSchema } from './request-authentication.ts'
import type { Schema } from './schema.ts'
import { checkTelemetry, telemetrySchema } from './telemetry.ts'
import { checkWasmPlugin, wasmPluginSchema } from './wasm-plugin.ts'

const read = (versions: string[], spec: Schema, check: ReadKind['check'], required: string[] = []): Kind => ({
  use: 'read',
  versions,
  fields: { spec },
  required,
  check,
})

const traffic = (spec: Schema, check: ReadKind['check']): ReadKind => ({
  ...(read(networking, spec, check, ['spec']) as ReadKind),
  about: 'traffic',
})

const security = ['v1', 'v1beta1']
const networking = ['v1', 'v1beta1', 'v1alpha3']
/** For routing, of no consequence. */
const unused: Kind = { use: 'ignore', versions: networking, why: 'the filters do without it' }

export const istio: Family = {
  complete: ['security.istio.io', 'networking.istio.io', 'telemetry.istio.io', 'extensions.istio.io'],
  groups: {
    'security.istio.io': {
      AuthorizationPolicy: read(security, authorizationPolicySchema, checkAuthorizationPolicy),
      RequestAuthentication: read(security, requestAuthenticationSchema, checkRequestAuthentication),
      PeerAuthentication: read(security, peerAuthenticationSchema, checkPeerAuthentication),
    },
    'networking.istio.io': {
      VirtualService: traffic(virtualServiceSchema, checkVirtualService),
      DestinationRule: traffic(destinationRuleSchema, checkDestinationRule),
      Gateway: { ...traffic(gatewaySchema, checkGateway), about: 'gateways', unread: 'the filters do without it' },
      ServiceEntry: unused,
      Sidecar: unused,
      WorkloadEntry: unused,
      WorkloadGroup: unused,
      EnvoyFilter: unused,
      ProxyConfig: unused,
    },
    'telemetry.istio.io': {
      Telemetry: { ...(read(['v1', 'v1alpha1'], telemetrySchema, checkTelemetry) as ReadKind), about: 'telemetry' },
    },
    'extensions.istio.io': {
      WasmPlugin: read(['v1alpha1'], wasmPluginSchema, checkWasmPlugin, ['spec']),
      TrafficExtension: { use: 'ignore', versions: ['v1alpha1'], why: 'it has no bearing on authorization' },
    },
  },
}

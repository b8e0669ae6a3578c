/** Istio's PeerAuthentication (security.istio.io): whether a workload takes plaintext. Envoy's listener sees to it. */
import type { Diagnostics } from './diagnostics.ts'
import type { Resource } from './resource.ts'
import type { Schema } from './schema.ts'
import { checkNoDryRun, checkTargets, selectorSchema, type Targets } from './targets.ts'

export interface PeerAuthenticationSpec extends Pick<Targets, 'selector'> {
  portLevelMtls?: Record<string, { mode?: string }>
}

const mtls: Schema = {
  type: 'object',
  properties: { mode: { type: 'string', enum: ['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT'] } },
}

const isPort = (text: string) => /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 65535

export const peerAuthenticationSchema: Schema = {
  type: 'object',
  properties: {
    selector: selectorSchema,
    mtls,
    portLevelMtls: {
      type: 'object',
      minProperties: 1,
      keys: { test: { test: isPort }, expected: 'a port', hint: 'write the port of the workload, from 1 to 65535' },
      additionalProperties: mtls,
    },
  },
}

export function checkPeerAuthentication(policy: Resource<PeerAuthenticationSpec>, diagnostics: Diagnostics) {
  checkTargets(policy, diagnostics)
  checkNoDryRun(policy, diagnostics)
  const { selector, portLevelMtls } = policy.spec
  if (portLevelMtls && Object.keys(selector?.matchLabels ?? {}).length === 0) {
    const message = 'portLevelMtls needs a selector with labels'
    const hint = 'write selector.matchLabels, or mtls for all ports'
    policy.report(diagnostics, 'error', 'MS1204', ['spec', 'portLevelMtls'], message, hint)
  }
}

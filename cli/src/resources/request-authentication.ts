/** Istio's RequestAuthentication (security.istio.io): which tokens a workload takes. Envoy's jwt_authn filter verifies them. */
import type { Diagnostics } from './diagnostics.ts'
import { checkNoDryRun, checkTargets, durationSchema, targetFields, type Targets } from './targets.ts'
import type { Resource } from './resource.ts'
import type { Schema } from './schema.ts'

export interface JwtRule {
  issuer?: string
  jwksUri?: string
  jwks_uri?: string
  jwks?: string
}

export interface RequestAuthenticationSpec extends Targets {
  jwtRules?: JwtRule[]
}

export type RequestAuthentication = Resource<RequestAuthenticationSpec>

const text: Schema = { type: 'string', minLength: 1 }
const texts: Schema = { type: 'array', items: text }
const url: Schema = {
  ...text,
  maxLength: 2048,
  pattern: { test: /^https?:\/\/[^/\s]/i, expected: 'the address of a key set', hint: 'write https://…' },
}

export const requestAuthenticationSchema: Schema = {
  type: 'object',
  properties: {
    ...targetFields,
    jwtRules: {
      type: 'array',
      maxItems: 4096,
      items: {
        type: 'object',
        atMostOneOf: ['jwks', 'jwksUri', 'jwks_uri'],
        properties: {
          issuer: text,
          audiences: texts,
          jwksUri: url,
          jwks_uri: url,
          jwks: { type: 'string' },
          fromHeaders: {
            type: 'array',
            items: { type: 'object', required: ['name'], properties: { name: text, prefix: { type: 'string' } } },
          },
          fromParams: texts,
          fromCookies: texts,
          outputPayloadToHeader: { type: 'string' },
          forwardOriginalToken: { type: 'boolean' },
          outputClaimToHeaders: {
            type: 'array',
            items: {
              type: 'object',
              required: ['header', 'claim'],
              properties: {
                claim: text,
                header: {
                  ...text,
                  pattern: { test: /^[-\w]+$/, expected: 'the name of a header of letters, digits, "-" and "_"' },
                },
              },
            },
          },
          timeout: durationSchema,
          spaceDelimitedClaims: { type: 'array', maxItems: 64, items: text },
          presence: { type: 'string', enum: ['OPTIONAL', 'REQUIRED'] },
        },
      },
    },
  },
}

export function checkRequestAuthentication(policy: RequestAuthentication, diagnostics: Diagnostics) {
  checkTargets(policy, diagnostics)
  checkNoDryRun(policy, diagnostics)
  policy.spec.jwtRules?.forEach((rule, index) => {
    const path = ['spec', 'jwtRules', index]
    if (!rule.issuer && !rule.jwksUri && !rule.jwks_uri) {
      policy.report(
        diagnostics,
        'error',
        'MS1103',
        path,
        'a rule needs an issuer',
        'write issuer: as in the claim "iss"',
      )
    }
    if (!rule.jwks) return
    const keys = readKeys(rule.jwks)
    if (!keys) {
      const hint = `write {"keys": […]}, or its address as jwksUri`
      policy.report(diagnostics, 'error', 'MS1106', [...path, 'jwks'], 'jwks is not a JSON Web Key Set', hint)
    } else if (keys.some((key) => 'd' in key || key['kty'] === 'oct')) {
      const message = 'jwks holds a private key: only public ones are needed to verify tokens'
      policy.report(
        diagnostics,
        'warning',
        'MS1409',
        [...path, 'jwks'],
        message,
        'remove it here, and replace the key pair',
      )
    }
  })
}

/** A key set, or a single key as some write. */
function readKeys(jwks: string): Record<string, unknown>[] | undefined {
  try {
    const value = JSON.parse(jwks) as { keys?: unknown; kty?: unknown } | null
    const keys: unknown[] = Array.isArray(value?.keys) ? value.keys : value?.kty ? [value] : [undefined]
    const isKey = (key: unknown): key is Record<string, unknown> =>
      typeof key === 'object' && key !== null && 'kty' in key
    return keys.every(isKey) ? keys : undefined
  } catch {
    return undefined
  }
}

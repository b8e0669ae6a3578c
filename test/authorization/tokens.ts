/** JSON Web Tokens of the tests, and Envoy's jwt_authn as Istio configures it. */
import { extension, type Json } from '@meshscript/sdk/testing/envoy/index'
import { createSign, generateKeyPairSync } from 'node:crypto'

export type Claims = Record<string, unknown>

/** What of a RequestAuthentication's rule counts here. */
export interface JwtRule {
  issuer: string
  audiences?: string[]
  jwks?: string
}

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const KEY = { kid: 'test', alg: 'RS256' }

/** The keys that verify the tokens, as JSON. */
export const JWKS = JSON.stringify({ keys: [{ ...publicKey.export({ format: 'jwk' }), ...KEY, use: 'sig' }] })

/** Valid from 2023 to 2100, unless the claims say something else. */
export const completeClaims = (claims: Claims): Claims => ({ iat: 1_700_000_000, exp: 4_102_444_800, ...claims })

export function signToken(claims: Claims): string {
  const text = [{ ...KEY, typ: 'JWT' }, completeClaims(claims)]
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.')
  return `${text}.${createSign('RSA-SHA256').update(text).sign(privateKey, 'base64url')}`
}

/** A provider for each issuer, as istiod generates them (pilot/pkg/security/authn). */
export function jwtFilter(rules: readonly JwtRule[]): Json {
  const providers = rules.map(({ issuer, audiences = [], jwks }, index) => [
    `origins-${index}`,
    {
      issuer,
      audiences,
      local_jwks: { inline_string: jwks },
      payload_in_metadata: 'payload',
      normalize_payload_in_metadata: { space_delimited_claims: SPACE_DELIMITED },
    },
  ])
  const each = rules.map((_, index) => ({ provider_name: `origins-${index}` }))
  const optional = each.map((provider) => ({ requires_any: { requirements: [provider, { allow_missing: {} }] } }))
  const requires =
    optional.length === 1
      ? optional[0]
      : { requires_any: { requirements: [...each, { requires_all: { requirements: optional } }] } }
  return extension('envoy.filters.http.jwt_authn', 'envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication', {
    providers: Object.fromEntries(providers) as Json,
    rules: [{ match: { prefix: '/' }, requires }],
    bypass_cors_preflight: true,
  })
}

const SPACE_DELIMITED = ['permission', 'scope']

/** What the filter leaves in metadata for a token that it takes. */
export function payload(claims: Claims): Claims {
  const entries = Object.entries(completeClaims(claims)).map(([name, value]) => {
    const splits = SPACE_DELIMITED.includes(name) && typeof value === 'string'
    return [name, splits ? value.split(' ').filter((word) => word !== '') : value]
  })
  return Object.fromEntries(entries) as Claims
}

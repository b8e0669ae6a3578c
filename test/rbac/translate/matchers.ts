/** Values of a policy as Envoy's matchers, the way istiod writes them (pilot/pkg/security/authz/matcher). */

import { type Json, typed } from '@meshscript/sdk/testing/envoy/index'

/** Go's regexp.QuoteMeta. */
export const quoteMeta = (text: string): string => text.replaceAll(/[\\.+*?()|[\]{}^$]/g, String.raw`\$&`)

export const regex = (pattern: string): Json => ({ safeRegex: { regex: pattern } })

const withCase = (ignoreCase: boolean): Json => (ignoreCase ? { ignoreCase } : {})
export const exact = (text: string, ignoreCase = false): Json => ({ exact: text, ...withCase(ignoreCase) })
export const prefix = (text: string, ignoreCase = false): Json => ({ prefix: text, ...withCase(ignoreCase) })
export const suffix = (text: string, ignoreCase = false): Json => ({ suffix: text, ...withCase(ignoreCase) })

/** `before` stands in front of what the value says, but for `*`. */
export function stringMatcher(value: string, before = ''): Json {
  if (value === '*') return regex('.+')
  if (value.startsWith('*')) {
    return before === '' ? suffix(value.slice(1)) : regex(`${before}.*${quoteMeta(value.slice(1))}`)
  }
  if (value.endsWith('*')) return prefix(before + value.slice(0, -1))
  return exact(before + value)
}

/** A header, `:method` and `:authority` too. */
export function headerMatcher(name: string, value: string, ignoreCase = false): Json {
  if (value === '*') return { name, presentMatch: true }
  if (value.startsWith('*')) return { name, stringMatch: suffix(value.slice(1), ignoreCase) }
  if (value.endsWith('*')) return { name, stringMatch: prefix(value.slice(0, -1), ignoreCase) }
  return { name, stringMatch: exact(value, ignoreCase) }
}

export const isTemplate = (path: string): boolean => path.includes('{*}') || path.includes('{**}')

export function uriTemplate(path: string): Json {
  const type = 'envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig'
  const pathTemplate = path.replaceAll(/\{(\*\*?)\}/g, '$1')
  return { name: 'uri-template', typedConfig: typed(type, { pathTemplate }) }
}

/** An address or a block of addresses. */
export function cidrRange(value: string): Json {
  const [address, length] = value.split('/') as [string, string?]
  return {
    addressPrefix: address,
    prefixLen: length === undefined ? (address.includes(':') ? 128 : 32) : Number(length),
  }
}

export function metadata(filter: string, path: readonly string[], value: Json): Json {
  return { filter, path: path.map((key) => ({ key })), value }
}

export const anyOf = (matchers: Json[]): Json =>
  matchers.length === 1 ? matchers[0]! : { orMatch: { valueMatchers: matchers } }

/** A claim of the token: a string, or one among a list. */
export function claim(path: readonly string[], values: readonly string[]): Json {
  const value = anyOf(values.map((text) => ({ stringMatch: stringMatcher(text) })))
  const list = { listMatch: { oneOf: value } }
  return jwt(path, { orMatch: { valueMatchers: [list, value] } })
}

export const jwt = (path: readonly string[], value: Json): Json =>
  metadata('envoy.filters.http.jwt_authn', ['payload', ...path], value)

/** The string forms of Istio's policies. */
import type { PathNormalization } from '../../resources/mesh-config.ts'
import type { Matcher, RequestPrincipal } from '../authorization-config.ts'

/** `*` any, `*x` suffix, `x*` prefix, else exact. A star in front is looked at first; any further one is a plain character. */
export function toMatcher(value: string): Matcher {
  if (value === '*') return { present: true }
  if (value.startsWith('*')) return { suffix: value.slice(1) }
  if (value.endsWith('*')) return { prefix: value.slice(0, -1) }
  return { exact: value }
}

/**
 * `ISSUER/SUBJECT`, divided at the last slash since an issuer may be a URL. One star, in front or else behind, goes with the part
 * that it is next to; without a slash the text is about the issuer, or with a star in front about the subject.
 */
export function requestPrincipal(value: string): RequestPrincipal {
  if (value === '*') return {}
  const slash = value.lastIndexOf('/')
  const [issuer, subject] = slash < 0 ? [value, ''] : [value.slice(0, slash), value.slice(slash + 1)]
  if (value.startsWith('*')) {
    if (slash < 0) return { subject: { suffix: value.slice(1) } }
    return { ...(issuer !== '*' && { issuer: { suffix: issuer.slice(1) } }), subject: { exact: subject } }
  }
  if (value.endsWith('*')) {
    if (slash < 0) return { issuer: { prefix: value.slice(0, -1) } }
    return { issuer: { exact: issuer }, ...(subject !== '*' && { subject: { prefix: subject.slice(0, -1) } }) }
  }
  return { issuer: { exact: issuer }, subject: { exact: subject } }
}

/** A namespace, with stars anywhere, in an identity of any trust domain. */
export function namespaceMatcher(value: string): Matcher {
  return { regex: `.*/ns/${value.split('*').map(quoteRegex).join('.*')}/.*` }
}

/** `NAMESPACE/ACCOUNT`, or `ACCOUNT` in the policy's own namespace. */
export function serviceAccountMatcher(value: string, policyNamespace: string): Matcher {
  const slash = value.indexOf('/')
  const namespace = slash < 0 ? policyNamespace : value.slice(0, slash)
  const account = value.slice(slash + 1)
  return { regex: `spiffe://.+/ns/${quoteRegex(namespace)}/(.+/|)sa/${quoteRegex(account)}(/.+)?` }
}

/** A trust domain; one star stands for any part of it. */
export function trustDomainMatcher(value: string): Matcher {
  if (value === '*') return { regex: '(?s)spiffe://.*' }
  const star = value.indexOf('*')
  if (star < 0) return { prefix: `${value}/` }
  return { regex: `spiffe://${quoteRegex(value.slice(0, star))}[^/]*${quoteRegex(value.slice(star + 1))}/.*` }
}

const quoteRegex = (text: string) => text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&')

/** Why a value can't match any request, with what to write instead; undefined if it can. */
export function neverMatches(
  field: string,
  value: string,
  normalization?: PathNormalization,
): { why: string; hint: string } | undefined {
  const matcher = toMatcher(value)
  switch (field) {
    case 'principals': {
      const scheme = 'spiffe://'
      if (!value.startsWith(scheme)) return undefined
      return {
        why: 'principals are compared without "spiffe://"',
        hint: `write ${JSON.stringify(value.slice(scheme.length))}`,
      }
    }
    case 'methods': {
      const upper = value.toUpperCase()
      if (value === upper || !/^\*?[a-zA-Z]+\*?$/.test(value)) return undefined
      return { why: 'methods are case-sensitive', hint: `write ${JSON.stringify(upper)}` }
    }
    case 'paths': {
      if (!('present' in matcher) && /[?#]/.test(value)) {
        return { why: 'paths are compared without the query and fragment', hint: 'write the part before "?" or "#"' }
      }
      const start = 'exact' in matcher ? matcher.exact : 'prefix' in matcher ? matcher.prefix : '/'
      if (!start.startsWith('/')) return { why: 'a path begins with "/"', hint: `write ${JSON.stringify(`/${value}`)}` }
      return unnormalized(value, normalization)
    }
    case 'hosts': {
      if (!value.includes('/')) return undefined
      const host = value.replace(/^.*:\/\//, '').replace(/\/.*/, '')
      return { why: 'a host has neither scheme nor path', hint: `write ${JSON.stringify(host)}` }
    }
  }
  return undefined
}

/** Why no path looks so once the connection manager has normalized it. */
function unnormalized(
  value: string,
  normalization: PathNormalization = 'DEFAULT',
): { why: string; hint: string } | undefined {
  if (normalization === 'NONE') return undefined
  const why = 'paths are normalized before they are compared'
  // A text that is cut off by a star may go on to something else, e.g. `/.*` to `/.well-known`.
  if (/\/\.\.?(\/|$)/.test(value)) return { why, hint: 'write it without the segments "." and ".."' }
  let normal = value
    .replaceAll('\\', '/')
    .replace(/%([0-9a-f]{2})/gi, (escape, hex: string) => {
      const character = String.fromCharCode(parseInt(hex, 16))
      return /[\w.~-]/.test(character) ? character : escape
    })
    .replace(/["<>^`|]|[^!-~]+/g, percentEncode)
  if (normalization === 'DECODE_AND_MERGE_SLASHES') normal = normal.replace(/%2f|%5c/gi, '/')
  if (normalization === 'DECODE_AND_MERGE_SLASHES' || normalization === 'MERGE_SLASHES') {
    normal = normal.replace(/\/{2,}/g, '/')
  }
  return normal === value ? undefined : { why, hint: `write ${JSON.stringify(normal)}` }
}

const percentEncode = (text: string) =>
  [...Buffer.from(text)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join('')

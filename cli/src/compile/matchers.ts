/** The string forms of Istio's policies. */
import type { Matcher } from './authorization-config.ts'

/** `*` any, `*x` suffix, `x*` prefix, else exact. A star in front is looked at first; any further one is a plain character. */
export function toMatcher(value: string): Matcher {
  if (value === '*') return { present: true }
  if (value.startsWith('*')) return { suffix: value.slice(1) }
  if (value.endsWith('*')) return { prefix: value.slice(0, -1) }
  return { exact: value }
}

/** Why a value can't match any request, with what to write instead; undefined if it can. */
export function neverMatches(field: string, value: string): { why: string; hint: string } | undefined {
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
      if (start.startsWith('/')) return undefined
      return { why: 'a path begins with "/"', hint: `write ${JSON.stringify(`/${value}`)}` }
    }
  }
  return undefined
}

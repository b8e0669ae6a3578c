/** The matches of a VirtualService's route, as the filters take them. */
import { CLAIM } from '../../resources/networking/check-virtual-service.ts'
import type { HttpMatch, StringMatch } from '../../resources/networking/virtual-service.ts'
import type { MatchConfig, Matcher } from './model.ts'

/** A match by nothing but what is known when it is compiled: it takes every request. */
export const EVERYTHING = 'everything'

/** `isPath`: an empty text matches every path. */
export function matchConfig(match: HttpMatch): MatchConfig | typeof EVERYTHING {
  const config: MatchConfig = {}
  const { uri, ignoreUriCase, headers = {}, withoutHeaders = {}, queryParams = {} } = match
  const path = uri && matcher(uri)
  // Every path begins with a slash.
  if (path && !('present' in path) && !('prefix' in path && (path.prefix === '/' || path.prefix === ''))) {
    config.path = path
    if (ignoreUriCase && !('regex' in path)) config.ignoreCase = true
  }
  for (const field of ['method', 'scheme', 'authority'] as const) {
    const value = match[field]
    if (value) config[field] = matcher(value)
  }
  const claims = Object.entries(headers).filter(([name]) => CLAIM.test(name))
  if (claims.length) config.claims = claims.map(([name, value]) => ({ claim: claimOf(name), value: matcher(value) }))
  const plain = (values: Record<string, StringMatch>) =>
    Object.fromEntries(
      Object.entries(values)
        .filter(([name]) => !CLAIM.test(name))
        .map(([name, value]) => [name.toLowerCase(), matcher(value)]),
    )
  const named = { headers: plain(headers), withoutHeaders: plain(withoutHeaders), queryParams: entriesOf(queryParams) }
  for (const field of ['headers', 'withoutHeaders', 'queryParams'] as const)
    if (Object.keys(named[field]).length) config[field] = named[field]
  return Object.keys(config).length ? config : EVERYTHING
}

const entriesOf = (values: Record<string, StringMatch>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, matcher(value)]))

/** An empty one asks for presence, and so does Istio's `*`, which is no regular expression. */
export function matcher({ exact, prefix, regex }: StringMatch): Matcher {
  if (exact !== undefined) return { exact }
  if (prefix !== undefined) return { prefix }
  return regex === undefined || regex === '*' ? { present: true } : { regex }
}

/** `@request.auth.claims.a.b` and `@request.auth.claims[a][b]`. */
function claimOf(name: string): string[] {
  const rest = name.slice('@request.auth.claims'.length)
  if (rest.startsWith('.')) return rest.slice(1).split('.')
  return [...rest.matchAll(/\[([^\]]*)\]/g)].map(([, part]) => part!)
}

/** Conditions of ServiceProfiles say the same as the matches that they are compiled to, for whatever is asked. */
import { expect, test } from 'vitest'
import type { RequestMatch } from '../../resources/linkerd/service-profile.ts'
import { conditionMatches, ConditionError } from './conditions.ts'
import type { MatchConfig, Matcher } from './model.ts'

const METHODS = ['GET', 'PUT', 'POST']
const REGEXES = ['/a', '/a.*', '/[^/]*', '/a/[^/]+/c', '.*c', '/\\w+', '/a/b|/c']
const PATHS = ['/a', '/a/b', '/a/b/c', '/c', '/a?/c', '/b?q=/a', '/a/b?c', '/a/x?/c', '/?a']

/** A sequence that is the same each time (mulberry32). */
function sequence(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) % below
  }
}

function condition(next: (below: number) => number, depth: number): RequestMatch {
  const inner = () => Array.from({ length: next(3) }, () => condition(next, depth - 1))
  switch (next(depth > 0 ? 6 : 3)) {
    case 0:
      return { method: METHODS[next(METHODS.length)]! }
    case 1:
      return { pathRegex: REGEXES[next(REGEXES.length)]! }
    case 2:
      return { method: METHODS[next(METHODS.length)]!, pathRegex: REGEXES[next(REGEXES.length)]! }
    case 3:
      return { all: inner() }
    case 4:
      return { any: inner() }
    default:
      return { not: condition(next, depth - 1) }
  }
}

const isWhole = (regex: string, text: string) => new RegExp(`^(?:${regex.replaceAll('(?s:', '(?:')})$`, 's').test(text)

/** What Linkerd says of a condition. */
function holds({ method, pathRegex, all, any, not }: RequestMatch, asked: string, path: string): boolean {
  if (method !== undefined && method !== asked) return false
  if (pathRegex !== undefined && !isWhole(pathRegex, path.replace(/\?.*/, ''))) return false
  if (all && !all.every((each) => holds(each, asked, path))) return false
  if (any && !any.some((each) => holds(each, asked, path))) return false
  return !not || !holds(not, asked, path)
}

/** What the filter says of a match. */
function matches(
  { path, method, headers = {}, withoutHeaders = {} }: MatchConfig,
  asked: string,
  url: string,
): boolean {
  const fits = (matcher: Matcher | { segments: string }, text: string) =>
    'exact' in matcher ? matcher.exact === text : isWhole((matcher as { regex: string }).regex, text)
  const values: Record<string, string> = { ':method': asked, ':path': url }
  if (path && !fits(path, url.replace(/\?.*/, ''))) return false
  if (method && !fits(method, asked)) return false
  if (!Object.entries(headers).every(([name, matcher]) => fits(matcher, values[name]!))) return false
  return !Object.entries(withoutHeaders).some(([name, matcher]) => fits(matcher, values[name]!))
}

test('2000 conditions of any depth', () => {
  const next = sequence(1)
  let compiled = 0
  for (let run = 0; run < 2000; run++) {
    const wanted = condition(next, 3)
    let alternatives: MatchConfig[]
    try {
      alternatives = conditionMatches(wanted)
    } catch (error) {
      expect(error).toBeInstanceOf(ConditionError)
      continue
    }
    compiled++
    for (const method of METHODS) {
      for (const path of PATHS) {
        const found = alternatives.some((each) => matches(each, method, path))
        expect({ wanted, method, path, found }).toEqual({ wanted, method, path, found: holds(wanted, method, path) })
      }
    }
  }
  // Those that are refused are few.
  expect(compiled).toBeGreaterThan(1800)
})

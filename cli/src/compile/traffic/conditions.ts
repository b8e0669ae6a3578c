/** Conditions of ServiceProfiles (`all`, `any`, `not`) as the alternatives of a match. */
import type { RequestMatch } from '../../resources/linkerd/service-profile.ts'
import { escapeRegex } from '../../resources/regex.ts'
import type { MatchConfig } from './model.ts'
import { beforeQuery, oneOf, wholly } from './patterns.ts'

/** What must hold together. */
interface Term {
  method?: string
  notMethods: readonly string[]
  paths: readonly string[]
  notPaths: readonly string[]
}

const MOST = 64

/** What a condition cannot be had for. */
export class ConditionError extends Error {}

/** One of them must hold; none at all: it can never hold. */
export function conditionMatches(condition: RequestMatch): MatchConfig[] {
  return termsOf(condition, false).map(toMatch)
}

/** A condition as alternatives, or its opposite. */
function termsOf(condition: RequestMatch, isOpposite: boolean): Term[] {
  const { pathRegex, method, all, any, not } = condition
  const parts: Term[][] = []
  if (pathRegex !== undefined) parts.push([term(isOpposite ? { notPaths: [pathRegex] } : { paths: [pathRegex] })])
  if (method !== undefined) parts.push([term(isOpposite ? { notMethods: [method] } : { method })])
  if (all)
    parts.push(
      join(
        all.map((each) => termsOf(each, isOpposite)),
        isOpposite,
      ),
    )
  if (any)
    parts.push(
      join(
        any.map((each) => termsOf(each, isOpposite)),
        !isOpposite,
      ),
    )
  if (not) parts.push(termsOf(not, !isOpposite))
  return join(parts, isOpposite)
}

const term = (fields: Partial<Term>): Term => ({ notMethods: [], paths: [], notPaths: [], ...fields })

/** Parts of which one must hold, or all. Of the opposite of several it is enough that one does not hold. */
function join(parts: readonly Term[][], isEnough: boolean): Term[] {
  const joined = isEnough
    ? parts.flat()
    : parts.reduce<Term[]>(
        (terms, part) => terms.flatMap((one) => part.flatMap((other) => both(one, other) ?? [])),
        [term({})],
      )
  if (joined.length > MOST) throw new ConditionError(`it has more than ${MOST} alternatives`)
  return joined
}

/** Undefined where they exclude each other. */
function both(one: Term, other: Term): Term | undefined {
  const method = one.method ?? other.method
  const notMethods = [...one.notMethods, ...other.notMethods]
  if (one.method !== undefined && other.method !== undefined && one.method !== other.method) return undefined
  if (method !== undefined && notMethods.includes(method)) return undefined
  return {
    ...(method !== undefined && { method }),
    notMethods: [...new Set(notMethods)],
    paths: [...new Set([...one.paths, ...other.paths])],
    notPaths: [...new Set([...one.notPaths, ...other.notPaths])],
  }
}

/** The header `:path` has the query, too. */
function withQuery(regex: string): string {
  const bounded = beforeQuery(regex)
  if (bounded === undefined) throw new ConditionError(`what ${regex} matches cannot be told from a query`)
  return bounded
}

function toMatch({ method, notMethods, paths, notPaths }: Term): MatchConfig {
  const [path, second, ...more] = paths
  if (more.length) throw new ConditionError('it compares the path with more than two expressions')
  const without = {
    ...(notMethods.length && method === undefined && { ':method': oneOf(notMethods.map(escapeMethod)) }),
    ...(notPaths.length && { ':path': { regex: notPaths.map(withQuery).join('|') } }),
  }
  return {
    ...(path !== undefined && { path: wholly(path) }),
    ...(method !== undefined && { method: { exact: method } }),
    ...(second !== undefined && { headers: { ':path': { regex: withQuery(second) } } }),
    ...(Object.keys(without).length && { withoutHeaders: without }),
  }
}

/** Methods are plain words; nothing else must become an expression. */
const escapeMethod = (method: string, _index: number, all: readonly string[]) =>
  all.length === 1 ? method : escapeRegex(method)

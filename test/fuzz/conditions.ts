/** What filters of requests ask of a `match`, and of durations, and no schema can say. */

/** Whether entries of the object's own `match` or `allow` compare something, and case is ignored only where that is possible. */
export function hasConditions(value: object): boolean {
  const { path: matcher, ignoreCase, match, allow } = value as Record<string, unknown>
  for (const entries of [match, allow]) if (Array.isArray(entries) && !entries.every(isCondition)) return false
  if (ignoreCase !== true) return true
  return typeof matcher === 'object' && matcher !== null && !('regex' in matcher || 'template' in matcher)
}

function isCondition(entry: object): boolean {
  const { ignoreCase: _, ...fields } = entry as Record<string, unknown>
  return Object.values(fields).some((field) => Object.keys(field as object).length > 0)
}

const UNITS: Record<string, number> = { ns: 1e-6, us: 1e-3, µs: 1e-3, ms: 1, s: 1000, m: 60_000, h: 3_600_000 }

/** Milliseconds; undefined where it is no text. */
export function duration(text: unknown): number | undefined {
  if (typeof text !== 'string') return undefined
  const parts = [...text.matchAll(/([\d.]+)([a-zµ]+)/g)]
  return parts.reduce((sum, [, number, unit]) => sum + Number(number) * UNITS[unit!]!, 0)
}

/** How deep lists and objects are nested. */
export function depth(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  return 1 + Math.max(0, ...Object.values(value).map(depth))
}

/** Names of hosts of gateways: `a.example.com`, `*.example.com` for all names that end so, `*` for all. */

/** Whether `other` stands for every name that `host` stands for. */
export function isWithin(host: string, other: string): boolean {
  if (!other.startsWith('*')) return host === other
  const suffix = other.slice(1)
  return host.startsWith('*') ? host.length >= other.length && host.slice(1).endsWith(suffix) : host.endsWith(suffix)
}

/** Whether there is a name that both stand for. */
export const overlap = (one: string, other: string): boolean => isWithin(one, other) || isWithin(other, one)

/** What is in both lists: of two names that overlap the narrower one. */
export function intersection(some: readonly string[], others: readonly string[]): string[] {
  const both = some.flatMap((one) =>
    others.flatMap((other) => (isWithin(one, other) ? one : isWithin(other, one) ? other : [])),
  )
  return [...new Set(both)]
}

/** A mesh's trust domain and its aliases stand for each other (pilot/pkg/security/trustdomain). */

import type { TrustDomains } from '../policy.ts'

/** Principals of the mesh's own domains, in all of its domains; others as they are. */
export function withAliases(principals: readonly string[], domains: TrustDomains): string[] {
  return principals.flatMap((principal) => {
    const [domain, ...rest] = principal.split('/')
    // Not of the form DOMAIN/ns/NAMESPACE/sa/ACCOUNT, or of any domain.
    if (rest.length !== 4 || domain === '*') return [principal]
    if (domain !== 'cluster.local' && !domains.some((own) => areAlike(domain!, own))) return [principal]
    return [...new Set(domains.map((own) => (endsLike(own, domain!) ? principal : [own, ...rest].join('/'))))]
  })
}

/** The mesh's own domain is all of its domains. */
export function expandDomains(values: readonly string[], domains: TrustDomains): string[] {
  return [...new Set(values.flatMap((value) => (domains.includes(value) ? domains : [value])))]
}

function areAlike(a: string, b: string): boolean {
  return a === b || b === '*' || beginsLike(a, b) || beginsLike(b, a) || endsLike(a, b) || endsLike(b, a)
}

const beginsLike = (text: string, pattern: string) => pattern.endsWith('*') && text.startsWith(pattern.slice(0, -1))
const endsLike = (text: string, pattern: string) => pattern.startsWith('*') && text.endsWith(pattern.slice(1))

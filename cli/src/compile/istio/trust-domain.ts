/** Trust domains in principals: the mesh's own name stands for its aliases too, and `cluster.local` for the mesh's. */
import type { MeshConfig } from '../../resources/mesh-config.ts'

/** Only principals of the full form TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT are rewritten: Istio leaves all others as they are. */
const partsOfPrincipal = 5

/** The principals that one principal of a policy stands for. */
export function expandTrustDomain(principal: string, mesh: MeshConfig): string[] {
  const [written, ...rest] = principal.split('/') as [string, ...string[]]
  const own = [mesh.trustDomain, ...mesh.trustDomainAliases]
  if (rest.length + 1 !== partsOfPrincipal || written === '*') return [principal]
  if (written !== 'cluster.local' && !own.some((domain) => overlaps(written, domain))) return [principal]
  const expanded = own.map((domain) =>
    // `*-td/…` covers this domain as it is written.
    isSuffix(domain, written) ? principal : [domain, ...rest].join('/'),
  )
  return [...new Set(expanded)]
}

/** The trust domains that one of a policy's `trustDomains` stands for: the mesh's own name, written in full, stands for its aliases. */
export function expandTrustDomainName(name: string, mesh: MeshConfig): string[] {
  const own = [mesh.trustDomain, ...mesh.trustDomainAliases]
  return own.includes(name) ? own : [name]
}

/** Whether a principal that Istio does not rewrite names `cluster.local`, though this mesh is called otherwise. */
export function missesTrustDomain(principal: string, mesh: MeshConfig): boolean {
  const parts = principal.split('/')
  return parts[0] === 'cluster.local' && mesh.trustDomain !== 'cluster.local' && parts.length !== partsOfPrincipal
}

/** Either may have a star in front or behind. */
function overlaps(a: string, b: string): boolean {
  return a === b || b === '*' || isPrefix(a, b) || isPrefix(b, a) || isSuffix(a, b) || isSuffix(b, a)
}

const isPrefix = (text: string, pattern: string) => pattern.endsWith('*') && text.startsWith(pattern.slice(0, -1))
const isSuffix = (text: string, pattern: string) => pattern.startsWith('*') && text.endsWith(pattern.slice(1))

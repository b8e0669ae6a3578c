/** Pods → what a filter sees of a caller: its principal or, where that says too much, its address. */
import type { Inventory, KnownPod } from '../../resources/kubernetes/inventory.ts'
import type { MeshConfig } from '../../resources/mesh-config.ts'
import type { Matcher, SourceConfig } from '../authorization-config.ts'
import type { Workload } from '../workload.ts'

export interface Account {
  namespace: string
  name: string
}

/** The principals of a service account: one per name of the trust domain. */
export const accountPrincipals = ({ namespace, name }: Account, mesh: MeshConfig): Matcher[] =>
  trustDomains(mesh).map((domain) => ({ exact: `${domain}/ns/${namespace}/sa/${name}` }))

export const trustDomains = (mesh: MeshConfig) => [...new Set([mesh.trustDomain, ...mesh.trustDomainAliases])]

/** An address as the block that holds it alone. */
export const hostBlock = (address: string) => `${address}/${address.includes(':') ? 128 : 32}`

export interface Callers {
  matched: readonly KnownPod[]
  /** Accounts all of whose known pods match. */
  accounts: readonly Account[]
  /** Of the pods that share their account with others. */
  addresses: readonly string[]
  /** Pods that share their account with others and whose address is not known. */
  nameless: readonly KnownPod[]
}

/** What stands for the pods of the input that match. */
export function findCallers(inventory: Inventory, matches: (pod: KnownPod) => boolean): Callers {
  const matched = inventory.pods.filter(matches)
  const accountId = (pod: KnownPod) => `${pod.namespace}/${pod.serviceAccount}`
  const mixed = new Set(inventory.pods.filter((pod) => !matched.includes(pod)).map(accountId))
  const accounts = new Map<string, Account>()
  const addresses = new Set<string>()
  const nameless: KnownPod[] = []
  for (const pod of matched) {
    if (!mixed.has(accountId(pod))) {
      accounts.set(accountId(pod), { namespace: pod.namespace, name: pod.serviceAccount })
    } else if (pod.addresses.length > 0) pod.addresses.forEach((address) => addresses.add(address))
    else if (!matched.some((other) => isMadeFrom(other, pod))) nameless.push(pod)
  }
  return { matched, accounts: [...accounts.values()], addresses: [...addresses], nameless }
}

/** Whether a pod with an address looks like one that was made from a template. */
export const isMadeFrom = (pod: KnownPod, template: KnownPod) =>
  pod.addresses.length > 0 &&
  pod.namespace === template.namespace &&
  Object.entries(template.labels).every(([key, value]) => pod.labels[key] === value)

/** Alternatives of a rule's `from` that stand for the callers. */
export function toSources({ accounts, addresses }: Callers, mesh: MeshConfig): SourceConfig[] {
  return [
    ...(accounts.length > 0 ? [{ principals: accounts.flatMap((account) => accountPrincipals(account, mesh)) }] : []),
    ...(addresses.length > 0 ? [{ ipBlocks: addresses.map(hostBlock) }] : []),
  ]
}

/** The service account that a workload runs under, as far as it is known; several where its pods differ. */
export function accountsOf(workload: Workload, inventory: Inventory): string[] {
  if (workload.serviceAccount !== undefined) return [workload.serviceAccount]
  return [...new Set(inventory.podsOf(workload).map((pod) => pod.serviceAccount))]
}

/** Why it is not known, with what to do. */
export function unknownAccount(workload: Workload, accounts: readonly string[]): { message: string; hint: string } {
  const title = `${workload.namespace}/${workload.name}`
  return {
    message:
      accounts.length > 1
        ? `the pods of ${title} run under several service accounts: ${accounts.join(', ')}`
        : `the service account of ${title} is not known`,
    hint: 'give --service-account, or add the Deployment or Pod of the workload to the input',
  }
}

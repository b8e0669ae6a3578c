/** Who is who: the workload itself, and those whose pods are in the input. */
import type { KnownPod } from '../../resources/kubernetes/inventory.ts'
import type { MeshConfig } from '../../resources/mesh-config.ts'
import type { Workload } from '../workload.ts'
import type { PeerConfig, WorkloadConfig } from './model.ts'

type Labels = Readonly<Record<string, string>>

/** By labels, as Istio has them (pkg/model/label.go). */
function labelled(name: string, labels: Labels) {
  const { app, version } = labels
  return {
    ...(app !== undefined && { app }),
    ...(version !== undefined && { version }),
    canonicalService:
      labels['service.istio.io/canonical-name'] ?? labels['app.kubernetes.io/name'] ?? labels['app'] ?? name,
    canonicalRevision:
      labels['service.istio.io/canonical-revision'] ??
      labels['app.kubernetes.io/version'] ??
      labels['version'] ??
      'latest',
  }
}

const principal = (namespace: string, account: string, { trustDomain }: MeshConfig) =>
  `spiffe://${trustDomain}/ns/${namespace}/sa/${account}`

export function workloadConfig(
  { namespace, name, labels, serviceAccount = 'default' }: Workload,
  mesh: MeshConfig,
): WorkloadConfig {
  return { name, namespace, principal: principal(namespace, serviceAccount, mesh), ...labelled(name, labels) }
}

/** By identity where one workload alone has it, else by address. */
export function peersOf(pods: readonly KnownPod[], mesh: MeshConfig): PeerConfig[] {
  const byPrincipal = new Map<string, Map<string, PeerConfig>>()
  const byAddress: PeerConfig[] = []
  for (const { kind, name, namespace, labels, serviceAccount, addresses } of pods) {
    const workload = kind === 'Pod' ? workloadOfPod(name) : name
    const config = { name: workload, namespace, ...labelled(workload, labels) }
    const identity = principal(namespace, serviceAccount, mesh)
    const known = byPrincipal.get(identity) ?? new Map<string, PeerConfig>()
    byPrincipal.set(identity, known.set(JSON.stringify(config), { ...config, principal: identity }))
    for (const address of addresses) byAddress.push({ ...config, address })
  }
  const single = [...byPrincipal.values()].flatMap((configs) => (configs.size === 1 ? [...configs.values()] : []))
  return [...single, ...byAddress]
}

/** A pod of a Deployment is called `NAME-HASH-RANDOM`, as Istio's injector knows it too. */
function workloadOfPod(name: string): string {
  return name.replace(/-[a-z0-9]{5,10}-[a-z0-9]{5}$/, '')
}

/** The pods, services, namespaces and secrets of the input. */
import type { Resource } from '../resource.ts'

export type Labels = Readonly<Record<string, string>>

/** A pod, or what a Deployment or the like makes pods from. */
export interface KnownPod {
  /** Of the resource, e.g. that of the Deployment. */
  kind: string
  name: string
  namespace: string
  labels: Labels
  serviceAccount: string
  /** Empty where they are not known. */
  addresses: readonly string[]
  /** Ports with a name. */
  ports: Readonly<Record<string, number>>
  resource: Resource
}

export interface KnownService {
  name: string
  namespace: string
  labels: Labels
  /** Undefined: the service has no pods of its own. */
  selector: Labels | undefined
  addresses: readonly string[]
  ports: readonly KnownPort[]
}

export interface KnownPort {
  port: number
  targetPort: number | string
  name?: string
  appProtocol?: string
}

interface PodSpec {
  serviceAccountName?: string
  serviceAccount?: string
  hostNetwork?: boolean
  containers?: { ports?: { name?: string; containerPort?: number }[] }[]
  initContainers?: { ports?: { name?: string; containerPort?: number }[] }[]
}

interface PodStatus {
  phase?: string
  podIP?: string
  podIPs?: { ip?: string }[]
}

interface Template {
  metadata?: { labels?: Labels }
  spec?: PodSpec
}

interface ServiceSpec {
  selector?: Labels
  clusterIP?: string
  clusterIPs?: string[]
  ports?: { port: number; targetPort?: number | string; name?: string; appProtocol?: string }[]
}

/** What is known of the cluster. */
export class Inventory {
  readonly pods: readonly KnownPod[]
  readonly services: readonly KnownService[]
  readonly #namespaces = new Map<string, Labels>()
  readonly #secrets = new Map<string, Resource>()

  constructor(resources: readonly Resource[]) {
    this.pods = resources.flatMap((resource) => readPod(resource) ?? [])
    this.services = resources.flatMap((resource) => readService(resource) ?? [])
    for (const resource of resources) {
      if (resource.group !== '') continue
      const { name, namespace, labels = {} } = resource.metadata
      if (resource.kind === 'Namespace') this.#namespaces.set(name, labels)
      if (resource.kind === 'Secret') this.#secrets.set(`${namespace}/${name}`, resource)
    }
  }

  /** Labels of a namespace; undefined where it is not in the input. */
  namespaceLabels(name: string): Labels | undefined {
    return this.#namespaces.get(name)
  }

  /** Names of all namespaces of the input. */
  get namespaces(): readonly string[] {
    return [...this.#namespaces.keys()]
  }

  /** The values of a secret by key, decoded. */
  secret(namespace: string, name: string): Map<string, string> | undefined {
    const fields = this.#secrets.get(`${namespace}/${name}`)?.fields as
      { data?: Record<string, string>; stringData?: Record<string, string> } | undefined
    if (!fields) return undefined
    const decoded = Object.entries(fields.data ?? {}).map(
      ([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')] as const,
    )
    return new Map([...decoded, ...Object.entries(fields.stringData ?? {})])
  }

  /** The pods that a workload runs as: by its labels where there are some, else by its name. */
  podsOf(workload: { namespace: string; name: string; labels: Labels }): KnownPod[] {
    const here = this.pods.filter((pod) => pod.namespace === workload.namespace)
    const wanted = Object.entries(workload.labels)
    const byName = here.filter((pod) => pod.name === workload.name)
    if (wanted.length === 0) return byName
    const byLabels = here.filter((pod) => wanted.every(([key, value]) => pod.labels[key] === value))
    return byLabels.length > 0 ? byLabels : byName
  }
}

function readPod(resource: Resource): KnownPod | undefined {
  const { group, kind, metadata } = resource
  if (group === '' && kind === 'Pod') {
    const status = (resource.fields['status'] ?? {}) as PodStatus
    // A pod that has ended no longer has its address: another one may have it.
    if (status.phase === 'Succeeded' || status.phase === 'Failed') return undefined
    const addresses = [...new Set([status.podIP, ...(status.podIPs ?? []).map(({ ip }) => ip)])]
    return toPod(
      resource,
      metadata.labels ?? {},
      resource.spec as PodSpec,
      addresses.filter((ip) => typeof ip === 'string'),
    )
  }
  if (group !== 'apps' && group !== 'batch') return undefined
  const spec = resource.spec as { template?: Template; jobTemplate?: { spec?: { template?: Template } } }
  const template = spec.template ?? spec.jobTemplate?.spec?.template
  return template && toPod(resource, template.metadata?.labels ?? {}, template.spec ?? {}, [])
}

/** Pods in the network of their node have its identity, not their own. */
function toPod(resource: Resource, labels: Labels, spec: PodSpec, addresses: string[]): KnownPod | undefined {
  if (spec.hostNetwork) return undefined
  const { kind, metadata } = resource
  const ports: Record<string, number> = {}
  for (const container of [...(spec.containers ?? []), ...(spec.initContainers ?? [])]) {
    for (const { name, containerPort } of container.ports ?? []) {
      if (name && containerPort !== undefined) ports[name.toLowerCase()] = containerPort
    }
  }
  return {
    kind,
    name: metadata.name,
    namespace: metadata.namespace,
    labels,
    serviceAccount: spec.serviceAccountName || spec.serviceAccount || 'default',
    addresses,
    ports,
    resource,
  }
}

function readService({ group, kind, metadata, spec }: Resource): KnownService | undefined {
  if (group !== '' || kind !== 'Service') return undefined
  const { selector, clusterIP, clusterIPs = [], ports = [] } = spec as ServiceSpec
  const addresses = [...new Set([clusterIP, ...clusterIPs])]
  return {
    name: metadata.name,
    namespace: metadata.namespace,
    labels: metadata.labels ?? {},
    selector: selector && Object.keys(selector).length > 0 ? selector : undefined,
    addresses: addresses.filter((ip): ip is string => !!ip && ip !== 'None'),
    ports: ports.map(({ port, targetPort, name, appProtocol }) => ({
      port,
      targetPort: targetPort ?? port,
      ...(name && { name }),
      ...(appProtocol && { appProtocol }),
    })),
  }
}

/** Who SMI's identities are: service accounts, and the IdentityBindings of v1alpha4. */
import type { Inventory } from '../../resources/kubernetes/inventory.ts'
import { nearest } from '../../resources/nearest.ts'
import type { Path } from '../../resources/nodes.ts'
import type { Resource } from '../../resources/resource.ts'
import type { Identity, IdentityBindingSpec, TrafficTarget } from '../../resources/smi/index.ts'
import type { Matcher, SourceConfig } from '../authorization-config.ts'
import type { FamilyOptions } from '../compiled.ts'
import { accountPrincipals, accountsOf, findCallers, toSources, unknownAccount } from '../kubernetes/identity.ts'

type Binding = Resource<IdentityBindingSpec>

export class Identities {
  readonly #bindings = new Map<string, Binding>()
  readonly #inventory: Inventory
  readonly #options: FamilyOptions
  readonly #accounts: readonly string[]

  constructor(resources: readonly Resource[], inventory: Inventory, options: FamilyOptions) {
    for (const each of resources) {
      if (each.group !== 'access.smi-spec.io' || each.kind !== 'IdentityBinding') continue
      this.#bindings.set(`${each.metadata.namespace}/${each.metadata.name}`, each as Binding)
    }
    this.#inventory = inventory
    this.#options = options
    this.#accounts = accountsOf(options.workload, inventory)
  }

  /** Whether a TrafficTarget's destination is the workload. */
  isDestination(target: TrafficTarget): boolean {
    const { destination, path } = target
    const at = [...path, 'destination']
    if (this.#namespaceOf(destination, target) !== this.#options.workload.namespace) return false
    if (destination.kind === 'ServiceAccount') return this.#hasAccount(destination.name, target.resource, at)
    const binding = this.#find(destination, target, at)
    if (!binding) return false
    const { labels } = this.#options.workload
    const { podLabelSelectors = [], spiffeIdentities = [], serviceAccount } = binding.spec.schemes
    if (podLabelSelectors.some(({ matchLabels }) => isSubset(matchLabels, labels))) return true
    const schemes = ['spec', 'schemes']
    if (serviceAccount && this.#hasAccount(serviceAccount, binding, [...schemes, 'serviceAccount'])) return true
    if (spiffeIdentities.length === 0) return false
    const [account] = this.#accounts
    if (account === undefined || this.#accounts.length > 1) {
      return this.#hasAccount('', binding, [...schemes, 'spiffeIdentities'])
    }
    const own = accountPrincipals({ namespace: this.#options.workload.namespace, name: account }, this.#options.mesh)
    return spiffeIdentities.some((id) => own.some((each) => 'exact' in each && each.exact === withoutScheme(id)))
  }

  /** Alternatives of a rule's `from`: the sources of a TrafficTarget. */
  sources(target: TrafficTarget): SourceConfig[] {
    const principals: Matcher[] = []
    const others: SourceConfig[] = []
    target.sources.forEach((source, index) => {
      const path = [...target.path, 'sources', index]
      const { mesh } = this.#options
      if (source.kind === 'ServiceAccount') {
        const account = { namespace: this.#namespaceOf(source, target), name: source.name }
        principals.push(...accountPrincipals(account, mesh))
        return
      }
      const binding = this.#find(source, target, path)
      if (!binding) return
      const { namespace } = binding.metadata
      const { spiffeIdentities = [], serviceAccount } = binding.spec.schemes
      principals.push(...spiffeIdentities.map((id) => ({ exact: withoutScheme(id) })))
      if (serviceAccount) principals.push(...accountPrincipals({ namespace, name: serviceAccount }, mesh))
      others.push(...this.#selected(binding))
    })
    const unique = [...new Map(principals.map((each) => [JSON.stringify(each), each])).values()]
    return [...(unique.length > 0 ? [{ principals: unique }] : []), ...others]
  }

  /** What stands for the pods that a binding selects by labels. */
  #selected(binding: Binding): SourceConfig[] {
    return (binding.spec.schemes.podLabelSelectors ?? []).flatMap(({ matchLabels }, index) => {
      const { namespace } = binding.metadata
      const callers = findCallers(
        this.#inventory,
        (pod) => pod.namespace === namespace && isSubset(matchLabels, pod.labels),
      )
      const path = ['spec', 'schemes', 'podLabelSelectors', index]
      if (callers.matched.length === 0 || callers.nameless.length > 0) {
        const message =
          callers.matched.length === 0
            ? 'no pod of the input has these labels: who is meant is not known'
            : 'pods with and without these labels share a service account, and their addresses are not known'
        const hint = `add the output of: kubectl get pods -n ${namespace} -o yaml`
        binding.report(this.#options.diagnostics, 'error', 'MS1321', path, message, hint)
      }
      return toSources(callers, this.#options.mesh)
    })
  }

  #hasAccount(name: string, resource: Resource, path: Path): boolean {
    const { workload, diagnostics } = this.#options
    if (this.#accounts.length === 1) return this.#accounts[0] === name
    const { message, hint } = unknownAccount(workload, this.#accounts)
    resource.report(diagnostics, 'error', 'MS1321', path, message, hint)
    return false
  }

  #find(identity: Identity, target: TrafficTarget, path: Path): Binding | undefined {
    const namespace = this.#namespaceOf(identity, target)
    const found = this.#bindings.get(`${namespace}/${identity.name}`)
    if (found) return found
    const names = [...this.#bindings.values()].filter((each) => each.metadata.namespace === namespace)
    const near = nearest(
      identity.name,
      names.map((each) => each.metadata.name),
    )
    const message = `the input has no IdentityBinding ${namespace}/${identity.name}`
    const hint = near ? `did you mean ${near}?` : 'add it to the input'
    target.resource.report(this.#options.diagnostics, 'error', 'MS1221', [...path, 'name'], message, hint)
    return undefined
  }

  #namespaceOf({ namespace }: Identity, { resource }: TrafficTarget): string {
    return namespace ?? resource.metadata.namespace
  }
}

const isSubset = (labels: Readonly<Record<string, string>>, of: Readonly<Record<string, string>>) =>
  Object.entries(labels).every(([key, value]) => Object.hasOwn(of, key) && of[key] === value)

const withoutScheme = (id: string) => id.replace(/^spiffe:\/\//, '')

/** What the parts of the compiler for Cilium's policies share. */
import type { Direction } from '../compiled.ts'
import { isClusterwide, type CiliumRule, type DirectionRule, type Section } from '../../resources/cilium/types.ts'
import type { Code } from '../../resources/codes.ts'
import type { Diagnostics, Severity } from '../../resources/diagnostics.ts'
import type { Inventory } from '../../resources/kubernetes/inventory.ts'
import type { MeshConfig } from '../../resources/mesh-config.ts'
import type { Path } from '../../resources/nodes.ts'
import type { Resource } from '../../resources/resource.ts'
import type { Workload } from '../workload.ts'

export interface Cluster {
  inventory: Inventory
  workload: Workload
  mesh: MeshConfig
  direction: Direction
}

/** One rule of a policy, its place, and a way to speak of it. */
export class PolicyRule {
  readonly resource: Resource
  readonly rule: CiliumRule
  readonly path: Path
  readonly #diagnostics: Diagnostics

  constructor(resource: Resource, rule: CiliumRule, path: Path, diagnostics: Diagnostics) {
    this.resource = resource
    this.rule = rule
    this.path = path
    this.#diagnostics = diagnostics
  }

  /** The namespace of the policy; undefined for a cluster-wide one. */
  get namespace(): string | undefined {
    return isClusterwide(this.resource) ? undefined : this.resource.metadata.namespace
  }

  /** Name of the filter's policy that it becomes a part of. */
  get id(): string {
    const { name } = this.resource.metadata
    return this.namespace === undefined ? `ccnp[${name}]` : `ns[${this.namespace}]-cnp[${name}]`
  }

  /** The entries of a section, with their places. */
  entries(section: Section): { policy: PolicyRule; entry: DirectionRule; path: Path }[] {
    return (this.rule[section] ?? []).map((entry, index) => ({
      policy: this,
      entry,
      path: [...this.path, section, index],
    }))
  }

  report(severity: Severity, code: Code, path: Path, message: string, hint?: string) {
    this.resource.report(this.#diagnostics, severity, code, path, message, hint)
  }

  /** The filter cannot see what this asks for; leaving it out would allow too much. */
  refuse(path: Path, message: string, hint = keepInCilium) {
    this.report('error', 'MS1301', path, message, hint)
  }
}

const keepInCilium = 'keep this policy in Cilium, and leave it out here'

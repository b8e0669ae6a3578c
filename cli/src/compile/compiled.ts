/** What every family of policies takes and gives. */
import type { Diagnostics } from '../resources/diagnostics.ts'
import type { MeshConfig } from '../resources/mesh-config.ts'
import type { Resource } from '../resources/resource.ts'
import type { Span } from '../resources/source.ts'
import type { AuthorizationConfig } from './authorization-config.ts'
import type { Workload } from './workload.ts'

/** Whether the filter judges requests to the workload or requests that it makes. */
export type Direction = 'inbound' | 'outbound'

export interface FamilyOptions {
  workload: Workload
  /** Default `inbound`. Only Cilium has policies for outbound requests. */
  direction?: Direction
  mesh: MeshConfig
  /** Takes errors and warnings. */
  diagnostics: Diagnostics
}

export interface Compiled {
  /** Undefined when there are errors. */
  configuration?: AuthorizationConfig
  diagnostics: Diagnostics
  /** Id of a decision, e.g. `ns[a]-policy[b]-rule[0]`, to the place of its rule. */
  rules: ReadonlyMap<string, Span>
  /** The policies that apply to the workload. */
  selected: readonly Resource[]
}

/** Compiles the resources of one family, of all that were read, that apply to a workload. */
export type CompileFamily = (resources: readonly Resource[], options: FamilyOptions) => Compiled

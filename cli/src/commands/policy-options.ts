/** What `explain` and `diff` share: policies, and the workload that they are compiled for. */
import type { Command } from 'commander'
import { compileAuthorization } from '../compile/index.ts'
import { UserError } from '../errors.ts'
import type { CompiledPolicies } from '../explain/explain.ts'
import { Diagnostics } from '../resources/diagnostics.ts'
import { readSource, readSources } from '../resources/input.ts'
import { defaultMeshConfig, parseMeshConfig, type MeshConfig } from '../resources/mesh-config.ts'
import { parseResources } from '../resources/parse.ts'
import type { Resource } from '../resources/resource.ts'
import { colorsFor, type Io } from '../terminal.ts'
import { addWorkloadOptions, compileOptionsOf, type WorkloadFlags } from './workload-options.ts'

export interface PolicyFlags extends WorkloadFlags {
  meshConfig?: string
  namespace?: string
  json?: boolean
}

export function addPolicyOptions(command: Command): Command {
  return addWorkloadOptions(command, 'the workload that the requests are for')
    .option('--mesh-config <FILE>', "Istio's MeshConfig: root namespace, trust domain and its aliases, providers")
    .option('-n, --namespace <NAME>', 'namespace of resources that name none')
}

export interface LoadedPolicies extends CompiledPolicies {
  mesh: MeshConfig
  /** Policies that do not apply to the workload. */
  unselected: readonly Resource[]
}

/** Shows warnings on standard error; throws a `UserError` where a policy has errors. */
export function loadPolicies(files: readonly string[], flags: PolicyFlags, io: Io): LoadedPolicies {
  const diagnostics = new Diagnostics()
  const { namespace } = flags
  const [meshSource] = flags.meshConfig ? readSource(flags.meshConfig, io.cwd, diagnostics) : []
  const mesh = meshSource ? parseMeshConfig(meshSource, diagnostics) : defaultMeshConfig
  const sources = readSources(files, io.cwd, diagnostics)
  const options = { ...compileOptionsOf(flags), mesh, diagnostics, namespace }
  const compiled = compileAuthorization(sources, options)
  const { configuration, selected } = compiled
  if (!flags.json) io.stderr.write(diagnostics.render(colorsFor(io.stderr, io.env)))
  if (!configuration) throw new UserError(diagnostics.summary, undefined, flags.json ? diagnostics.toPlain() : [])
  const titles = new Set(selected.map(({ title }) => title))
  // What it has to say has been said.
  const all = parseResources(sources, new Diagnostics(), { namespace })
  const unselected = all.filter((each) => policyKinds.has(each.kind) && !titles.has(each.title))
  return { ...compiled, configuration, unselected, mesh }
}

const policyKinds = new Set([
  'AuthorizationPolicy',
  'TrafficTarget',
  'CiliumNetworkPolicy',
  'CiliumClusterwideNetworkPolicy',
])

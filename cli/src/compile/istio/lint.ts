/** What is valid in an AuthorizationPolicy, but probably not meant. */
import { Diagnostics } from '../../resources/diagnostics.ts'
import type { MeshConfig } from '../../resources/mesh-config.ts'
import type { Resource } from '../../resources/resource.ts'
import { isAuthorizationPolicy } from './index.ts'
import { PolicyCompiler } from './policy.ts'

/** Adds the warnings that compiling the policies would give, whatever workload they apply to. */
export function lintIstio(resources: readonly Resource[], mesh: MeshConfig, diagnostics: Diagnostics) {
  const found = new Diagnostics()
  const compiler = new PolicyCompiler(mesh, found)
  resources.filter(isAuthorizationPolicy).forEach((policy) => compiler.compile(policy))
  for (const { severity, code, message, ...details } of found.sorted) {
    if (severity === 'warning') diagnostics.add(severity, code, message, details)
  }
}

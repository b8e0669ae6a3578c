/** AuthorizationPolicy → the authorization filter's configuration. */
import type { AuthorizationPolicy } from '../../resources/authorization-policy.ts'
import type { Diagnostics } from '../../resources/diagnostics.ts'
import type { Resource } from '../../resources/resource.ts'
import type { Span } from '../../resources/source.ts'
import type { AuthorizationConfig, PolicyConfig } from '../authorization-config.ts'
import type { Compiled, FamilyOptions } from '../compiled.ts'
import { selects, targetsOf } from '../workload.ts'
import { PolicyCompiler } from './policy.ts'
import { compileProviders } from './providers.ts'

export const isAuthorizationPolicy = (resource: Resource): resource is AuthorizationPolicy =>
  resource.group === 'security.istio.io' && resource.kind === 'AuthorizationPolicy'

/** Compiles the AuthorizationPolicies that apply to the workload. */
export function compileIstio(resources: readonly Resource[], options: FamilyOptions): Compiled {
  const { workload, direction = 'inbound', mesh, diagnostics } = options
  // AuthorizationPolicies are about requests to the workload only.
  const all = direction === 'inbound' ? resources.filter(isAuthorizationPolicy) : []
  const selected = all.filter((policy) => selects(policy, workload, mesh))
  noteTargets(
    all.filter((policy) => !selected.includes(policy)),
    diagnostics,
  )
  const rules = new Map<string, Span>()
  const compiler = new PolicyCompiler(mesh, diagnostics)
  const policies = selected.map((policy) => {
    const compiled = compiler.compile(policy)
    compiled.rules.forEach((_, index) => {
      rules.set(`${compiled.name}-rule[${index}]`, policy.locate(['spec', 'rules', index]))
    })
    return compiled
  })
  const providers = compileProviders(selected, mesh, diagnostics)
  if (diagnostics.hasErrors) return { diagnostics, rules, selected }
  // Neither verdict nor id depends on the order: sorted, the result does not depend on that of the files either.
  policies.sort((a, b) => order(a) - order(b) || (a.name < b.name ? -1 : 1))
  const configuration: AuthorizationConfig = { version: 1, mode: 'enforce', policies, ...(providers && { providers }) }
  return { configuration, diagnostics, rules, selected }
}

/** The order in which the filter asks them. */
const order = ({ action }: PolicyConfig) => ['CUSTOM', 'AUDIT', 'DENY', 'ALLOW'].indexOf(action)

/** A policy that hangs on a Gateway or Service is easily thought to apply to the pods behind it. */
function noteTargets(policies: readonly AuthorizationPolicy[], diagnostics: Diagnostics) {
  for (const policy of policies) {
    const [target] = targetsOf(policy.spec)
    if (!target) continue
    const message = `not applied: it is attached to ${target.kind} ${target.name}`
    const hint =
      'give --gateway for a gateway, or --waypoint with --service or --service-entry, to compile for its proxy'
    policy.report(
      diagnostics,
      'info',
      'MS1404',
      ['spec', policy.spec.targetRef ? 'targetRef' : 'targetRefs'],
      message,
      hint,
    )
  }
}

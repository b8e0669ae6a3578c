/** SMI's TrafficTargets → the authorization filter's configuration. */
import { Inventory } from '../../resources/kubernetes/inventory.ts'
import type { Resource } from '../../resources/resource.ts'
import { readTarget, type TrafficTarget } from '../../resources/smi/index.ts'
import type { Span } from '../../resources/source.ts'
import type { PolicyConfig } from '../authorization-config.ts'
import type { Compiled, FamilyOptions } from '../compiled.ts'
import { Identities } from './identities.ts'
import { Routes } from './routes.ts'

/**
 * Compiles the TrafficTargets whose destination is the workload's service account. From the first one on all is refused that none
 * allows.
 */
export function compileSmi(resources: readonly Resource[], options: FamilyOptions): Compiled {
  const { diagnostics } = options
  const identities = new Identities(resources, new Inventory(resources), options)
  const routes = new Routes(resources, diagnostics)
  const rules = new Map<string, Span>()
  const targets = resources
    .filter((each) => each.group === 'access.smi-spec.io' && each.kind === 'TrafficTarget')
    .map(readTarget)
    .filter((target) => identities.isDestination(target))
  const policies = targets.map((target) => compileTarget(target, identities, routes, rules))
  const selected = targets.map(({ resource }) => resource)
  if (diagnostics.hasErrors) return { diagnostics, rules, selected }
  policies.sort((a, b) => (a.name < b.name ? -1 : 1))
  return { configuration: { version: 1, mode: 'enforce', policies }, diagnostics, rules, selected }
}

function compileTarget(
  target: TrafficTarget,
  identities: Identities,
  routes: Routes,
  rules: Map<string, Span>,
): PolicyConfig {
  const { resource } = target
  const { namespace, name } = resource.metadata
  const id = `ns[${namespace}]-target[${name}]`
  const from = identities.sources(target)
  const allowed = routes.resolve(target)
  // A list of sources that stands for nobody must not become one that stands for all.
  const compiled = from.length === 0 ? [] : allowed
  compiled.forEach(({ path }, index) => rules.set(`${id}-rule[${index}]`, resource.locate(path)))
  return { name: id, action: 'ALLOW', rules: compiled.map(({ rule }) => ({ from, ...rule })) }
}

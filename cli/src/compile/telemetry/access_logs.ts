/** `accessLogging` of Telemetries, merged: the providers that log, each with its filter. Copied from mergeLogs of Istio's pilot/pkg/model/telemetry.go. */
import type { TelemetrySpec } from '../../resources/telemetry.ts'
import type { Mode } from './metrics.ts'

type AccessLogging = NonNullable<TelemetrySpec['accessLogging']>[number]

export interface MergedAccessLog {
  disabled: boolean
  /** A CEL expression. */
  filter?: string
}

const namesOf = (providers: { name: string }[] = []) => providers.map(({ name }) => name)

/** `levels`: a list for each Telemetry that has any. `defaults`: the providers of the mesh. */
export function mergeAccessLogs(
  levels: readonly (readonly AccessLogging[])[],
  defaults: readonly string[],
  mode: Mode,
): Map<string, MergedAccessLog> {
  if (levels.length === 0) return new Map(defaults.map((name) => [name, { disabled: false }]))
  const isFor = ({ match }: AccessLogging) => [undefined, 'CLIENT_AND_SERVER', mode].includes(match?.mode)
  const filters = new Map<string, MergedAccessLog>()
  let inScope: readonly string[] = defaults
  for (const level of levels) {
    const names = new Set<string>()
    for (const logging of level.filter(isFor)) {
      for (const name of namesOf(logging.providers)) {
        names.add(name)
        const filter = logging.filter?.expression
        filters.set(name, { disabled: false, ...(filter && { filter }) })
      }
    }
    if (names.size) inScope = [...names]
  }
  const merged = new Map<string, MergedAccessLog>()
  let parents: readonly string[] = defaults
  for (const logging of levels.flat()) {
    const own = namesOf(logging.providers)
    if (own.length) parents = own
    if (!isFor(logging)) continue
    for (const name of parents.filter((each) => inScope.includes(each)))
      merged.set(name, logging.disabled ? { disabled: true } : (filters.get(name) ?? { disabled: false }))
  }
  return merged
}

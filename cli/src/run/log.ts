/** Envoy's log as events: filters' own lines, and Envoy's. */

import type { EnvoyLog } from '@meshscript/sdk/testing/envoy'
import type { EnvoyEvent, LogEvent } from './events.ts'

export interface LogOptions {
  names: readonly string[]
  rootId: string | undefined
  onFilter: (event: LogEvent) => void
  onEnvoy: (event: EnvoyEvent) => void
}

export function followLog(log: EnvoyLog, { names, rootId, onFilter, onEnvoy }: LogOptions): void {
  log.onWasm = ({ level, prefix, message, time }) => {
    onFilter({ event: 'log', time, level, filter: filterOf(prefix, names, rootId), message })
  }
  log.onEntry = ({ level, logger, message, time }) => {
    if (!message.trim()) return
    onEnvoy({ event: 'envoy', time: time ?? Date.now(), level, component: logger, message })
  }
}

/** Envoy writes plugin name and root id in front of a stream's lines, the root id alone in front of others. */
function filterOf(prefix: string, names: readonly string[], rootId = ''): string {
  if (names.length === 1) return names[0]!
  const suffix = rootId && ` ${rootId}`
  return names.find((name) => prefix === ` ${name}${suffix}`) ?? ''
}

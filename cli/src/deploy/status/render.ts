/** Shows the status of plugins to people. */

import { type Colors } from '../../terminal.ts'
import type { Finding } from './finding.ts'
import type { PluginStatus } from './run.ts'

export function renderStatus(plugins: readonly PluginStatus[], colors: Colors): string {
  if (!plugins.length) return 'no WasmPlugin or TrafficExtension here is managed by meshscript\n'
  return plugins.map((plugin) => renderPlugin(plugin, colors)).join('\n')
}

function renderPlugin({ kind, namespace, name, url, digest, findings, proxies }: PluginStatus, colors: Colors): string {
  const width = Math.max(...findings.map(({ subject }) => subject.length))
  const lines = findings.map((finding) => {
    const stats = proxies.find((proxy) => proxy.name === finding.subject)?.stats ?? {}
    return renderFinding(finding, stats, width, colors)
  })
  return `${colors.bold(`${kind} ${namespace}/${name}`)}\n  ${url}${digest ? `\n  ${digest}` : ''}\n${lines.join('')}`
}

function renderFinding(
  { subject, level, message, hint }: Finding,
  stats: Record<string, number>,
  width: number,
  colors: Colors,
): string {
  const mark = { ok: colors.green('√'), warning: colors.yellow('‼'), error: colors.red('×') }[level]
  const indent = ' '.repeat(width + 6)
  // Counters keep to what was wrong once.
  const told = level === 'ok' ? [] : Object.entries(stats).filter(([name]) => name !== 'update_time')
  const counters = told.length ? [told.map(([name, value]) => `${name}: ${value}`).join(', ')] : []
  const lines = [message.replaceAll('\n', `\n${indent}`), ...counters, ...(hint ? [colors.dim(hint)] : [])]
  return `  ${mark} ${subject.padEnd(width)}  ${lines.join(`\n${indent}`)}\n`
}

// Writes what is made from the metrics' definitions: a dashboard for Grafana and rules for Prometheus.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { dashboardFiles } from '../cli/src/compile/telemetry/files.ts'

const folder = fileURLToPath(new URL('../filters/telemetry/dashboards', import.meta.url))
mkdirSync(folder, { recursive: true })
for (const [name, text] of Object.entries(dashboardFiles())) {
  writeFileSync(join(folder, name), text)
  process.stdout.write(`• filters/telemetry/dashboards/${name}\n`)
}

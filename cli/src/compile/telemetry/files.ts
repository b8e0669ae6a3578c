/** The files that are made from the metrics' definitions, as filters/telemetry/dashboards has them. */
import { stringify } from 'yaml'
import { grafanaDashboard } from './dashboard.ts'
import { prometheusRules } from './rules.ts'

/** By name. */
export function dashboardFiles(): Record<string, string> {
  return {
    'grafana.json': `${JSON.stringify(grafanaDashboard(), null, 2)}\n`,
    'prometheus-rules.yaml': `# Made by \`npm run docs:dashboards\`.\n${stringify(prometheusRules(), { lineWidth: 0 })}`,
  }
}

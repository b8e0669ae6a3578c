// The specs on several releases of Envoy. What differs among them stands in facts.ts, where specs take it from.

import { rmSync } from 'node:fs'
import { join } from 'node:path'
import { run } from '../../scripts/lib/process.mjs'
import { reports, vitest } from '../../scripts/lib/vitest.mjs'

/** Everything that runs in a real Envoy. */
const FULL = [
  'test/conformance',
  'test/sdk',
  'test/compat',
  'test/authorization',
  'test/library',
  'test/foreign',
  'test/bundle',
  'filters',
  'examples',
]
/** For every run of `npm test`: Envoy's behaviour, the SDK, the recorded decisions of Istio's policies, and something of each ready filter. */
const SHORT = [
  'test/conformance',
  'test/sdk',
  'test/authorization/decisions.spec.ts',
  'filters/routing/identity.spec.ts',
  'filters/fault/fault.spec.ts',
  'filters/ratelimit/ratelimit.spec.ts',
  'filters/telemetry/metrics.spec.ts',
  'filters/telemetry/traces/spans.spec.ts',
]
export const SHORT_VERSIONS = ['1.36', '1.38']

/** An executable that the user has named would be of one version only. */
const environment = (version) => ({ MESHSCRIPT_ENVOY_VERSION: version, ENVOY_PATH: '' })

/** Makes sure that an Envoy of this version is there. Answers its path, or why there is none. */
export async function installVersion(version) {
  const { code, output } = await run(process.execPath, ['scripts/run.mjs', 'scripts/find-envoy.ts'], {
    env: environment(version),
  })
  return { found: code === 0, output: output.trim() }
}

/** Runs the specs on each version. @returns {Promise<{ version: string, passed: number, failed: number, skipped: number, failures: string[] }[]>} */
export async function matrix(versions, { short = false } = {}) {
  const rows = []
  for (const version of versions) {
    const { found, output } = await installVersion(version)
    if (!found) throw new Error(output)
    process.stdout.write(`\n▶ Envoy ${version}\n`)
    const report = `envoy-${version}`
    rmSync(join(reports, `${report}.json`), { force: true })
    const env = environment(version)
    rows.push({ version, ...(await vitest('envoy', { files: short ? SHORT : FULL, env, report })) })
  }
  return rows
}

/** `npm run fuzz:rbac -- [--scenes N] [--requests N] [--seed N] [--scene N] [--show N] [--json]` */

import { parseArgs } from 'node:util'
import { build } from '../fuzz/modules.ts'
import { fuzzRbac, type RbacFuzzResult } from './run.ts'

const USAGE = `usage: npm run fuzz:rbac -- [--scenes N] [--requests N] [--seed N] [--scene N] [--show N] [--json]

Compares the authorization filter with Envoy's native RBAC filter: random valid AuthorizationPolicies, compiled by us for our filter
and translated as istiod does for the native one, and random requests that both see in the same Envoy. Verdict, deciding rule,
audit and dry run must be the same. The exit code is 1 if one differs, or if the compiler refuses a policy.

  --scenes N     sets of policies (default 1200)
  --requests N   requests for each set (default 20)
  --seed N       what is made up depends on this number alone (default: another one each day)
  --scene N      only the set of this number
  --show N       how many differences are printed (default 5)
  --json         print the figures as JSON`

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      scenes: { type: 'string', default: '1200' },
      requests: { type: 'string', default: '20' },
      seed: { type: 'string', default: new Date().toISOString().slice(0, 10).replaceAll('-', '') },
      scene: { type: 'string' },
      show: { type: 'string', default: '5' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  })
  const [scenes, requests, seed, show] = [values.scenes, values.requests, values.seed, values.show].map(Number) as [
    number,
    number,
    number,
    number,
  ]
  const only = values.scene === undefined ? undefined : Number(values.scene)
  if (values.help || ![scenes, requests, seed, show, only ?? 0].every(Number.isInteger)) {
    process.stdout.write(`${USAGE}\n`)
    return values.help ? 0 : 2
  }
  const wasm = await build('filters/authorization/assembly/index.ts', 'release')
  const onProgress = (done: number): void => void (process.stderr.isTTY && process.stderr.write(`\r${done} pairs`))
  const start = performance.now()
  const result = await fuzzRbac({ wasm, seed, scenes, requests, only, onProgress })
  const seconds = (performance.now() - start) / 1000
  if (values.json) process.stdout.write(`${JSON.stringify({ seed, scenes, requests, seconds, ...result }, null, 2)}\n`)
  else print(result, seed, seconds, show)
  return result.differences.length + result.refused.length > 0 ? 1 : 0
}

function print(result: RbacFuzzResult, seed: number, seconds: number, show: number): void {
  const { differences, refused } = result
  for (const difference of differences.slice(0, show)) process.stdout.write(`${JSON.stringify(difference, null, 1)}\n`)
  for (const { scene, message } of refused.slice(0, show)) process.stdout.write(`scene ${scene} refused: ${message}\n`)
  const { pairs, policies, rules, denied, byRule, dryRuns, audits, unseen } = result
  process.stdout.write(
    `${pairs} pairs in ${seconds.toFixed(0)} s (seed ${seed}): ${policies} policies with ${rules} rules; ${denied} denied, ` +
      `${byRule} decided by a rule, ${dryRuns} with a dry run, ${audits} audited; ${unseen} requests that no filter saw\n` +
      `${differences.length} differences, ${refused.length} sets of policies refused\n`,
  )
}

process.exitCode = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`)
  return 1
})

// `npm test`: all suites in order, and at the end one line that counts their tests.
//
// A suite names the tools that it needs. Where one is missing the suite is left out and named at the end;
// with MESHSCRIPT_REQUIRE_ALL=1, as in CI, that is a failure, and so is a skipped test.
// A test file `NAME.TOOL.spec.ts` or `NAME.TOOL.test.ts`, TOOL being a key of `tools`, needs that tool.
//
// `npm test -- NAME…` runs the suites of these names only.

import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { stripVTControlCharacters } from 'node:util'
import { build } from './build.mjs'
import { isCollectorBuilt } from './collector.mjs'
import { buildImage } from './docker-image.mjs'
import { isHubbleBuilt } from './hubble.mjs'
import { isIstioBuilt } from './istio.mjs'
import { isRateLimitBuilt } from './ratelimit.mjs'
import { fail, run, works } from './lib/process.mjs'
import { filesUnder, root, timed } from './lib/steps.mjs'
import { reports, vitest } from './lib/vitest.mjs'
import { setup } from './setup.mjs'
import { installVersion, matrix, SHORT_VERSIONS } from '../test/matrix/matrix.mjs'

const required = process.env.MESHSCRIPT_REQUIRE_ALL === '1'
const node = (script, ...args) => run(process.execPath, [join('node_modules', script), ...args], { inherit: true })

/** What some tests need beside Node.js: a name for people, and how to see whether it is there. */
const tools = {
  envoy: { label: 'Envoy (or Python 3 with pip, to download it)', find: findEnvoy },
  go: { label: 'Go 1.24 or later', find: hasGo },
  registry: { label: 'docker-registry', find: () => works('docker-registry', ['--version']) },
  envoys: {
    label: `Envoy ${SHORT_VERSIONS.join(' and ')} (or Python 3 with pip, to download them)`,
    find: findOlderEnvoys,
  },
  docker: { label: "Docker's daemon", find: () => works('docker', ['version']) },
  prometheus: {
    label: 'prometheus and promtool',
    find: async () => (await works('prometheus', ['--version'])) && works('promtool', ['--version']),
  },
  compose: { label: 'Docker Compose, prometheus and docker-registry', find: hasCompose },
  skopeo: { label: 'skopeo', find: () => works('skopeo', ['--version']) },
  judge: { label: "Istio's code, which `npm run test:istio` builds with Go", find: () => hasIstio(['judge']) },
  istio: { label: 'Istio and an API server, which `npm run test:istio` builds with Go, and etcd', find: hasCluster },
  ratelimit: { label: 'redis-server, and Go or `node scripts/ratelimit.mjs` of before', find: hasRateLimit },
  collector: {
    label: 'Go or `node scripts/collector.mjs` of before',
    find: () => isCollectorBuilt() || hasGo(),
  },
  hubble: { label: 'Go or `node scripts/hubble.mjs` of before', find: () => isHubbleBuilt() || hasGo() },
  zsh: { label: 'zsh', find: () => works('zsh', ['--version']) },
  fish: { label: 'fish', find: () => works('fish', ['--version']) },
}

const suites = [
  { name: 'lint', needs: [], run: lint },
  { name: 'wasm', needs: [], run: asPect },
  { name: 'unit', needs: [], run: () => vitest('unit') },
  { name: 'node', needs: [], run: () => vitest('node') },
  { name: 'envoy', needs: ['envoy'], run: () => vitest('envoy') },
  { name: 'docker', needs: ['envoy', 'docker'], run: inDocker },
  { name: 'matrix', needs: ['envoy', 'envoys'], run: onOlderEnvoys },
  // Late: until then, CI builds it beside the others.
  { name: 'istio', needs: ['envoy', 'registry', 'istio'], run: () => vitest('istio') },
  // Last, when nothing else runs.
  { name: 'timed', needs: [], run: () => vitest('timed') },
]

/** @typedef {{ passed: number, failed: number, skipped: number, failures?: string[] }} Counts */

async function main(only) {
  const unknown = only.filter((name) => !suites.some((suite) => suite.name === name))
  if (unknown.length)
    throw new Error(`no suite ${unknown.join(', ')}; there are ${suites.map(({ name }) => name).join(', ')}`)
  await setup()
  await build()
  rmSync(reports, { recursive: true, force: true })
  mkdirSync(reports, { recursive: true })

  const missing = await findMissing()
  // Read by vitest.config.ts, which leaves out the files that need them.
  process.env.MESHSCRIPT_MISSING_TOOLS = missing.join(',')
  const total = { passed: 0, failed: 0, skipped: 0 }
  const summary = []
  for (const suite of suites.filter(({ name }) => !only.length || only.includes(name))) {
    const lacks = suite.needs.filter((tool) => missing.includes(tool))
    if (lacks.length) continue
    const start = performance.now()
    process.stdout.write(`\n▶ ${suite.name}\n`)
    const counts = await suite.run()
    for (const key of Object.keys(total)) total[key] += counts[key]
    summary.push(`${suite.name.padEnd(8)} ${line(counts)}  (${((performance.now() - start) / 1000).toFixed(1)} s)`)
    summary.push(...(counts.failures ?? []).map((name) => `  failed: ${name}`))
  }

  process.stdout.write(`\n${summary.join('\n')}\n`)
  for (const tool of missing) {
    const suitesLeft = suites.filter(({ name, needs }) => needs.includes(tool) && (!only.length || only.includes(name)))
    const left = [
      ...suitesLeft.map(({ name }) => `suite ${name}`),
      ...testFiles().filter((file) => file.includes(`.${tool}.`)),
    ]
    if (!left.length) continue
    process.stdout.write(`left out, since there is no ${tools[tool].label}: ${left.join(', ')}\n`)
    // A suite that was asked for by name and did not run has not passed.
    if (required || (only.length && suitesLeft.length)) total.failed++
  }
  process.stdout.write(`${line(total)}\n`)
  if (total.failed || (required && total.skipped)) process.exitCode = 1
}

function line({ passed, failed, skipped }) {
  return `${passed} passed, ${failed} failed, ${skipped} skipped`
}

function testFiles() {
  return filesUnder(['sdk', 'filters', 'cli', 'test', 'examples'])
    .filter((file) => /\.(spec|test)\.ts$/.test(file))
    .map((file) => file.slice(root.length + 1))
}

async function findMissing() {
  const missing = []
  for (const [name, { find }] of Object.entries(tools)) if (!(await find())) missing.push(name)
  return missing
}

async function findEnvoy() {
  const script = [join('scripts', 'run.mjs'), join('scripts', 'find-envoy.ts')]
  let found
  await timed('Envoy', async () => {
    const { code, output } = await run(process.execPath, script)
    found = code === 0
    return output.trim().split('\n').at(-1)
  })
  return found
}

async function findOlderEnvoys() {
  let found
  await timed(`Envoy ${SHORT_VERSIONS.join(' and ')}`, async () => {
    found = (await Promise.all(SHORT_VERSIONS.map(installVersion))).every((one) => one.found)
  })
  return found
}

/** Go builds reactor modules (`-buildmode=c-shared`) for WASI since 1.24. */
async function hasGo() {
  if (!(await works('go', ['version']))) return false
  const [, minor = 0] = (/go1\.(\d+)/.exec((await run('go', ['version'])).output) ?? []).map(Number)
  return minor >= 24
}

/** Building it takes minutes, so only CI does that unasked. */
async function hasIstio(programs) {
  return isIstioBuilt(programs) || (required && hasGo())
}

async function hasCluster() {
  return (await works('etcd', ['--version'])) && hasIstio()
}

/** The service is built in a minute, once. */
async function hasRateLimit() {
  return (await works('redis-server', ['--version'])) && (isRateLimitBuilt() || hasGo())
}

/** What the demo in containers is made of, beside Envoy and Node.js. */
async function hasCompose() {
  if (!(await works('docker', ['version']))) return false
  const either = (await works('docker', ['compose', 'version'])) || (await works('docker-compose', ['version']))
  return either && (await works('prometheus', ['--version'])) && works('docker-registry', ['--version'])
}

/** All specs, each Envoy in a container of a local image unless the user has named one. */
async function inDocker() {
  if (process.platform === 'linux') process.env.MESHSCRIPT_ENVOY_IMAGE ||= await buildImage('envoy')
  return vitest('docker')
}

/** Counts as a test only when it fails. */
async function lint() {
  const checks = [
    node('eslint/bin/eslint.js', '.'),
    node('prettier/bin/prettier.cjs', '--check', '--log-level', 'warn', '.'),
    ...['.', 'sdk/assembly', 'filters', 'examples/hello/assembly', 'test'].map((folder) =>
      node('typescript/bin/tsc', '-p', folder),
    ),
  ]
  const codes = (await Promise.all(checks)).map(({ code }) => code)
  return { passed: 0, failed: codes.filter((code) => code !== 0).length, skipped: 0 }
}

/** Unit tests that run inside Wasm. */
async function asPect() {
  const args = ['--config', 'as-pect.config.js', '--as-config', 'as-pect.asconfig.json', '--verbose']
  const { code, output } = await run(process.execPath, ['node_modules/@as-pect/cli/bin/asp.js', ...args])
  const text = stripVTControlCharacters(output)
  // The report begins behind the program's logo.
  process.stdout.write(output.slice(Math.max(0, output.indexOf('⚡'))))
  const [, passed = 0, total = 0] = (/\[Tests\]: (\d+) \/ (\d+)/.exec(text) ?? []).map(Number)
  const skipped = text.match(/^\s*\[Todo\]/gm)?.length ?? 0
  const failed = total - passed
  return { passed, failed: code !== 0 && !failed ? 1 : failed, skipped }
}

/** Some specs on older Envoys; `npm run test:matrix` runs all. */
async function onOlderEnvoys() {
  const total = { passed: 0, failed: 0, skipped: 0, failures: [] }
  for (const { version, failures, ...counts } of await matrix(SHORT_VERSIONS, { short: true })) {
    for (const key of Object.keys(counts)) total[key] += counts[key]
    total.failures.push(...failures.map((name) => `${name} (Envoy ${version})`))
  }
  return total
}

await main(process.argv.slice(2)).catch(fail)

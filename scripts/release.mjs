// Publishes the packages of the workspace to a registry of npm packages: `node scripts/release.mjs --help`.
//
// It can be repeated: what the registry has is left alone. So a release that broke off is finished by the same command.

import { createHash } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from './build.mjs'
import { npmCommand, pack, publishedPackages } from './lib/packages.mjs'
import { check, fail, run } from './lib/process.mjs'
import { setup } from './setup.mjs'

const USAGE = `usage: node scripts/release.mjs [--registry URL] [--tag TAG] [--provenance] [--dry-run] [--no-check]

Builds and packs the packages, checks the tarballs, and publishes those that the registry has not, each behind those that it depends on.

  --registry URL  default: npm's own setting
  --tag TAG       dist-tag; default: latest, or the first word of a pre-release (1.0.0-beta.1: beta)
  --provenance    signed statement where the packages were built; needs a CI service that npm knows
  --dry-run       only say what would be done
  --no-check      leave the tarballs' own tests to others
`

/** @typedef {{ registry?: string, tag?: string, provenance?: boolean, 'dry-run'?: boolean, check?: boolean }} Options */

/** @param {Options} options */
async function release({ registry, tag, provenance = false, 'dry-run': isDry = false, check: checks = true }) {
  await setup()
  await build()
  const folder = mkdtempSync(join(tmpdir(), 'meshscript-release-'))
  try {
    if (checks) await checkTarballs()
    const where = registry ? ['--registry', registry] : []
    const packed = await pack(publishedPackages(), folder)
    const ids = packed.map(({ manifest }) => `${manifest.name}@${manifest.version}`)
    const known = await Promise.all(ids.map((id) => integrityOf(id, where)))
    for (const [index, { file, manifest }] of packed.entries()) {
      const id = ids[index]
      const published = known[index]
      if (published !== undefined) {
        const same = published === integrity(file)
        say(`${id} is published already${same ? '' : ', with other contents: a change needs a new version'}`)
        continue
      }
      const distTag = tag ?? /^[^-]*-([a-z]+)/i.exec(manifest.version)?.[1] ?? 'latest'
      if (!isDry) await publish(file, [...where, '--tag', distTag, `--provenance=${provenance}`])
      const size = `${Math.round(statSync(file).size / 1024)} KB`
      say(`${id} (${size}) ${isDry ? 'would be' : 'is'} published as ${distTag}`)
    }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

async function checkTarballs() {
  const tests = ['run', '--project', 'unit', 'test/packages/packages.test.ts']
  await check(process.execPath, [join('node_modules', 'vitest', 'vitest.mjs'), ...tests])
  say('the tarballs are as they should be')
}

/** What the registry has under this name and version; nothing where it has none. */
async function integrityOf(id, where) {
  const { code, output } = await run(npmCommand, ['view', id, 'dist.integrity', '--json', ...where], {
    env: { npm_config_loglevel: 'silent', npm_config_prefer_online: 'true' },
  })
  const answer = output.trim() ? JSON.parse(output) : undefined
  if (code === 0) return answer
  if (answer?.error?.code === 'E404') return undefined
  throw new Error(`The registry did not say whether it has ${id}: ${answer?.error?.summary ?? output}`)
}

function integrity(file) {
  return `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`
}

async function publish(file, args) {
  await check(npmCommand, ['publish', file, '--access', 'public', ...args], { env: { npm_config_loglevel: 'error' } })
}

function say(text) {
  process.stdout.write(`• ${text}\n`)
}

function options() {
  const { values } = parseArgs({
    options: {
      registry: { type: 'string' },
      tag: { type: 'string' },
      provenance: { type: 'boolean' },
      'dry-run': { type: 'boolean' },
      check: { type: 'boolean' },
      help: { type: 'boolean' },
    },
    allowNegative: true,
  })
  return values
}

try {
  const values = options()
  if (values.help) process.stdout.write(USAGE)
  else await release(values)
} catch (error) {
  fail(error)
  if (String(error?.code).startsWith('ERR_PARSE_ARGS')) {
    process.stderr.write(`\n${USAGE}`)
    process.exitCode = 2
  }
}

// Turns the waiting changesets into a version: `node scripts/version.mjs`. Nothing is published; the result is for a commit.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { npmCommand, publishedPackages } from './lib/packages.mjs'
import { check, fail } from './lib/process.mjs'
import { root } from './lib/steps.mjs'

async function version(withLock) {
  const before = current()
  await check(process.execPath, [join('node_modules', '@changesets', 'cli', 'bin.js'), 'version'])
  const after = current()
  if (before === after) return process.stdout.write(`• there is no changeset; the version stays ${before}\n`)
  dateChangelog(join(root, 'CHANGELOG.md'), after)
  // The lock file has the versions of the workspaces, too.
  if (withLock) await check(npmCommand, ['install', '--package-lock-only', '--ignore-scripts'])
  process.stdout.write(`• ${before} → ${after}\n`)
}

/** All packages have it: they are a fixed group. */
function current() {
  const [version, ...others] = new Set(publishedPackages().map(({ manifest }) => manifest.version))
  if (others.length) throw new Error(`The packages have several versions: ${[version, ...others].join(', ')}`)
  return version
}

/** What was unreleased is this version's; what comes next is unreleased. */
function dateChangelog(file, version) {
  if (!existsSync(file)) return
  const today = new Date().toISOString().slice(0, 10)
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, text.replace('## [Unreleased]\n', `## [Unreleased]\n\n## [${version}] - ${today}\n`))
}

await version(!process.argv.includes('--no-lock')).catch(fail)

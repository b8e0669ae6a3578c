// The packages that are published, and their tarballs.

import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, resolve } from 'node:path'
import { check } from './process.mjs'
import { root } from './steps.mjs'

/** Condition of `exports` by which the checkout takes packages from their sources, which are not published. */
const SOURCE_CONDITION = 'meshscript-source'
/** What only the checkout has a use for. */
const PRIVATE_FIELDS = ['devDependencies', 'scripts']

/** @typedef {{ name: string, version: string, private?: boolean, dependencies?: Record<string, string> } & Record<string, unknown>} Manifest */
/** @typedef {{ folder: string, manifest: Manifest }} Package */

/** Workspaces that are published, each behind those that it depends on. @returns {Package[]} */
export function publishedPackages() {
  const { workspaces } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
  const found = workspaces
    .filter((folder) => existsSync(join(root, folder, 'package.json')))
    .map((folder) => ({ folder, manifest: JSON.parse(readFileSync(join(root, folder, 'package.json'), 'utf8')) }))
    .filter(({ manifest }) => !manifest.private && manifest.publishConfig)
  const sorted = []
  const visit = (item) => {
    if (sorted.includes(item)) return
    for (const { manifest } of found) {
      if (item.manifest.dependencies?.[manifest.name]) visit(found.find((other) => other.manifest === manifest))
    }
    sorted.push(item)
  }
  found.forEach(visit)
  return sorted
}

/** The manifest as users get it. @param {Manifest} manifest @returns {Manifest} */
export function publishedManifest(manifest) {
  const entries = Object.entries(manifest).filter(([key]) => !PRIVATE_FIELDS.includes(key))
  return { ...Object.fromEntries(entries), ...(manifest.exports && { exports: withoutSources(manifest.exports) }) }
}

function withoutSources(value) {
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).filter(([key]) => key !== SOURCE_CONDITION)
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutSources(inner)]))
}

/**
 * Makes the tarball of each package in `target`: the files that npm would take, and the manifest for users.
 * @param {Package[]} packages @param {string} target
 * @returns {Promise<{ file: string, manifest: Manifest }[]>}
 */
export async function pack(packages, target) {
  mkdirSync(target, { recursive: true })
  const staging = mkdtempSync(join(tmpdir(), 'meshscript-pack-'))
  try {
    const packed = packages.map(async ({ folder, manifest }, index) => {
      const stage = join(staging, `${index}`)
      const [listed] = await npmPack(join(root, folder), '--dry-run')
      for (const { path } of listed.files) {
        mkdirSync(dirname(join(stage, path)), { recursive: true })
        cpSync(join(root, folder, path), join(stage, path))
      }
      const shown = publishedManifest(manifest)
      writeFileSync(join(stage, 'package.json'), `${JSON.stringify(shown, null, 2)}\n`)
      const [{ filename }] = await npmPack(stage, '--pack-destination', resolve(target))
      return { file: join(resolve(target), filename), manifest: shown }
    })
    return await Promise.all(packed)
  } finally {
    rmSync(staging, { recursive: true, force: true })
  }
}

async function npmPack(cwd, ...args) {
  // In the package's own folder: `npm run` gives its children the folder of the workspace.
  const env = { npm_config_workspace: '', npm_config_loglevel: 'error' }
  const output = await check(npmCommand, ['pack', '--json', '--ignore-scripts', ...args], { cwd, env })
  // What npm has to say of the machine's settings stands before the answer.
  const answer = JSON.parse(output.slice(output.search(/^[[{]/m)))
  return Array.isArray(answer) ? answer : Object.values(answer)
}

/** npm as a program. */
export const npmCommand = process.platform === 'win32' ? 'npm.cmd' : 'npm'

// Installs what package-lock.json names, once. Needs nothing but Node.js itself.

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { check, fail } from './lib/process.mjs'
import { hashOf, root, timed } from './lib/steps.mjs'

const NEEDED = [20, 19]

export async function setup() {
  const [major, minor] = process.versions.node.split('.').map(Number)
  if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
    throw new Error(`Meshscript needs Node.js ${NEEDED.join('.')} or later; this is ${process.version}.`)
  }
  if (!isInstalled()) await timed('npm ci (packages of package-lock.json)', () => npm('ci'))
  const patched = join(root, 'node_modules', '.cache', 'meshscript', 'patches')
  const hash = hashOf(['patches'])
  if (!existsSync(patched) || readFileSync(patched, 'utf8') !== hash) {
    await timed('patches', () => check(process.execPath, ['node_modules/patch-package/index.js', '--error-on-fail']))
    mkdirSync(dirname(patched), { recursive: true })
    writeFileSync(patched, hash)
  }
}

/** Compares npm's own list of what is in node_modules with the lock file. */
function isInstalled() {
  const list = (file) => {
    try {
      return JSON.parse(readFileSync(join(root, file), 'utf8')).packages
    } catch {
      return undefined
    }
  }
  const installed = list('node_modules/.package-lock.json')
  if (!installed) return false
  return Object.entries(list('package-lock.json') ?? {}).every(([path, { version, optional, link }]) => {
    if (!path.includes('node_modules/') || optional) return true
    return link ? existsSync(join(root, path)) : installed[path]?.version === version
  })
}

/** The npm that runs this script, where one does: `node_modules/.bin` may hold another, which `npm ci` would delete while it runs. */
function npm(...args) {
  args.push('--no-audit', '--no-fund', '--prefer-offline')
  const { npm_execpath: program } = process.env
  if (program?.endsWith('.js')) return check(process.execPath, [program, ...args]).then(() => {})
  return check(process.platform === 'win32' ? 'npm.cmd' : 'npm', args).then(() => {})
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) await setup().catch(fail)

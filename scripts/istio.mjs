// Builds the real Istio and what it stands on, for test/istio and test/istio-e2e, into the user's cache:
//
//   judge            Istio's image fetcher and validation (test/istio/judge)
//   pilot-agent      with the custom resource definitions and the bootstrap template of the same version
//   pilot-discovery  istiod
//   kube-apiserver   the Kubernetes API server
//   kubectl          where none is installed
//
// `node scripts/istio.mjs [NAME…]` builds these only; with `--background` at low priority. What is there is left alone,
// and a build that was cut short goes on where Go's own cache ends.

import { createHash } from 'node:crypto'
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs'
import { homedir, setPriority } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { locked } from './lib/lock.mjs'
import { check, fail, works } from './lib/process.mjs'
import { root, timed } from './lib/steps.mjs'

/** One Go module for all of them: what they share is compiled once. */
const MODULE = join(root, 'test/istio')

/** What there is to build: the package of each, and what else it needs. */
const programs = {
  judge: { package: './judge' },
  'pilot-agent': { package: 'istio.io/istio/pilot/cmd/pilot-agent', more: istioFiles },
  'pilot-discovery': { package: 'istio.io/istio/pilot/cmd/pilot-discovery' },
  'kube-apiserver': { package: './apiserver' },
  kubectl: { package: 'k8s.io/kubernetes/cmd/kubectl' },
}

/** The folder of the cache that belongs to these versions and sources. */
export function istioFolder() {
  const hash = createHash('sha256')
  for (const file of ['go.mod', 'go.sum', 'judge/main.go', 'apiserver/main.go'])
    hash.update(readFileSync(join(MODULE, file)))
  const cache =
    process.env.XDG_CACHE_HOME ||
    (process.platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache'))
  return join(cache, 'meshscript', 'istio', hash.digest('hex').slice(0, 16))
}

/** Whether all of `names`, by default all but kubectl, is there. */
export function isIstioBuilt(names = Object.keys(programs).filter((name) => name !== 'kubectl')) {
  const folder = istioFolder()
  return names.every((name) => existsSync(join(folder, name)))
}

/** Builds what is missing of `names`, all by default; answers the folder that holds it. */
export async function buildIstio(names) {
  const folder = istioFolder()
  mkdirSync(folder, { recursive: true })
  const wanted = names ?? Object.keys(programs).filter((name) => name !== 'kubectl')
  if (!names && !(await works('kubectl', ['version', '--client']))) wanted.push('kubectl')
  for (const name of wanted) {
    if (!programs[name]) throw new Error(`no program ${name}; there are ${Object.keys(programs).join(', ')}`)
    // One lock for all: two builds at once would compile the same packages twice.
    if (!existsSync(join(folder, name))) await locked(join(folder, 'lock'), () => buildOne(name, folder))
  }
  return folder
}

async function buildOne(name, folder) {
  const output = join(folder, name)
  if (existsSync(output)) return
  const { package: source, more } = programs[name]
  await timed(`${name} (Go, once)`, async () => {
    const made = `${output}.${process.pid}`
    await check('go', ['build', '-ldflags=-s -w', '-o', made, source], { cwd: MODULE })
    await more?.(folder)
    renameSync(made, output)
    return `${Math.round(statSync(output).size / 1048576)} MB`
  })
}

async function istioFiles(folder) {
  const module = await check('go', ['list', '-m', '-f', '{{.Dir}}', 'istio.io/istio'], { cwd: MODULE })
  for (const [file, name] of [
    ['manifests/charts/base/files/crd-all.gen.yaml', 'crds.yaml'],
    ['tools/packaging/common/envoy_bootstrap.json', 'envoy_bootstrap.json'],
  ]) {
    const copy = join(folder, name)
    rmSync(copy, { force: true })
    copyFileSync(join(module.trim(), file), copy)
    // Files in Go's module cache are read-only.
    chmodSync(copy, 0o644)
  }
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const args = process.argv.slice(2)
  const names = args.filter((name) => name !== '--background')
  if (names.length < args.length) setPriority(10)
  await buildIstio(names.length ? names : undefined).then((folder) => process.stdout.write(`${folder}\n`), fail)
}

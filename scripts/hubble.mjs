// Builds Hubble's own program, for tests of flow records and of `meshscript observe`, into the user's cache.
//
// `node scripts/hubble.mjs` prints where it is; with `--background` it is built at low priority. What is there is left alone.

import { setPriority } from 'node:os'
import { pathToFileURL } from 'node:url'
import { GoProgram } from './lib/go-program.mjs'
import { fail } from './lib/process.mjs'

const program = new GoProgram({
  name: 'hubble',
  folder: 'test/telemetry/flows/hubble',
  files: ['go.mod', 'go.sum'],
  source: 'github.com/cilium/cilium/hubble',
  // Nothing of it needs a C compiler.
  env: { CGO_ENABLED: '0' },
})

/** Whether it is there. */
export function isHubbleBuilt() {
  return program.isBuilt
}

/** Builds it unless it is there; answers where it is. */
export function buildHubble() {
  return program.build()
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (process.argv.includes('--background')) setPriority(10)
  await buildHubble().then((path) => process.stdout.write(`${path}\n`), fail)
}

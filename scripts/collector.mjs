// Builds the OpenTelemetry Collector's receivers of spans (test/telemetry/collector), for test/telemetry and the demo in containers, into the
// user's cache.
//
// `node scripts/collector.mjs` prints where they are; with `--background` they are built at low priority. What is there is left alone.

import { setPriority } from 'node:os'
import { pathToFileURL } from 'node:url'
import { GoProgram } from './lib/go-program.mjs'
import { fail } from './lib/process.mjs'

const program = new GoProgram({
  name: 'collector',
  folder: 'test/telemetry/collector',
  files: ['go.mod', 'go.sum', 'main.go', 'output.go', 'receivers.go'],
  source: '.',
  // Nothing of it needs a C compiler.
  env: { CGO_ENABLED: '0' },
})

/** Whether they are there. */
export function isCollectorBuilt() {
  return program.isBuilt
}

/** Builds them unless they are there; answers where the program is. */
export function buildCollector() {
  return program.build()
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (process.argv.includes('--background')) setPriority(10)
  await buildCollector().then((path) => process.stdout.write(`${path}\n`), fail)
}

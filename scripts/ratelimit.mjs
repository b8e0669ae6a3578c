// Builds the field's own rate limit service, github.com/envoyproxy/ratelimit, for test/ratelimit and the demo in containers, into the user's cache.
//
// `node scripts/ratelimit.mjs` prints where it is; with `--background` it is built at low priority. What is there is left alone.

import { setPriority } from 'node:os'
import { pathToFileURL } from 'node:url'
import { GoProgram } from './lib/go-program.mjs'
import { fail } from './lib/process.mjs'

/** A Go module that names its version. */
const program = new GoProgram({
  name: 'ratelimit',
  folder: 'test/ratelimit/server',
  files: ['go.mod', 'go.sum'],
  source: 'github.com/envoyproxy/ratelimit/src/service_cmd',
})

/** Its version. */
export function rateLimitVersion() {
  return /envoyproxy\/ratelimit v(\S+)/.exec(program.read('go.mod'))[1]
}

/** Where the service of this version is, once it is built. */
export function rateLimitService() {
  return program.path
}

/** Whether it is there. */
export function isRateLimitBuilt() {
  return program.isBuilt
}

/** Builds it unless it is there; answers where. */
export function buildRateLimit() {
  return program.build()
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (process.argv.includes('--background')) setPriority(10)
  await buildRateLimit().then((path) => process.stdout.write(`${path}\n`), fail)
}

// Builds the field's own rate limit service, github.com/envoyproxy/ratelimit, for test/ratelimit and the demo in containers, into the user's cache.
//
// `node scripts/ratelimit.mjs` prints where it is; with `--background` it is built at low priority. What is there is left alone.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs'
import { homedir, setPriority } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { check, fail } from './lib/process.mjs'
import { root, timed } from './lib/steps.mjs'

/** A Go module that names its version. */
const MODULE = join(root, 'test/ratelimit/server')

/** Its version. */
export function rateLimitVersion() {
  return /envoyproxy\/ratelimit v(\S+)/.exec(readFileSync(join(MODULE, 'go.mod'), 'utf8'))[1]
}

/** Where the service of this version is, once it is built. */
export function rateLimitService() {
  const hash = createHash('sha256')
  for (const file of ['go.mod', 'go.sum']) hash.update(readFileSync(join(MODULE, file)))
  const cache =
    process.env.XDG_CACHE_HOME ||
    (process.platform === 'darwin' ? join(homedir(), 'Library', 'Caches') : join(homedir(), '.cache'))
  return join(cache, 'meshscript', 'ratelimit', hash.digest('hex').slice(0, 16), 'ratelimit')
}

/** Whether it is there. */
export function isRateLimitBuilt() {
  return existsSync(rateLimitService())
}

/** Builds it unless it is there; answers where. Two builds at once cost time only: each is put in place whole. */
export async function buildRateLimit() {
  const output = rateLimitService()
  if (existsSync(output)) return output
  mkdirSync(join(output, '..'), { recursive: true })
  await timed('ratelimit (Go, once)', async () => {
    const made = `${output}.${process.pid}`
    const source = 'github.com/envoyproxy/ratelimit/src/service_cmd'
    await check('go', ['build', '-ldflags=-s -w', '-o', made, source], { cwd: MODULE })
    renameSync(made, output)
    return `${Math.round(statSync(output).size / 1048576)} MB`
  })
  return output
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (process.argv.includes('--background')) setPriority(10)
  await buildRateLimit().then((path) => process.stdout.write(`${path}\n`), fail)
}

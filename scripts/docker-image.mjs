// Builds Docker images out of programs of this machine, without pulling any: `npm run docker:image -- [NAME…]`.
//
//   envoy       the executable that the tests use, see docs/testing.md (default)
//   node        the Node.js that runs this script
//   prometheus  from PATH
//   registry    docker-registry from PATH
//   ratelimit   the rate limit service, built by scripts/ratelimit.mjs
//   redis       redis-server from PATH
//   collector   receivers of the OpenTelemetry Collector, built by scripts/collector.mjs
//
// Prints the tag of each, meshscript/NAME:VERSION. For Linux, since a container there shares the machine's kernel and libraries.

import { execFile } from 'node:child_process'
import { accessSync, chmodSync, constants, copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { buildCollector } from './collector.mjs'
import { check, fail, run } from './lib/process.mjs'
import { root } from './lib/steps.mjs'
import { buildRateLimit, rateLimitVersion } from './ratelimit.mjs'

/** Where each program is. */
const programs = {
  envoy: findEnvoy,
  node: () => process.execPath,
  prometheus: () => onPath('prometheus'),
  registry: () => onPath('docker-registry'),
  ratelimit: buildRateLimit,
  redis: () => onPath('redis-server'),
  collector: buildCollector,
}
/** Where a program is in the public image, where that is not the image's name in /usr/local/bin. */
const places = { redis: join('usr', 'local', 'bin', 'redis-server'), collector: 'otelcol' }

/** Builds the image of the program, and returns its tag. Where nothing has changed, Docker has it at once. */
export async function buildImage(name) {
  if (process.platform !== 'linux') throw new Error('local images can be built on Linux only; take the public ones')
  if (!programs[name]) throw new Error(`no image ${name}; there are ${Object.keys(programs).join(', ')}`)
  const program = realpathSync(await programs[name]())
  const tag = `meshscript/${name}:${name === 'ratelimit' ? rateLimitVersion() : await versionOf(program)}`
  const context = mkdtempSync(join(tmpdir(), 'meshscript-image-'))
  try {
    gather(context, program, name, await librariesOf(program))
    const target = name === 'envoy' ? 'envoy' : 'program'
    const args = ['build', '--quiet', '--file', join(root, 'envoy', 'Dockerfile'), '--target', target]
    // The builder of the daemon itself: BuildKit's would want a plugin of the client.
    await check('docker', [...args, '--tag', tag, context], { env: { DOCKER_BUILDKIT: '0' } })
  } finally {
    rmSync(context, { recursive: true, force: true })
  }
  return tag
}

function gather(context, program, name, libraries) {
  const place = (from, to) => {
    mkdirSync(join(context, dirname(to)), { recursive: true })
    copyFileSync(from, join(context, to))
  }
  place(program, places[name] ?? join('usr', 'local', 'bin', name))
  for (const library of libraries) place(library, library)
  mkdirSync(join(context, 'tmp'))
  chmodSync(join(context, 'tmp'), 0o1777)
}

/** Libraries and loader, by the paths under which the loader looks for them. */
async function librariesOf(program) {
  // A program without any makes ldd fail.
  const { output } = await run('ldd', [program], { env: { LC_ALL: 'C' } })
  const missing = /^\s*(\S+) => not found$/m.exec(output)
  if (missing) throw new Error(`${program} needs ${missing[1]}, which is not there`)
  return [...output.matchAll(/(\/\S+) \(0x[0-9a-f]+\)$/gm)].map(([, path]) => path)
}

async function versionOf(program) {
  const output = await check(program, ['--version'])
  const version = /\d+\.\d+\.\d+/.exec(output)?.[0]
  if (!version) throw new Error(`${program} does not tell its version`)
  return version
}

async function findEnvoy() {
  const script = [join('scripts', 'run.mjs'), join('scripts', 'find-envoy.ts')]
  // Its progress is on stderr.
  const { stdout } = await promisify(execFile)(process.execPath, script, { cwd: root })
  return stdout.trim()
}

function onPath(name) {
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // In the next folder, perhaps.
    }
  }
  throw new Error(`there is no program ${name} on PATH`)
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const names = process.argv.slice(2)
  try {
    for (const name of names.length ? names : ['envoy']) process.stdout.write(`${await buildImage(name)}\n`)
  } catch (error) {
    fail(error)
  }
}

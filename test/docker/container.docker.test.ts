/** Envoy in a container: nothing is left of it, however the program that started it ends. */

import { execFile, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import { beforeAll, expect, test, vi } from 'vitest'
import { createEnvoyHost, dockerEnvoy, startEnvoy } from '@meshscript/sdk/testing/envoy/index'

const run = promisify(execFile)
const root = fileURLToPath(new URL('../..', import.meta.url))
const LOADER = [
  '--conditions=meshscript-source',
  `--import=${pathToFileURL(join(root, 'scripts', 'typescript.mjs')).href}`,
]
/** Starts an Envoy in a container, tells its directory, and ends as it is told. */
const PROGRAM = `
import { createEnvoyHost } from '@meshscript/sdk/testing/envoy/index'
const host = await createEnvoyHost({}, 'docker')
console.log(host.envoy.directory)
process.stdin.once('data', () => process.exit())
`

beforeAll(async () => {
  const { stdout } = await run(process.execPath, [join(root, 'scripts', 'docker-image.mjs'), 'envoy'])
  process.env['MESHSCRIPT_ENVOY_IMAGE'] = stdout.trim()
}, 60_000)

const containersOf = async (pid: number) =>
  (await run('docker', ['ps', '--all', '--quiet', '--filter', `name=meshscript-${pid}-`])).stdout.trim()

test.for(['SIGKILL', 'SIGINT', 'SIGTERM', 'exit'] as const)(
  'after %s no container is left',
  { timeout: 30_000 },
  async (how) => {
    const child = spawn(process.execPath, [...LOADER, '--input-type=module', '--eval', PROGRAM], {
      cwd: join(root, 'test'),
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const directory = await new Promise<string>((resolve) =>
      child.stdout.once('data', (data: Buffer) => resolve(data.toString().trim())),
    )
    expect(await containersOf(child.pid!)).toMatch(/^[0-9a-f]+$/)
    if (how === 'exit') child.stdin.write('exit')
    else child.kill(how)
    await vi.waitFor(async () => expect([await containersOf(child.pid!), existsSync(directory)]).toEqual(['', false]), {
      timeout: 15_000,
      interval: 100,
    })
  },
)

test('it is the Envoy of the image', async () => {
  const host = await createEnvoyHost({}, 'docker')
  const { text } = await host.envoy.admin('/server_info')
  const [version] = /\d+\.\d+\.\d+/.exec(process.env['MESHSCRIPT_ENVOY_IMAGE']!)!
  const info = JSON.parse(text) as { version: string; command_line_options: { config_path: string } }
  expect(info.version).toContain(`/${version}/`)
  const { stdout } = await run('docker', ['ps', '--quiet', '--filter', `name=meshscript-${process.pid}-`])
  const format = '{{.Config.Image}} {{.HostConfig.NetworkMode}} {{join .Args " "}}'
  const inspect = await run('docker', ['inspect', '--format', format, stdout.trim()])
  expect(inspect.stdout).toContain(`${process.env['MESHSCRIPT_ENVOY_IMAGE']} host --config-path`)
  expect(inspect.stdout).toContain(info.command_line_options.config_path)
  await host.close()
  expect(await containersOf(process.pid)).toBe('')
}, 30_000)

test('an image that cannot be had is named', async () => {
  const binary = dockerEnvoy({ MESHSCRIPT_ENVOY_IMAGE: '127.0.0.1:1/nobody/envoy:none' })
  await expect(startEnvoy({ bootstrap: {}, binary })).rejects.toThrow(
    /the image 127\.0\.0\.1:1\/nobody\/envoy:none is not there and cannot be pulled: .*MESHSCRIPT_ENVOY_IMAGE names another/s,
  )
}, 30_000)

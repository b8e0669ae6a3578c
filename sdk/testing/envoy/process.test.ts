import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test, vi } from 'vitest'
import { HostStartError } from '../types.ts'
import { buildBootstrap, createEnvoyHost, type EnvoyProcess, findEnvoy, routeConfig, startEnvoy } from './index.ts'

const routes = routeConfig([{ directResponse: { status: 200, body: 'direct' } }])
const bootstrap = buildBootstrap({ listeners: [{ name: 'web', http: { routes } }] })

let envoy: EnvoyProcess | undefined
afterEach(async () => {
  vi.unstubAllEnvs()
  await envoy?.stop()
})

test('starts, tells its ports, and leaves nothing', async () => {
  envoy = await startEnvoy({ bootstrap })
  const answer = await fetch(`http://127.0.0.1:${envoy.ports.web}/`)
  expect(await answer.text()).toBe('direct')
  expect(await envoy.stats('^http\\.web\\.downstream_rq_total$')).toEqual({ 'http.web.downstream_rq_total': 1 })
  const { pid, directory } = envoy
  expect(existsSync(directory)).toBe(true)
  await Promise.all([envoy.stop(), envoy.stop()])
  expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  expect(existsSync(directory)).toBe(false)
  expect(envoy.running).toBe(false)
})

test('many at once', async () => {
  const all = await Promise.all([1, 2, 3].map(() => startEnvoy({ bootstrap })))
  expect(new Set(all.map(({ ports }) => ports.web)).size).toBe(3)
  await Promise.all(all.map((one) => one.stop()))
})

test('a port in use is reported in Envoy’s words', async () => {
  envoy = await startEnvoy({ bootstrap })
  const taken = buildBootstrap({ listeners: [{ name: 'web', port: envoy.ports.web, http: { routes } }] })
  // Envoy's listeners share a port among its workers by SO_REUSEPORT, and so would two Envoys.
  Object.assign((taken.static_resources as { listeners: object[] }).listeners[0]!, { enable_reuse_port: false })
  const error = await startEnvoy({ bootstrap: taken }).catch((reason: unknown) => reason)
  expect(error).toBeInstanceOf(HostStartError)
  expect((error as Error).message).toMatch(/cannot bind .*Address already in use/)
})

test('an executable that does not start', async () => {
  const binary = { kind: 'process', path: '/nowhere/envoy', source: 'PATH' } as const
  await expect(startEnvoy({ bootstrap, binary })).rejects.toThrow('/nowhere/envoy could not be started')
})

test('an Envoy that ends is noticed', async () => {
  const host = await createEnvoyHost({})
  process.kill(host.envoy.pid, 'SIGKILL')
  await host.envoy.exited
  await expect(host.request()).rejects.toThrow('Envoy has ended')
  await host.close()
})

test('Docker: the same through `docker run`', async () => {
  const found = await findEnvoy()
  if (found?.kind !== 'process') throw new Error('this test needs an executable Envoy')
  const folder = mkdtempSync(join(tmpdir(), 'meshscript-docker-'))
  // Stands for Docker: notes what it is asked, and runs the image's command on this machine.
  const script = `#!/bin/sh
    echo "$*" >> ${folder}/calls
    [ "$1" = run ] || exit 0
    while [ "$1" != my-image ]; do shift; done
    shift
    exec ${found.path} "$@"`
  writeFileSync(join(folder, 'docker'), script)
  chmodSync(join(folder, 'docker'), 0o755)
  vi.stubEnv('PATH', `${folder}:${process.env.PATH}`)
  vi.stubEnv('MESHSCRIPT_ENVOY_IMAGE', 'my-image')
  const host = await createEnvoyHost({}, 'docker')
  expect(host.name).toBe('docker')
  expect(await host.request()).toMatchObject({ status: 200 })
  const { directory } = host.envoy
  await host.close()
  const [inspect, run, ...rest] = readFileSync(join(folder, 'calls'), 'utf8').trim().split('\n')
  expect(inspect).toBe('image inspect --format {{.Id}} my-image')
  expect(run).toMatch(/^run --rm --name meshscript-\S+ --network host --user \d+:\d+ --volume /)
  expect(run).toContain(
    `--volume ${directory}:${directory} --log-driver none --entrypoint envoy my-image --config-path`,
  )
  // Envoy ended in order, and Docker removed the container itself.
  expect(rest).toEqual([])
  rmSync(folder, { recursive: true })
})

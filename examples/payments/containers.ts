/** What the demos in containers share: their files, their start and their end. */

import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type BootstrapOptions,
  buildBootstrap,
  type Json,
  type ListenerSpec,
  placeModule,
  routeConfig,
  staticFilter,
} from '@meshscript/sdk/testing/envoy/index'
import { Compose } from './compose.ts'
import { here, say } from './demo.ts'

/** Milliseconds in which all must be there. */
const START_TIMEOUT = 60_000
const COMPOSE_FILE = here('../../envoy/docker-compose.yml')
const once = process.argv.includes('--once')

/** A demo in the containers of envoy/docker-compose.yml. */
export interface Demo {
  /** Of `demoFolder`. */
  folder: string
  /** The module that Envoy runs. */
  module: string
  /** The profile of the Compose file, and those of its services that are started; without them all. */
  profile?: string
  services?: readonly string[]
  /** Answers Envoy's configuration, having written what else the containers read. */
  configure(): BootstrapOptions | Promise<BootstrapOptions>
  /** Waits for more than Envoy and the service `payments`. */
  untilStarted?(running: Running): Promise<void>
  /** Shows what there is to see, and answers whether it is as expected. */
  show(running: Running): Promise<boolean>
  /** What else there is to try. */
  suggest(running: Running): string | Promise<string>
}

/** Where the demo is while it runs. */
export interface Running {
  compose: Compose
  /** Of Envoy's first listener. */
  port: number
  /** Of Envoy's admin interface. */
  adminPort: number
}

/** What the containers read is made here. `name`: of the default. */
export const demoFolder = (name: string): string =>
  process.env['MESHSCRIPT_DEMO_FOLDER'] || join(here('../..'), '.cache', name)

/** Writes a file for the user who starts the demo alone: there are keys of a demo in some. */
export const writeFor = ({ folder }: Demo, name: string, text: string): void =>
  writeFileSync(join(folder, name), text, { mode: 0o600 })

/** A listener with the demo's module as only filter, in front of a cluster. */
export function listener(
  demo: Demo,
  { name, port, cluster, configuration }: { name: string; port: number; cluster: string; configuration: object },
): ListenerSpec {
  const module = basename(demo.module)
  const plugin = { wasm: demo.module, configuration }
  const filters = [staticFilter('http', basename(module, '.wasm'), plugin, `/demo/${module}`)]
  return { name, address: '0.0.0.0', port, http: { filters, routes: routeConfig([{ cluster }]) } }
}

/** A cluster of Envoy's: a service of the Compose file. */
export const service = (host: string, port: number, extra?: Json) => ({
  endpoints: [{ host, port }],
  ...(extra && { extra }),
})

/** Runs the demo as the command line says, and ends the program with 0 where all was as expected. */
export async function runDemo(demo: Demo): Promise<void> {
  process.exitCode = await main(demo).catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  })
}

async function main(demo: Demo): Promise<number> {
  const { folder, profile, services = [] } = demo
  await prepare(demo)
  if (process.argv.includes('--prepare')) {
    say(`What the containers read is in ${folder}.`)
    return 0
  }
  const compose = await Compose.find(COMPOSE_FILE, {
    MESHSCRIPT_DEMO_FOLDER: folder,
    MESHSCRIPT_DEMO_USER: `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`,
    ...(profile && { COMPOSE_PROFILES: profile }),
  })
  const interrupted = interruption()
  try {
    const started = performance.now()
    await compose.up(...services)
    const adminPort = await compose.port('envoy', 9901)
    await untilReady(adminPort)
    const running = { compose, port: await compose.port('envoy', 10_000), adminPort }
    await demo.untilStarted?.(running)
    say(`• ${compose.name} has started the demo (${((performance.now() - started) / 1000).toFixed(1)} s)\n`)
    const right = await demo.show(running)
    say(`\n${await demo.suggest(running)}${once ? '' : '\n\nCtrl-C ends it.'}`)
    if (!once) await stayUp(interrupted)
    return right ? 0 : 1
  } catch (error) {
    say(await compose.logs())
    throw error
  } finally {
    await compose.down()
  }
}

/** Writes Envoy's configuration, the module, and what else the demo needs. */
async function prepare(demo: Demo): Promise<void> {
  const { folder, module } = demo
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(join(folder, 'log'), { recursive: true })
  await placeModule(folder, basename(module, '.wasm'), module)
  const bootstrap = buildBootstrap({ admin: { address: '0.0.0.0', port: 9901 }, ...(await demo.configure()) })
  writeFor(demo, 'bootstrap.json', JSON.stringify(bootstrap, null, 1))
}

/** Ctrl-C, or what else ends the demo. */
function interruption(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
}

/** A promise alone would not keep this program running. */
async function stayUp(until: Promise<void>): Promise<void> {
  const timer = setInterval(() => {}, 60_000)
  await until
  clearInterval(timer)
}

/** Waits until `answer` is as it must be; what else it was is told where that takes too long. */
export async function untilAnswers(answer: () => Promise<string>, isRight: RegExp): Promise<void> {
  const end = Date.now() + START_TIMEOUT
  for (;;) {
    const text = await answer().catch((error: Error) => error.message)
    if (isRight.test(text)) return
    if (Date.now() > end) throw new Error(`Envoy does not serve after ${START_TIMEOUT / 1000} s: ${text}`)
    await sleep(50)
  }
}

/** Envoy serves, and has found the service behind it. */
function untilReady(adminPort: number): Promise<void> {
  const healthy = `http://127.0.0.1:${adminPort}/stats?filter=^cluster.payments.membership_healthy$`
  return untilAnswers(async () => (await fetch(healthy)).text(), /: 1$/m)
}

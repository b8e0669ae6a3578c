/** Runs filters in a real Envoy, and tells what happens as events. `meshscript run` is a parser and a printer around this. */

import { rmSync } from 'node:fs'
import { EnvoyLog, type EnvoyProcess, temporaryDirectory } from '@meshscript/sdk/testing/envoy'
import { UserError } from '../errors.ts'
import { Delivery } from './delivery.ts'
import { startEcho } from './echo.ts'
import { chooseEnvoy, LISTENER, startProxy, trafficPath } from './envoy.ts'
import type { Level, Listener, RunEvent } from './events.ts'
import { Filters } from './filters.ts'
import { followLog } from './log.ts'
import { type Page, startPage } from './page/server.ts'
import { checkPort, listenerPort } from './ports.ts'
import { findFilters } from './sources.ts'
import { Traffic } from './traffic.ts'
import { withPositions } from './traps.ts'
import { echoUpstream, parseUpstream } from './upstream.ts'

export interface RunOptions {
  /** Folders, `.ts` and `.wasm` files; none: the project's own filter. */
  paths: readonly string[]
  /** `FILE`, or `NAME=FILE` where there are several filters. */
  configurations: readonly string[]
  /** `HOST:PORT` or a URL; undefined: the embedded echo service. */
  upstream?: string
  /** Undefined: 10000 or the next free one. */
  port?: number
  adminPort?: number
  docker: boolean
  image?: string
  concurrency: number
  logLevel: Level
  rootId?: string
  tcp: boolean
  /** Serves the page, and records headers for it. */
  page: boolean
  watch: boolean
  /** Ends when Envoy serves. */
  once: boolean
  cwd: string
  env: NodeJS.ProcessEnv
  signal?: AbortSignal
}

/** How many of Envoy's last lines tell why it ended. */
const LAST_LINES = 10

/** Resolves when the signal is given. Rejects with a `UserError` where it cannot start, or where Envoy ends by itself. */
export async function runFilters(options: RunOptions, emit: Listener): Promise<void> {
  const { signal, tcp, cwd } = options
  // Ends in the reverse order, whatever has been started.
  const ends: (() => unknown)[] = []
  const stopped = new Promise<void>((resolve) => signal?.addEventListener('abort', () => resolve(), { once: true }))
  let crash: (error: unknown) => void = () => {}
  const crashed = new Promise<never>((_, reject) => (crash = reject))
  crashed.catch(() => {})

  let page: Page | undefined
  let ending = false
  const tell = (event: RunEvent): void => {
    page?.send(event)
    emit(event)
  }

  const start = async (): Promise<EnvoyProcess | undefined> => {
    const sources = findFilters(options.paths, options.configurations, cwd)
    const given = options.upstream === undefined ? undefined : parseUpstream(options.upstream, tcp)
    const port = await listenerPort(options.port)
    if (options.adminPort) await checkPort('--admin-port', options.adminPort)

    const filters = new Filters({ sources, watch: options.watch && !options.once, cwd, emit: tell, onCrash: crash })
    ends.push(() => filters.close())
    const [binary] = await Promise.all([
      chooseEnvoy(options, (message) => emit({ event: 'progress', message })),
      filters.load(),
    ])
    if (signal?.aborted) return undefined

    const echo = given ? undefined : await startEcho(tcp)
    if (echo) ends.push(() => echo.close())
    const upstream = given ?? echoUpstream(echo!.port, tcp)
    const directory = temporaryDirectory()
    ends.push(() => rmSync(directory, { recursive: true, force: true }))

    const names = sources.map(({ name }) => name)
    const delivery = new Delivery({ directory, kind: tcp ? 'network' : 'http', rootId: options.rootId, names })
    await filters.prepare(delivery)
    if (signal?.aborted) return undefined
    const log = new EnvoyLog()
    followLog(log, {
      names,
      rootId: options.rootId,
      onFilter: (event) => {
        delivery.heard(event.level, event.message)
        tell({ ...event, filter: event.filter || delivery.updating })
      },
      onEnvoy: (event) => {
        // While an update is under way they are told with its outcome; at the end nobody asks.
        if (ending || delivery.busy || (event.component === 'config' && event.level === 'warn')) return
        tell({ ...event, message: withPositions(event.message, filters.modules, cwd) })
      },
    })
    delivery.listen()
    const traffic = { path: trafficPath(directory), tcp, filters: names, recorded: options.page && !tcp }
    const { concurrency, logLevel, adminPort } = options
    const parts = { directory, binary, log, filters: delivery.config, upstream, traffic }
    const envoy = await startProxy({ ...parts, port, adminPort, concurrency, logLevel })
    ends.push(() => envoy.stop())
    await delivery.check(envoy)
    delivery.forget()
    const reader = new Traffic(traffic, tell, () => envoy.admin('/reopen_logs', 'POST'))
    ends.push(() => reader.close())

    const bound = envoy.ports[LISTENER]!
    const infos = () => sources.map((_, index) => filters.info(index))
    if (options.page) {
      page = await startPage({ port: bound, tcp, upstream: upstream.label, filters: infos })
      ends.push(() => page!.close())
    }
    await filters.follow(delivery, envoy)
    emit({
      event: 'ready',
      url: `${tcp ? 'tcp' : 'http'}://127.0.0.1:${bound}`,
      admin: `http://127.0.0.1:${envoy.adminPort}`,
      upstream: upstream.label,
      ...(page && { page: page.url }),
      try: tcp ? `nc 127.0.0.1 ${bound}` : `curl -i http://127.0.0.1:${bound}/`,
      filters: infos(),
    })
    return envoy
  }

  const end = async (): Promise<void> => {
    ending = true
    for (let last; (last = ends.pop());) await last()
  }
  const starting = start()
  try {
    const envoy = await Promise.race([starting, crashed, stopped.then(() => undefined)])
    if (!envoy || options.once) return
    await Promise.race([
      stopped,
      crashed,
      envoy.exited.then(({ code, signal }) => endedByItself(envoy, code ?? signal)),
    ])
  } finally {
    await end()
    // It may have been on its way to start more.
    await starting.catch(() => {})
    await end()
    emit({ event: 'stopped' })
  }
}

function endedByItself(envoy: EnvoyProcess, how: number | string | null): never {
  const lines = envoy.log.entries.slice(-LAST_LINES).map(({ message }) => `  ${message}`)
  const said = lines.length ? `; its last words:\n${lines.join('\n')}` : ''
  throw new UserError(`Envoy has ended by itself (${how ?? 'unknown'})${said}`, 'RUN007')
}

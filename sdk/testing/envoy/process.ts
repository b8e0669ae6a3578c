/** One running Envoy. */
import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { HostStartError, type LogLevel } from '../types.ts'
import { admin, type AdminAnswer, listenerPorts, stats } from './admin.ts'
import { temporaryDirectory } from './files.ts'
import { type EnvoyBinary, installEnvoy, versionOf } from './find.ts'
import { guard, type Guard } from './guard.ts'
import type { Json } from './json.ts'
import { EnvoyLog, LOG_FORMAT } from './logs.ts'
import { cleanUp, type EnvoyCommand, envoyCommand, prepareImage } from './runner.ts'
import { waitForWorkers } from './threads.ts'
import { compareVersions } from './versions.ts'

export interface StartOptions {
  /** As `buildBootstrap` makes it, or any other. */
  bootstrap: Json
  /** Default: what `installEnvoy` finds. */
  binary?: EnvoyBinary
  /** A folder from `temporaryDirectory` with files that the bootstrap names; it is removed with this Envoy. Default: a new one. */
  directory?: string
  /** Worker threads. Default 1. */
  workers?: number
  /** Lowest level of filters' log lines. Default `info`. */
  logLevel?: LogLevel
  /** Lowest level of Envoy's own log lines. Default `warn`. */
  envoyLogLevel?: LogLevel
  /** Takes the log; to be given where lines from before the start are wanted. */
  log?: EnvoyLog
  /** More arguments for Envoy. */
  args?: readonly string[]
  /** Milliseconds until it must be ready. Default 20000. */
  startTimeout?: number
}

/** Exit code of Docker's client when it is Docker that fails. */
const DOCKER_FAILED = 125
/** How long Envoy may take to end after SIGTERM. */
const STOP_TIMEOUT = 3000
/** How long a line of the log may be on its way out of a container. */
const LOG_TIMEOUT = 20_000
/** Envoy's count of bytes of access logs that are not in their files yet. */
const UNWRITTEN = 'filesystem.write_total_buffered'

/** Starts Envoy, and resolves when it serves. Rejects with a `HostStartError` that has Envoy's own message when it refuses. */
export async function startEnvoy(options: StartOptions): Promise<EnvoyProcess> {
  const binary = options.binary ?? (await installEnvoy())
  if (binary.kind === 'docker') await prepareImage(binary.image)
  const directory = options.directory ?? temporaryDirectory()
  const envoy = new EnvoyProcess(binary, directory, options, await versionOf(binary))
  try {
    await envoy.ready(options.startTimeout ?? 20_000)
    return envoy
  } catch (error) {
    await envoy.stop()
    throw error
  }
}

export class EnvoyProcess {
  readonly log: EnvoyLog
  readonly directory: string
  /** Settles when the process has ended, for whatever reason. */
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  /** Port of each listener by name. */
  ports: Record<string, number> = {}
  adminPort = 0

  readonly #command: EnvoyCommand
  readonly #child: ChildProcess
  readonly #guard: Guard | undefined
  readonly #adminPath: string
  #stopped: Promise<void> | undefined
  #ended = false
  #marks = 0
  #spawnError: Error | undefined

  constructor(binary: EnvoyBinary, directory: string, options: StartOptions, version: string) {
    this.directory = directory
    this.log = options.log ?? new EnvoyLog()
    this.#adminPath = join(directory, 'admin-address')
    const configPath = join(directory, 'bootstrap.json')
    writeFileSync(configPath, JSON.stringify(options.bootstrap, null, 1))
    this.#command = envoyCommand(
      binary,
      [...envoyArguments(binary, configPath, this.#adminPath, options), ...flushArguments(version)],
      directory,
    )
    this.#child = spawn(this.#command.file, this.#command.args, {
      stdio: ['ignore', 'ignore', 'pipe'],
      // Not in the terminal's group: Ctrl-C is for this program, which then ends Envoy in order.
      detached: true,
    })
    this.exited = new Promise((resolve) => {
      this.#child.once('close', (code, signal) => {
        this.#ended = true
        this.#guard?.release()
        resolve({ code, signal })
      })
      this.#child.once('error', (error) => (this.#spawnError = error))
    })
    this.#child.stderr!.setEncoding('utf8').on('data', (chunk: string) => this.log.push(chunk))
    if (this.#child.pid !== undefined) this.#guard = guard(this.#child.pid, directory, this.#command)
  }

  /** Of Envoy, or with Docker of its client. */
  get pid(): number {
    return this.#child.pid ?? 0
  }

  /** True until it has ended. */
  get running(): boolean {
    return !this.#ended
  }

  /** A request to the admin interface. */
  admin(path: string, method?: 'GET' | 'POST'): Promise<AdminAnswer> {
    return admin(this.adminPort, path, method)
  }

  /** Counters, gauges and text values, by the regular expression `filter`. */
  stats(filter?: string): Promise<Record<string, number | string>> {
    return stats(this.adminPort, filter)
  }

  /** Everything that Envoy is configured with. */
  async configDump(): Promise<Json> {
    return JSON.parse((await this.admin('/config_dump?include_eds')).text) as Json
  }

  /** What Envoy wrote before this call is in `log` when it resolves. */
  async settle(): Promise<void> {
    // Of what happens behind a response.
    await sleep(2)
    if (!this.#command.container || this.#ended || this.adminPort === 0) {
      await turn()
      await turn()
      return
    }
    // A container's output goes through several programs, in order: what came before the answer to this is there with it.
    const path = `/ready?mark=${++this.#marks}`
    const cancel = new AbortController()
    const late = sleep(LOG_TIMEOUT, undefined, { signal: cancel.signal }).catch(() => {})
    const answered = Promise.all([this.log.answered(path), this.admin(path)]).catch(() => {})
    await Promise.race([answered, this.exited, late])
    cancel.abort()
  }

  /** Waits until the workers have handled what had come to them before this call, and `log` has what they wrote of it. */
  async catchUp(): Promise<void> {
    // A connection is one round, what came on it the next, and what that led to another.
    const workers = waitForWorkers(this.adminPort, 3).catch(() => {})
    // Of one that ends nothing more comes.
    await Promise.race([workers, this.exited])
    await this.settle()
  }

  /** Waits until the access logs' files have an entry of each stream that had ended before this call. */
  async writeLogs(): Promise<void> {
    await this.catchUp()
    // A thread of its own writes what the workers hand over.
    for (const end = Date.now() + LOG_TIMEOUT; !this.#ended && Date.now() < end; await sleep(2)) {
      const left = await this.stats(`^${UNWRITTEN.replace('.', '\\.')}$`).catch(() => undefined)
      if (!left?.[UNWRITTEN]) return
    }
  }

  /** Waits until Envoy serves, and learns its ports. */
  async ready(timeout: number): Promise<void> {
    const end = Date.now() + timeout
    while (!(await this.#isReady())) {
      if (this.#ended || this.#spawnError) throw new HostStartError(this.failure())
      if (Date.now() > end) throw new HostStartError(`Envoy is not ready after ${timeout} ms: ${this.failure()}`)
      await sleep(3)
    }
    this.ports = await listenerPorts(this.adminPort)
    // What filters wrote while they started is there when this resolves.
    await this.settle()
  }

  async #isReady(): Promise<boolean> {
    if (this.#ended) return false
    if (this.adminPort === 0) {
      const address = existsSync(this.#adminPath) ? readFileSync(this.#adminPath, 'utf8') : ''
      const port = /:(\d+)$/.exec(address.trim())?.[1]
      if (port === undefined) return false
      this.adminPort = Number(port)
    }
    return this.admin('/ready').then(
      ({ status }) => status === 200,
      () => false,
    )
  }

  /** Why Envoy did not start, in its own words. */
  failure(): string {
    if (this.#spawnError) return `${this.#command.file} could not be started: ${this.#spawnError.message}`
    return failureMessage(this.log)
  }

  /** Ends Envoy and removes its files. Idempotent. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop())
  }

  async #stop(): Promise<void> {
    if (!this.#ended && this.#child.pid !== undefined) {
      this.#child.kill('SIGTERM')
      const force = setTimeout(() => this.#child.kill('SIGKILL'), STOP_TIMEOUT)
      await this.exited
      clearTimeout(force)
    }
    // A client of Docker that ended by itself has seen the container removed.
    if (!(await this.#endedByItself())) await cleanUp(this.#command)
    rmSync(this.directory, { recursive: true, force: true })
  }

  async #endedByItself(): Promise<boolean> {
    if (!this.#ended) return false
    const { code } = await this.exited
    return code !== null && code !== DOCKER_FAILED
  }
}

function envoyArguments(binary: EnvoyBinary, configPath: string, adminPath: string, options: StartOptions): string[] {
  const { workers = 1, logLevel = 'info', envoyLogLevel = 'warn', args = [] } = options
  const name = (level: LogLevel) => (level === 'warn' ? 'warning' : level)
  return [
    ['--config-path', configPath],
    ['--admin-address-path', adminPath],
    // No shared memory, no sockets: any number of Envoys run side by side.
    ['--disable-hot-restart'],
    ['--concurrency', String(workers)],
    ['--log-level', name(envoyLogLevel)],
    ['--component-log-level', `wasm:${name(logLevel)}${binary.kind === 'docker' ? ',admin:debug' : ''}`],
    ['--log-format', LOG_FORMAT],
    ['--log-format-escaped'],
    args,
  ].flat()
}

/** The access log is written at once, not when 64 KB are full; by an Envoy that cannot, very often. */
function flushArguments(version: string): string[] {
  const can = compareVersions(version, '1.37') >= 0
  return can ? ['--file-flush-min-size-kb', '0'] : ['--file-flush-interval-msec', '5']
}

/** Says that there is a failure, after the lines that say which. */
const SUMMARY = /^Plugin .* failed to load$/

/**
 * The reason among the log: what Envoy prints when it gives up, and before that what its Wasm host said, which knows
 * more (`missing import: env.x`) than the summary (`Unable to create Wasm plugin`).
 */
export function failureMessage(log: EnvoyLog, mark = 0): string {
  const relevant = log.since(mark)
  const wasm = relevant.filter(({ logger, message }) => logger === 'wasm' && !SUMMARY.test(message))
  const refused = relevant.findLast(({ message }) => message.startsWith('Filesystem config update rejected: '))
  const final = refused
    ? refused.message.slice('Filesystem config update rejected: '.length)
    : (relevant.findLast(({ logger }) => logger === 'stderr') ?? relevant.at(-1))?.message
  const reasons = [
    final ?? 'Envoy ended without a message',
    ...wasm.map(({ message }) => message.replace(/^Wasm VM failed /, '')),
  ]
  // Protobuf puts in spaces at random, so that nobody relies on its messages.
  return [...new Set(reasons)].join('; ').replace(/ {2,}/g, ' ')
}

/** The filters that run: their modules and configurations, as they are on disk now, and given to Envoy when they change. */

import { readFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { EnvoyProcess } from '@meshscript/sdk/testing/envoy'
import { watch } from 'chokidar'
import { BackgroundCompiler } from '../build/background.ts'
import type { BuildResult } from '../build/index.ts'
import { watchFilter } from '../build/watch.ts'
import { diagnosticToJson, displayPath } from '../diagnostics.ts'
import { UserError } from '../errors.ts'
import type { Delivery } from './delivery.ts'
import type { FilterInfo, Listener, ReloadEvent } from './events.ts'
import type { FilterSource } from './sources.ts'
import type { TrapModule } from './traps.ts'

export interface FiltersOptions {
  sources: readonly FilterSource[]
  alias?: Record<string, string>
  watch: boolean
  cwd: string
  emit: Listener
  /** A failure that no one could be told of. */
  onCrash: (error: unknown) => void
}

interface Running {
  source: FilterSource
  /** As they are on disk. */
  module: Uint8Array
  configuration: string | undefined
  sourceMap: string | undefined
  failure?: string
}

/** What writes in several steps has ended by then. */
const SETTLED = 50

export class Filters {
  readonly #options: FiltersOptions
  readonly #running: Running[] = []
  readonly #stop = new AbortController()
  readonly #compiler = new BackgroundCompiler()
  readonly #watching: Promise<void>[] = []
  #deliver: { delivery: Delivery; envoy: EnvoyProcess } | undefined
  #watcher: ReturnType<typeof watch> | undefined

  constructor(options: FiltersOptions) {
    this.#options = options
  }

  get modules(): TrapModule[] {
    return this.#running.map(({ module, sourceMap }) => ({ bytes: module, sourceMap }))
  }

  /** Reads and builds all. Rejects with a `UserError` for the first that is wrong. */
  async load(): Promise<void> {
    for (const [index, source] of this.#options.sources.entries()) {
      const configuration = readConfiguration(source, this.#options.cwd)
      if (source.kind === 'module') {
        this.#running[index] = {
          source,
          configuration,
          module: readFileSync(source.path),
          sourceMap: `${source.path}.map`,
        }
        continue
      }
      const { bytes, sourceMap } = await this.#build(index, source)
      this.#running[index] = { source, configuration, module: bytes, sourceMap }
    }
  }

  async prepare(delivery: Delivery): Promise<void> {
    for (const [index, version] of this.#running.entries()) await delivery.prepare(index, version)
  }

  /** From now on changes go to Envoy; resolves when they are seen. */
  async follow(delivery: Delivery, envoy: EnvoyProcess): Promise<void> {
    this.#deliver = { delivery, envoy }
    if (!this.#options.watch) return
    const files = new Map<string, () => void>()
    for (const [index, { source }] of this.#running.entries()) {
      const { configuration, kind, path } = source
      if (configuration !== undefined) {
        const others = files.get(configuration)
        files.set(configuration, () => (others?.(), this.#configurationChanged(index)))
      }
      if (kind === 'module') files.set(path, () => this.#moduleChanged(index, () => readFileSync(path)))
    }
    // Their folders, because who watches a file loses it when it is replaced.
    this.#watcher = watch([...new Set([...files.keys()].map((file) => dirname(file)))], {
      ignoreInitial: true,
      depth: 0,
      ignored: (path, stats) => stats?.isFile() === true && !files.has(path),
    })
    const pending = new Map<string, NodeJS.Timeout>()
    // A file that is gone comes back, or else the old contents hold.
    for (const event of ['add', 'change'] as const) {
      this.#watcher.on(event, (file) => {
        clearTimeout(pending.get(file))
        pending.set(
          file,
          setTimeout(() => files.get(file)?.(), SETTLED),
        )
      })
    }
    if (files.size) await new Promise<void>((resolve) => this.#watcher!.once('ready', resolve))
    // What has changed since they were read.
    for (const changed of files.values()) changed()
  }

  info(index: number): FilterInfo {
    const { source, module, configuration, failure } = this.#running[index]!
    return {
      name: source.name,
      path: source.shown,
      size: module.length,
      ...(source.configuration !== undefined && {
        configuration: displayPath(source.configuration, this.#options.cwd),
        configurationText: configuration,
      }),
      generation: this.#deliver?.delivery.generation(index) ?? 0,
      ...(failure !== undefined && { failure }),
    }
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await Promise.all([this.#watcher?.close(), this.#compiler.close(), ...this.#watching])
  }

  /** The first build; in watch mode later ones go to Envoy by themselves. */
  #build(index: number, source: FilterSource): Promise<BuildResult> {
    const { alias } = this.#options
    const options = { path: source.path, alias }
    if (!this.#options.watch) return this.#compiler.build(options)
    return new Promise((resolve, reject) => {
      let first = true
      const watching = watchFilter({
        ...options,
        compiler: this.#compiler,
        signal: this.#stop.signal,
        onBuild: (result) => {
          if (!first) return this.#moduleChanged(index, () => result.bytes, result.sourceMap)
          first = false
          resolve(result)
        },
        onError: (error) => {
          if (first) return reject(error)
          this.#buildFailed(index, error)
        },
      })
      this.#watching.push(
        watching.catch((error: unknown) => (first ? reject(error as Error) : this.#options.onCrash(error))),
      )
    })
  }

  #buildFailed(index: number, { code, message, diagnostics }: UserError): void {
    const running = this.#running[index]!
    running.failure = message
    this.#options.emit({
      event: 'build-failed',
      time: Date.now(),
      filter: running.source.name,
      code,
      message,
      diagnostics: diagnostics.map((diagnostic) => diagnosticToJson(diagnostic, this.#options.cwd)),
      info: this.info(index),
    })
  }

  #moduleChanged(index: number, read: () => Uint8Array, sourceMap?: string): void {
    const running = this.#running[index]!
    this.#change(index, 'module', () => {
      const module = read()
      // Mended without a change, e.g. a mistake that was taken back.
      if (Buffer.compare(module, running.module) === 0 && running.failure === undefined) return false
      running.module = module
      running.sourceMap = sourceMap ?? running.sourceMap
      return true
    })
  }

  #configurationChanged(index: number): void {
    const running = this.#running[index]!
    this.#change(index, 'configuration', () => {
      const configuration = readConfiguration(running.source, this.#options.cwd)
      if (configuration === running.configuration && running.failure === undefined) return false
      running.configuration = configuration
      return true
    })
  }

  #change(index: number, cause: ReloadEvent['cause'], apply: () => boolean): void {
    const start = performance.now()
    const running = this.#running[index]!
    const tell = (failure?: { code?: string; message: string }): void => {
      running.failure = failure?.message
      const milliseconds = performance.now() - start
      const { name } = running.source
      const info = this.info(index)
      const time = Date.now()
      this.#options.emit({ event: 'reload', time, filter: name, cause, ok: !failure, milliseconds, ...failure, info })
    }
    const fail = (error: unknown): void => {
      if (this.#stop.signal.aborted) return
      if (error instanceof UserError) tell({ code: error.code, message: error.message })
      // Envoy's end is told by itself.
      else if (this.#deliver?.envoy.running !== false) this.#options.onCrash(error)
    }
    try {
      if (!apply() || !this.#deliver) return
      const { delivery, envoy } = this.#deliver
      const { module, configuration } = running
      delivery.update(envoy, index, { module, configuration }).then(() => tell(), fail)
    } catch (error) {
      fail(error)
    }
  }
}

function readConfiguration({ configuration }: FilterSource, cwd: string): string | undefined {
  if (configuration === undefined) return undefined
  try {
    return readFileSync(configuration, 'utf8')
  } catch (error) {
    const reason =
      (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'there is no such file' : (error as Error).message
    throw new UserError(`configuration ${displayPath(configuration, cwd)}: ${reason}`, 'RUN003')
  }
}

/**
 * Gives Envoy filters and their configurations while it runs.
 *
 * Each filter is a resource in a file that Envoy watches (ECDS). A request that is under way keeps the filter that it began with,
 * the next one has the new filter; no listener is drained. What Envoy refuses changes nothing: the old filter goes on. Each
 * module has a file name of its own, by its bytes, so that Envoy never sees one half written or mistaken for another.
 */

import { createHash } from 'node:crypto'
import { rmSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  discoveredFilter,
  type EnvoyProcess,
  failureMessage,
  type Json,
  placeModule,
  wasmFilter,
  writeFilterResource,
} from '@meshscript/sdk/testing/envoy'
import { UserError } from '../errors.ts'

export interface Version {
  module: Uint8Array
  configuration: string | undefined
}

interface Entry {
  name: string
  /** What Envoy runs. */
  module?: string
  generation: number
}

export interface DeliveryOptions {
  directory: string
  kind: 'http' | 'network'
  rootId: string | undefined
  names: readonly string[]
}

const UPDATE_TIMEOUT = 20_000

export class Delivery {
  readonly #options: DeliveryOptions
  readonly #filters: Entry[]
  #versions = 0
  #last: Promise<unknown> = Promise.resolve()
  /** The filter that is being updated. */
  #updating = ''
  /** Lines of filters that say why they refuse, while an update is under way. */
  #complaints: string[] | undefined

  constructor(options: DeliveryOptions) {
    this.#options = options
    this.#filters = options.names.map((name) => ({ name, generation: 0 }))
  }

  /** An update is under way: what Envoy's log says now is about it. */
  get busy(): boolean {
    return this.#complaints !== undefined
  }

  /** Whose log lines those without a name are, as far as that is known. */
  get updating(): string {
    return this.#updating
  }

  /** The filters for a listener. */
  get config(): Json[] {
    const { kind, directory } = this.#options
    return this.#filters.map((_, index) => discoveredFilter(kind, resource(index), directory))
  }

  /** Writes the version that Envoy starts with. */
  async prepare(index: number, version: Version): Promise<void> {
    this.#filters[index]!.module = await this.#write(index, version)
  }

  /** Rejects when Envoy refused a filter at its start. */
  async check(envoy: EnvoyProcess): Promise<void> {
    for (const [index, filter] of this.#filters.entries()) {
      const { rejected } = await counters(envoy, index)
      if (rejected > 0) throw refusal(filter.name, envoy, 0, this.#complaints ?? [])
      filter.generation = 1
    }
  }

  /** Notes what filters say until `forget`. */
  listen(): void {
    this.#complaints = []
  }

  forget(): void {
    this.#complaints = undefined
  }

  /** A filter has logged. */
  heard(level: string, message: string): void {
    if (level === 'warn' || level === 'error' || level === 'critical') this.#complaints?.push(message)
  }

  /** How often Envoy took a version of the filter. */
  generation(index: number): number {
    return this.#filters[index]!.generation
  }

  /** Resolves when Envoy has the version; rejects with a `UserError` when it refuses. One at a time. */
  update(envoy: EnvoyProcess, index: number, version: Version): Promise<void> {
    const update = this.#last.then(() => this.#update(envoy, index, version))
    this.#last = update.catch(() => {})
    return update
  }

  async #update(envoy: EnvoyProcess, index: number, version: Version): Promise<void> {
    const filter = this.#filters[index]!
    const mark = envoy.log.mark()
    const before = await counters(envoy, index)
    this.listen()
    this.#updating = filter.name
    let path = ''
    try {
      path = await this.#write(index, version)
      await this.#answer(envoy, index, before, mark)
    } catch (error) {
      if (path && path !== filter.module) rmSync(path, { force: true })
      throw error
    } finally {
      this.forget()
      this.#updating = ''
    }
    // Envoy has read it, and reads it never again.
    if (filter.module !== undefined && filter.module !== path) rmSync(filter.module, { force: true })
    filter.module = path
    filter.generation++
  }

  async #answer(envoy: EnvoyProcess, index: number, before: Counters, mark: number): Promise<void> {
    const end = Date.now() + UPDATE_TIMEOUT
    for (;;) {
      const { accepted, rejected } = await counters(envoy, index)
      if (accepted > before.accepted) return
      if (rejected > before.rejected) {
        // The reason is in the log, which comes another way than the counter.
        await sleep(10)
        throw refusal(this.#filters[index]!.name, envoy, mark, this.#complaints ?? [])
      }
      if (Date.now() > end) {
        throw new UserError(`Envoy did not answer within ${UPDATE_TIMEOUT / 1000} s`, 'RUN004')
      }
      await sleep(5)
    }
  }

  async #write(index: number, { module, configuration }: Version): Promise<string> {
    const { directory, kind, rootId } = this.#options
    const { name } = this.#filters[index]!
    const hash = createHash('sha256').update(module).digest('hex').slice(0, 16)
    const path = await placeModule(directory, `module-${index}-${hash}`, module)
    // As `meshscript deploy` asks for it: a trap costs one request, and not all until the next change.
    const filter = wasmFilter(kind, { wasm: path, name, rootId, configuration, failurePolicy: 'FAIL_RELOAD' }, path)
    await writeFilterResource(directory, resource(index), String(++this.#versions), filter)
    return path
  }
}

/** Filters' names may be any text; this one is part of a file's name and of a counter's. */
const resource = (index: number) => `filter-${index}`

interface Counters {
  accepted: number
  rejected: number
}

async function counters(envoy: EnvoyProcess, index: number): Promise<Counters> {
  const stats = await envoy.stats(`^extension_config_discovery\\..*\\.${resource(index)}\\.update_(success|rejected)$`)
  const value = (end: string) => Number(Object.entries(stats).find(([name]) => name.endsWith(end))?.[1] ?? 0)
  return { accepted: value('update_success'), rejected: value('update_rejected') }
}

/** The filter's own words first: Envoy's are mostly that it refused. */
function refusal(name: string, envoy: EnvoyProcess, mark: number, complaints: readonly string[]): UserError {
  const reasons = [...new Set(complaints), failureMessage(envoy.log, mark)]
  return new UserError(`Envoy refused ${name}: ${reasons.join('; ')}`, 'RUN004')
}

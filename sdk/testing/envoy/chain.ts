/** The Wasm filters of one host: their files, and their configuration while Envoy runs. */
import { setTimeout as sleep } from 'node:timers/promises'
import type { PluginOptions } from '../types.ts'
import {
  discoveredFilter,
  type FilterKind,
  placeModule,
  pluginName,
  wasmFilter,
  writeFilterResource,
} from './filters.ts'
import type { Json } from './json.ts'
import type { WasmLogEntry } from './logs.ts'
import { type EnvoyProcess, failureMessage } from './process.ts'

interface ChainFilter {
  /** Unique in the chain; the plugin's own name need not be. */
  name: string
  plugin: PluginOptions
  module: string
}

const UPDATE_TIMEOUT = 30_000
const DISCOVERY = '^extension_config_discovery\\.'

export class FilterChain {
  readonly #directory: string
  readonly #kind: FilterKind
  readonly #filters: ChainFilter[]
  #version = 0
  #update: Promise<unknown> = Promise.resolve()

  private constructor(directory: string, kind: FilterKind, filters: ChainFilter[]) {
    this.#directory = directory
    this.#kind = kind
    this.#filters = filters
  }

  /** Writes modules and configurations to `directory`. */
  static async create(directory: string, kind: FilterKind, plugins: readonly PluginOptions[]): Promise<FilterChain> {
    const filters: ChainFilter[] = []
    for (const [index, plugin] of plugins.entries()) {
      const name = `filter-${index}`
      filters.push({ name, plugin, module: await placeModule(directory, name, plugin.wasm) })
    }
    const chain = new FilterChain(directory, kind, filters)
    for (const filter of filters) await chain.#write(filter)
    return chain
  }

  /** The filters for a listener. */
  get config(): Json[] {
    return this.#filters.map(({ name }) => discoveredFilter(this.#kind, name, this.#directory))
  }

  /** Number of filters that Envoy refused so far. */
  async refused(envoy: EnvoyProcess): Promise<number> {
    const counters = Object.values(await envoy.stats(`${DISCOVERY}.*\\.update_rejected$`))
    return counters.reduce<number>((total, value) => total + Number(value), 0)
  }

  /** Gives a filter another configuration, and waits until Envoy's main thread took or refused it. One update at a time. */
  reconfigure(envoy: EnvoyProcess, configuration: unknown, index: number): Promise<void> {
    const update = this.#update.then(() => this.#reconfigure(envoy, configuration, index))
    this.#update = update.catch(() => {})
    return update
  }

  async #reconfigure(envoy: EnvoyProcess, configuration: unknown, index: number): Promise<void> {
    const filter = this.#filters[index]
    if (!filter) throw new Error(`the chain has no filter ${index}`)
    const mark = envoy.log.mark()
    const before = await this.#counters(envoy, filter)
    const changed = { ...filter, plugin: { ...filter.plugin, configuration } }
    await this.#write(changed)
    const end = Date.now() + UPDATE_TIMEOUT
    for (;;) {
      const { accepted, rejected } = await this.#counters(envoy, filter)
      if (accepted > before.accepted) break
      if (rejected > before.rejected) {
        // The reason is in the log, which comes another way than the counter.
        await envoy.settle()
        throw new Error(failureMessage(envoy.log, mark))
      }
      if (Date.now() > end) throw new Error(`Envoy did not take the configuration within ${UPDATE_TIMEOUT} ms`)
      await sleep(3)
    }
    this.#filters[index] = changed
  }

  async #counters(envoy: EnvoyProcess, { name }: ChainFilter): Promise<{ accepted: number; rejected: number }> {
    const counters = Object.entries(await envoy.stats(`${DISCOVERY}.*\\.${name}\\.update_(success|rejected)$`))
    const value = (end: string) => Number(counters.find(([key]) => key.endsWith(end))?.[1] ?? 0)
    return { accepted: value('update_success'), rejected: value('update_rejected') }
  }

  #write({ name, plugin, module }: ChainFilter): Promise<void> {
    const filter = wasmFilter(this.#kind, plugin, module)
    return writeFilterResource(this.#directory, name, String(++this.#version), filter)
  }

  /**
   * Whose log line it is. Envoy names the plugin for lines of a stream; root contexts' lines have root id and VM id only, which
   * tell if they are unique in the chain.
   */
  pluginOf({ prefix }: WasmLogEntry): string {
    const plugins = this.#filters.map(({ plugin }) => plugin)
    const named = plugins.find((plugin) => logPrefix(pluginName(plugin), plugin.rootId, plugin.vmId) === prefix)
    if (named) return pluginName(named)
    const roots = plugins.filter((plugin) => logPrefix(plugin.rootId, plugin.vmId) === prefix).map(pluginName)
    return new Set(roots).size === 1 ? roots[0]! : ''
  }
}

const logPrefix = (...parts: (string | undefined)[]) => parts.map((part) => (part ? ` ${part}` : '')).join('')

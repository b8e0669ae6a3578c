/** What a proxy really runs in a plugin's place, by its admin interface. */

import { sameJson } from '../apply.ts'
import { error, type Finding, ok } from './finding.ts'
import type { Plugin } from './plugin.ts'

/** An answer of the admin interface; rejects with the reason where there is none. */
export type Admin = (path: string) => Promise<string>

export const FILTERS_PATH = 'config_dump?resource=ecds_filters'
export const STATS_PATH = 'stats?format=json&filter=extension_config_discovery|wasm'

interface EcdsFilter {
  ecds_filter?: {
    name?: string
    typed_config?: {
      '@type'?: string
      rules?: unknown
      rules_stat_prefix?: string
      stat_prefix?: string
      config?: {
        configuration?: { value?: string }
        vm_config?: { code?: { local?: { filename?: string } } }
      }
    }
  }
  last_updated?: string
  error_state?: { details?: string; last_update_attempt?: string; failed_configuration?: { name?: string } }
}

export type ProxyState = 'running' | 'denies' | 'allows' | 'refused' | 'outdated' | 'absent'

export interface ProxyReport {
  state: ProxyState
  /** Of what runs. */
  digest?: string
  /** Counters of the filter that are not zero. */
  stats: Record<string, number>
  finding: Finding
}

/** The filters in either form of the dump: the whole one, or that of the resource alone. */
export function ecdsFilters(dump: string): EcdsFilter[] {
  const { configs = [] } = JSON.parse(dump) as { configs?: (EcdsFilter & { ecds_filters?: EcdsFilter[] })[] }
  return configs.flatMap((config) => config.ecds_filters ?? (config.ecds_filter || config.error_state ? [config] : []))
}

/** What newer versions of Istio add to the name of a WasmPlugin that they turn into a TrafficExtension. */
const TRANSLATED = '~istio-translated-wasmplugin'

/** Istio's names: `extensions.istio.io/KIND/NAMESPACE.NAME`. */
export function isNameOf(name: string, { kind, namespace, name: plugin }: Plugin): boolean {
  const [, type, rest] = /^extensions\.istio\.io\/(wasmplugin|trafficextension)\/(.*)$/.exec(name) ?? []
  if (type === undefined) return false
  const wanted = `${namespace}.${plugin}`
  if (kind === 'TrafficExtension') return type === 'trafficextension' && rest === wanted
  return type === 'wasmplugin' ? rest === wanted : rest === `${wanted}${TRANSLATED}`
}

/** Asks a proxy. `subject` names it; `image` tells what is known of the image and the module. */
export async function inspectProxy(
  subject: string,
  admin: Admin,
  plugin: Plugin,
  image: readonly Finding[],
): Promise<ProxyReport> {
  const filters = ecdsFilters(await dumpOf(admin))
  const filter = filters.find(({ ecds_filter, error_state }) =>
    isNameOf(ecds_filter?.name ?? error_state?.failed_configuration?.name ?? '', plugin),
  )
  const stats = countersOf(await admin(STATS_PATH).catch(() => ''), plugin)
  return { ...judge(subject, filter, plugin, stats, image), stats }
}

async function dumpOf(admin: Admin): Promise<string> {
  const text = await admin(FILTERS_PATH)
  // Envoy says it so where no filter came by ECDS at all.
  return text.trimStart().startsWith('{') ? text : '{}'
}

function judge(
  subject: string,
  filter: EcdsFilter | undefined,
  plugin: Plugin,
  stats: Record<string, number>,
  image: readonly Finding[],
): Omit<ProxyReport, 'stats'> {
  const { spec, digest } = plugin
  const wrong = image.find(({ level }) => level === 'error')
  const because = (cause: Finding | undefined) =>
    cause ? `\nlikely because of what is said of the ${cause.subject} above` : ''
  if (!filter) {
    const message = 'istiod has not sent this filter to the proxy'
    const hint = 'compare selector, targetRefs, match and namespace with the workload; see meshscript validate'
    return { state: 'absent', finding: error(subject, message, hint) }
  }
  const config = filter.ecds_filter?.typed_config
  const running = /\.wasm\.v3\.Wasm$/.test(config?.['@type'] ?? '')
  if (/\.rbac\.v3\.RBAC$/.test(config?.['@type'] ?? '')) {
    const allows = config!.rules === undefined
    const effect = allows
      ? 'lets every request pass, unfiltered'
      : 'answers every request with "RBAC: access denied" (403)'
    // What this machine can't read, the agent mostly can't either.
    const cause = wrong ?? image.find(({ level }) => level === 'warning')
    const message = `the agent could not fetch the module, and put a filter in its place that ${effect}${because(cause)}`
    return { state: allows ? 'allows' : 'denies', finding: error(subject, message, cause?.hint ?? FETCH_HINT) }
  }
  if (!running) {
    const type = config?.['@type'] ?? 'nothing'
    return { state: 'outdated', finding: error(subject, `something else runs in its place: ${type}`) }
  }
  const refused = (why: string, hint = REFUSED_HINT) => {
    const message = `Envoy was sent the filter, but refuses it, and keeps to what it had before, if anything${why}`
    return { state: 'refused' as const, finding: error(subject, message, hint) }
  }
  const details = filter.error_state?.details
  if (details !== undefined) return refused(`: ${details}${because(wrong)}`, wrong?.hint)
  if (isRefused(filter, stats)) return refused(because(wrong), wrong?.hint)
  const runs = digestIn(config!.config?.vm_config?.code?.local?.filename)
  if (runs !== undefined && digest !== undefined && runs !== digest) {
    const message = `it still runs another image, ${runs}${because(wrong)}`
    return { state: 'outdated', digest: runs, finding: error(subject, message, PUSH_HINT) }
  }
  if (!sameConfiguration(config!.config?.configuration?.value, spec.pluginConfig)) {
    const message = `it runs the image, but still with another configuration${because(wrong)}`
    return { state: 'outdated', digest: runs, finding: error(subject, message, PUSH_HINT) }
  }
  // Proxies of Istio do not count refusals, unless they are told to. What the Node host refuses, Envoy refuses, too.
  if (wrong?.subject === 'module') return refused(because(wrong), wrong.hint)
  return { state: 'running', digest: runs, finding: ok(subject, 'runs this image with this configuration') }
}

const FETCH_HINT =
  "a private registry needs --image-pull-secret, one without TLS the agent's WASM_INSECURE_REGISTRIES, and " +
  '/var/lib/istio/data must be writable; the log of istio-proxy tells more (grep wasm)'
const REFUSED_HINT = "the proxy's log says why; mend it and deploy again, or meshscript deploy --rollback"
const PUSH_HINT = 'wait a few seconds and ask again; if it stays, see the log of istiod'

/** The agent names the file by the digest that it checked: for an image that of the manifest. */
function digestIn(filename: string | undefined): string | undefined {
  const hex = /(?:^|[\\/])([0-9a-f]{64})\.wasm$/.exec(filename ?? '')?.[1]
  return hex && `sha256:${hex}`
}

function sameConfiguration(text: string | undefined, wanted: Record<string, unknown> = {}): boolean {
  if (!text) return Object.keys(wanted).length === 0
  try {
    return sameJson(JSON.parse(text), wanted)
  } catch {
    return false
  }
}

/** The dump shows what Envoy was sent, even if it took none of it. But its counters know when it last took something. */
function isRefused({ last_updated = '' }: EcdsFilter, stats: Record<string, number>): boolean {
  return (stats['update_rejected'] ?? 0) > 0 && (stats['update_time'] ?? 0) < Date.parse(last_updated)
}

const COUNTERS = /\.(config_fail|config_conflict|update_rejected|update_time|vm_reload_\w+)$/

/** Counters of this filter that are not zero, by their last names; and how many requests were denied in its place. */
function countersOf(text: string, plugin: Plugin): Record<string, number> {
  let all: { name?: string; value?: unknown }[]
  try {
    all = (JSON.parse(text) as { stats?: typeof all }).stats ?? []
  } catch {
    return {}
  }
  const counters: Record<string, number> = {}
  for (const { name = '', value } of all) {
    if (typeof value !== 'number' || value === 0) continue
    const [, counter] = COUNTERS.exec(name) ?? []
    if (counter !== undefined && isCounterOf(name, plugin)) counters[counter] = value
    if (/wasm-default-deny\.denied$/.test(name)) counters['denied'] = (counters['denied'] ?? 0) + value
  }
  return counters
}

/** ECDS counts under the name of the resource, the filter itself under `NAMESPACE.NAME`. */
function isCounterOf(name: string, plugin: Plugin): boolean {
  const [, resource] = /(extensions\.istio\.io\/.*)\.\w+$/.exec(name) ?? []
  if (resource !== undefined) return isNameOf(resource, plugin)
  const own = `wasm.${plugin.namespace}.${plugin.name}`
  return name.startsWith(`${own}.`) || (plugin.kind === 'WasmPlugin' && name.startsWith(`${own}${TRANSLATED}.`))
}

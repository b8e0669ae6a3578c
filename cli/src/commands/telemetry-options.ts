/** Options of `meshscript compile --filter telemetry`. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import { bootstrapFor } from '../compile/telemetry/bootstrap.ts'
import { compileTelemetry, type TelemetryOptions } from '../compile/telemetry/index.ts'
import { type Part, PARTS } from '../compile/telemetry/merge.ts'
import type { FlowsConfig } from '../compile/telemetry/model.ts'
import { receiverClusters } from '../compile/telemetry/receivers.ts'
import { toYaml } from '../deploy/resources.ts'
import { UsageError } from '../errors.ts'
import { defaultMeshConfig } from '../resources/mesh-config.ts'
import type { Source } from '../resources/source.ts'
import type { TargetFlags } from './target-options.ts'

export interface TelemetryFlags {
  bootstrap?: boolean
  parts?: Part[]
  flows?: FlowsConfig
}

export function addTelemetryOptions(command: Command): Command {
  return command
    .option(
      '--bootstrap',
      "print the part of Envoy's bootstrap that the metrics' labels need, with --target envoy also the receivers' clusters (telemetry)",
    )
    .option(
      '--parts <LIST>',
      `what of the resources to compile: ${PARTS.join(',')} (telemetry; default: all)`,
      parseParts,
    )
    .addOption(
      new Option(
        '--flows <WHERE>',
        'record each request, as Hubble does: log, or cluster=NAME[,authority=HOST][,path=PATH] of a receiver (telemetry)',
      ).argParser(parseFlows),
    )
}

/** Refuses them for other filters. */
export function checkTelemetryFlags(flags: TelemetryFlags & TargetFlags & { filter: string }): void {
  const { filter, target, bootstrap, listen, modules } = flags
  for (const name of ['bootstrap', 'parts', 'flows'] as const) {
    if (flags[name] !== undefined && filter !== 'telemetry')
      throw new UsageError(`option '--${name}' is for --filter telemetry only`)
  }
  if (filter !== 'telemetry' || target === undefined) return
  if (target !== 'envoy' || !bootstrap)
    throw new UsageError('of --filter telemetry only --bootstrap has a target: --bootstrap --target envoy')
  if (listen !== undefined || modules !== undefined)
    throw new UsageError(`option '--${listen ? 'listen' : 'modules'}' is for --filter routing only`)
}

/** What is printed: a configuration, or a part of the bootstrap. Undefined where there are errors. */
export function compiledTelemetry(
  sources: readonly Source[],
  options: TelemetryOptions,
  flags: TelemetryFlags & TargetFlags,
): string | undefined {
  const { parts, flows, target, endpoint: endpoints = new Map(), certificates } = flags
  const compiled = compileTelemetry(sources, { ...options, ...(parts && { parts }), ...(flows && { flows }) })
  const { configuration, resources, diagnostics } = compiled
  if (!configuration) return undefined
  if (!flags.bootstrap) return `${JSON.stringify(configuration, null, 2)}\n`
  const bootstrap = bootstrapFor(configuration)
  if (target !== 'envoy') return toYaml(bootstrap)
  const clusters = receiverClusters(configuration, {
    namespace: options.workload.namespace,
    resources,
    diagnostics,
    endpoints,
    trustDomain: (options.mesh ?? defaultMeshConfig).trustDomain,
    ...(certificates !== undefined && { certificates }),
  })
  if (diagnostics.hasErrors) return undefined
  return toYaml({ ...bootstrap, ...(clusters.length && { static_resources: { clusters } }) })
}

function parseParts(text: string): Part[] {
  const names = text.split(',')
  const wrong = names.find((name) => !PARTS.includes(name as Part))
  if (wrong !== undefined) throw new InvalidArgumentError(`"${wrong}" is none of ${PARTS.join(', ')}.`)
  return names as Part[]
}

function parseFlows(text: string): FlowsConfig {
  const config: FlowsConfig = {}
  const target: Record<string, string> = {}
  for (const item of text.split(',')) {
    const [, name, value = ''] = /^(cluster|authority|path)=(.+)$/.exec(item) ?? []
    if (item === 'log') config.log = true
    else if (name !== undefined) target[name] = value
    else
      throw new InvalidArgumentError(`expected log or cluster=NAME, with authority=HOST and path=PATH; not "${item}".`)
  }
  const { cluster, authority, path } = target
  if (cluster === undefined && Object.keys(target).length)
    throw new InvalidArgumentError('expected cluster=NAME beside authority and path.')
  if (path !== undefined && !path.startsWith('/')) throw new InvalidArgumentError('expected a path that begins with /.')
  if (cluster === undefined) return config
  const exporter = { cluster, ...(authority !== undefined && { authority }), ...(path !== undefined && { path }) }
  return { exporter, ...config }
}

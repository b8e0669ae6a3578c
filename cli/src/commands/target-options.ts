/** Options that say for what `meshscript compile` writes: a filter alone, an Envoy, a mesh. */
import { InvalidArgumentError, Option, type Command } from 'commander'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { staticEnvoy } from '../compile/target/envoy.ts'
import type { Endpoint } from '../compile/target/endpoints.ts'
import { istioResources } from '../compile/target/istio.ts'
import { compileFaults } from '../compile/traffic/fault.ts'
import type { CompiledTraffic, TrafficOptions } from '../compile/traffic/index.ts'
import type { RoutingConfig } from '../compile/traffic/model.ts'
import { UsageError } from '../errors.ts'
import { parseReference } from '../oci/reference.ts'
import { Diagnostics } from '../resources/diagnostics.ts'
import type { Source } from '../resources/source.ts'

export interface TargetFlags {
  target?: 'envoy' | 'istio'
  listen?: { address: string; port: number }
  modules?: string
  endpoint?: Map<string, Endpoint[]>
  certificates?: string
  image?: string
}

export function addTargetOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--target <NAME>',
        'print a whole configuration around the routing filter: of a standalone Envoy, with the faults too, or for Istio',
      ).choices(['envoy', 'istio']),
    )
    .option('--listen <HOST:PORT>', 'where Envoy listens (--target envoy; default: 127.0.0.1:10000)', parseAddress)
    .option('--modules <FOLDER>', 'where Envoy finds routing.wasm and fault.wasm (--target envoy; default: here)')
    .option(
      '--endpoint <HOST=ADDRESS>',
      'where a host, or HOST/SUBSET, is: HOST:PORT, several with commas (--target envoy; may be repeated)',
      collectEndpoints,
    )
    .option('--certificates <FOLDER>', 'with cert-chain.pem, key.pem, root-cert.pem, for ISTIO_MUTUAL (--target envoy)')
    .option('--image <IMAGE>', 'oci://…@sha256:… of the routing filter (--target istio)')
}

const OPTIONS: Record<'listen' | 'modules' | 'endpoint' | 'certificates' | 'image', 'envoy' | 'istio'> = {
  listen: 'envoy',
  modules: 'envoy',
  endpoint: 'envoy',
  certificates: 'envoy',
  image: 'istio',
}

/** Refuses options that are for another target. */
export function checkTargetFlags(flags: TargetFlags & { filter: string }): void {
  const { target, filter } = flags
  if (target && filter !== 'routing' && filter !== 'telemetry')
    throw new UsageError("option '--target' is for --filter routing and telemetry only")
  for (const [name, of] of Object.entries(OPTIONS)) {
    if (flags[name as keyof typeof OPTIONS] !== undefined && of !== target)
      throw new UsageError(`option '--${name}' is for --target ${of} only`)
  }
  if (target === 'istio' && flags.image === undefined) throw new UsageError("--target istio needs '--image <IMAGE>'")
}

/** What is printed for a target. Undefined where there are errors. */
export function writeTarget(
  configuration: RoutingConfig,
  { resources, diagnostics }: Pick<CompiledTraffic, 'resources' | 'diagnostics'>,
  sources: readonly Source[],
  options: TrafficOptions & { trustDomain: string },
  flags: TargetFlags,
): string | undefined {
  const { workload } = options
  if (flags.target === 'istio') return istioResources(configuration, { workload, code: codeOf(flags.image ?? '') })
  const ofFaults = new Diagnostics()
  const { configuration: fault } = compileFaults(sources, { ...options, diagnostics: ofFaults })
  // The texts themselves have been read without an error.
  for (const { severity, code, message, ...details } of ofFaults.sorted)
    if (severity === 'error') diagnostics.add(severity, code, message, details)
  const text = staticEnvoy(configuration, fault, {
    workload,
    isGateway: options.gateway !== undefined,
    trustDomain: options.trustDomain,
    resources,
    diagnostics,
    listen: flags.listen ?? { address: '127.0.0.1', port: 10_000 },
    modules: flags.modules ?? defaultModules(),
    endpoints: flags.endpoint ?? new Map(),
    ...(flags.certificates !== undefined && { certificates: flags.certificates }),
  })
  return diagnostics.hasErrors ? undefined : text
}

function defaultModules(): string {
  const require = createRequire(import.meta.url)
  return `${dirname(require.resolve('@meshscript/filters/package.json'))}/dist`
}

function codeOf(image: string) {
  const reference = parseReference(image)
  const { digest } = reference
  if (digest === undefined) throw new UsageError(`--image ${image}: name it by its digest, as push prints it`)
  return { kind: 'image' as const, reference, digest }
}

function parseAddress(text: string): Endpoint {
  const colon = text.lastIndexOf(':')
  const address = text.slice(0, colon).replace(/^\[(.*)\]$/, '$1')
  const port = Number(text.slice(colon + 1))
  if (colon < 1 || !Number.isInteger(port) || port < 0 || port > 65535)
    throw new InvalidArgumentError('expected HOST:PORT.')
  return { address, port }
}

function collectEndpoints(text: string, earlier = new Map<string, Endpoint[]>()): Map<string, Endpoint[]> {
  const equals = text.indexOf('=')
  if (equals < 1) throw new InvalidArgumentError('expected HOST=HOST:PORT or HOST/SUBSET=HOST:PORT.')
  const endpoints = text
    .slice(equals + 1)
    .split(',')
    .map(parseAddress)
  return earlier.set(text.slice(0, equals), endpoints)
}

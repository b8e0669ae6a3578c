import { Command, InvalidArgumentError, Option } from 'commander'
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { compileAuthorization } from '../compile/index.ts'
import { compileRateLimits } from '../compile/ratelimit/index.ts'
import { compileFaults } from '../compile/traffic/fault.ts'
import { compileRouting } from '../compile/traffic/index.ts'
import { UsageError, UserError } from '../errors.ts'
import { Diagnostics } from '../resources/diagnostics.ts'
import { readSource, readSources } from '../resources/input.ts'
import { defaultMeshConfig, type MeshConfig, parseMeshConfig } from '../resources/mesh-config.ts'
import type { Source } from '../resources/source.ts'
import { colorsFor, type Io } from '../terminal.ts'
import { addTargetOptions, checkTargetFlags, writeTarget, type TargetFlags } from './target-options.ts'
import {
  addTelemetryOptions,
  checkTelemetryFlags,
  compiledTelemetry,
  type TelemetryFlags,
} from './telemetry-options.ts'
import { addWorkloadOptions, compileOptionsOf, gatewayOf, type WorkloadFlags } from './workload-options.ts'

interface Flags extends WorkloadFlags, TargetFlags, TelemetryFlags {
  filter: 'authorization' | 'routing' | 'fault' | 'ratelimit' | 'telemetry'
  port?: number
  meshConfig?: string
  namespace?: string
  output?: string
  json?: boolean
}

const examples = `
Examples:
  meshscript compile policies/ --filter authorization --workload payments/payments --labels app=payments -o config.json
  meshscript compile routes/ services.yaml --filter routing --workload shop/frontend --labels app=frontend
  meshscript compile routes/ services.yaml --filter routing --workload shop/frontend --target envoy -o envoy.yaml
  meshscript compile gateway.yaml routes/ --filter routing --workload istio-system/ingress --gateway shop/web --target envoy
  meshscript compile telemetry.yaml --filter telemetry --workload shop/cart --labels app=cart,version=v1`

const NO_ISTIO_GATEWAY =
  '--target istio is for the requests of workloads, and its VirtualServices for the mesh: with --gateway print the configuration alone, or --target envoy'

/** `meshscript compile`: policies → the configuration of a filter. */
export function compileCommand(io: Io): Command {
  const command = new Command('compile')
    .description(
      'Print the configuration of a filter for one workload as JSON, made from the policies in FILES.\n' +
        'Diagnostics go to standard error.',
    )
    .argument('<FILES...>', 'YAML or JSON files, folders of them, or - for standard input')
  addWorkloadOptions(command, 'the workload whose proxy gets the configuration')
    .addOption(
      new Option('--filter <NAME>', 'the filter')
        .choices(['authorization', 'routing', 'fault', 'ratelimit', 'telemetry'])
        .makeOptionMandatory(),
    )
    .option(
      '--port <N>',
      'port by which requests leave: of destinations without one, and matches (routing, fault); or come (ratelimit, --gateway)',
      parsePort,
    )
    .option('--mesh-config <FILE>', "Istio's MeshConfig: root namespace, trust domain and its aliases, providers")
    .option('-n, --namespace <NAME>', 'namespace of resources that name none')
    .option('-o, --output <FILE>', 'write to a file instead of standard output')
    .option('--json', 'print diagnostics as JSON')
  return addTargetOptions(addTelemetryOptions(command))
    .addHelpText('after', examples)
    .action((files: string[], flags: Flags) => run(files, flags, io))
}

function run(files: string[], flags: Flags, io: Io): void {
  const diagnostics = new Diagnostics()
  if (['authorization', 'telemetry'].includes(flags.filter) && flags.port !== undefined)
    throw new UsageError("option '--port' is for --filter routing, fault and ratelimit only")
  checkTargetFlags(flags)
  if (flags.target === 'istio' && flags.filter === 'routing' && flags.gateway) throw new UsageError(NO_ISTIO_GATEWAY)
  checkTelemetryFlags(flags)
  const [meshSource] = flags.meshConfig ? readSource(flags.meshConfig, io.cwd, diagnostics) : []
  const mesh = meshSource ? parseMeshConfig(meshSource, diagnostics) : defaultMeshConfig
  const text = compile(readSources(files, io.cwd, diagnostics), flags, mesh, diagnostics)

  const colors = colorsFor(io.stderr, io.env)
  io.stderr.write(flags.json ? `${JSON.stringify({ diagnostics }, null, 2)}\n` : diagnostics.render(colors))
  if (text === undefined) throw new UserError(diagnostics.summary, undefined, flags.json ? diagnostics.toPlain() : [])
  if (flags.output === undefined) io.stdout.write(text)
  else writeOutput(resolve(io.cwd, flags.output), text)
}

/** What is printed; undefined where there are errors. */
function compile(
  sources: readonly Source[],
  flags: Flags,
  mesh: MeshConfig,
  diagnostics: Diagnostics,
): string | undefined {
  const { workload, direction } = compileOptionsOf(flags)
  const common = { diagnostics, namespace: flags.namespace, workload }
  const print = (configuration: object | undefined) => configuration && `${JSON.stringify(configuration, null, 2)}\n`
  if (flags.filter === 'authorization')
    return print(compileAuthorization(sources, { ...common, direction, mesh }).configuration)
  if (flags.filter === 'telemetry') return compiledTelemetry(sources, { ...common, direction, mesh }, flags)
  const gateway = gatewayOf(flags)
  const options = { ...common, port: flags.port, ...(gateway && { gateway }) }
  if (flags.filter === 'ratelimit') return print(compileRateLimits(sources, { ...options, mesh }).configuration)
  if (flags.filter === 'fault') return print(compileFaults(sources, options).configuration)
  const compiled = compileRouting(sources, options)
  if (!flags.target || !compiled.configuration) return print(compiled.configuration)
  return writeTarget(compiled.configuration, compiled, sources, { ...options, trustDomain: mesh.trustDomain }, flags)
}

function parsePort(text: string): number {
  const port = Number(text)
  if (!/^\d+$/.test(text) || port < 1 || port > 65535) throw new InvalidArgumentError('expected a port.')
  return port
}

function writeOutput(file: string, text: string) {
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw new UserError(`cannot write the configuration: ${(error as Error).message}`)
  }
}

import { Command, InvalidArgumentError, Option } from 'commander'
import { writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { compileAuthorization, type Direction } from '../compile/index.ts'
import { UserError } from '../errors.ts'
import { Diagnostics } from '../resources/diagnostics.ts'
import { readSource, readSources } from '../resources/input.ts'
import { defaultMeshConfig, parseMeshConfig } from '../resources/mesh-config.ts'
import { colorsFor, type Io } from '../terminal.ts'

interface Flags {
  workload: { namespace: string; name: string }
  labels: Record<string, string>
  serviceAccount?: string
  direction: Direction
  filter: 'authorization'
  meshConfig?: string
  namespace?: string
  output?: string
  json?: boolean
}

/** `meshscript compile`: policies → the configuration of a filter. */
export function compileCommand(io: Io): Command {
  return new Command('compile')
    .description(
      'Print the configuration of a filter for one workload as JSON, made from the policies in FILES.\n' +
        'Diagnostics go to standard error. Exit code: 0 done, 1 an input is invalid or cannot be enforced, 2 wrong usage.',
    )
    .argument('<FILES...>', 'YAML or JSON files, folders of them, or - for standard input')
    .requiredOption('--workload <NAMESPACE/NAME>', 'the workload whose proxy gets the configuration', parseWorkload)
    .option('--labels <KEY=VALUE,...>', 'labels of its pods, for the selectors of policies', parseLabels, {})
    .option('--service-account <NAME>', 'service account of its pods, for policies that name the destination so')
    .addOption(
      new Option('--direction <WHICH>', 'requests to the workload, or requests that it makes')
        .choices(['inbound', 'outbound'])
        .default('inbound'),
    )
    .addOption(new Option('--filter <NAME>', 'the filter').choices(['authorization']).makeOptionMandatory())
    .option('--mesh-config <FILE>', "Istio's MeshConfig: root namespace, trust domain and its aliases")
    .option('-n, --namespace <NAME>', 'namespace of resources that name none')
    .option('-o, --output <FILE>', 'write to a file instead of standard output')
    .option('--json', 'print diagnostics as JSON')
    .action((files: string[], flags: Flags) => run(files, flags, io))
}

function run(files: string[], flags: Flags, io: Io): void {
  const diagnostics = new Diagnostics()
  const [meshSource] = flags.meshConfig ? readSource(flags.meshConfig, io.cwd, diagnostics) : []
  const { configuration } = compileAuthorization(readSources(files, io.cwd, diagnostics), {
    workload: { ...flags.workload, labels: flags.labels, serviceAccount: flags.serviceAccount },
    direction: flags.direction,
    mesh: meshSource ? parseMeshConfig(meshSource, diagnostics) : defaultMeshConfig,
    diagnostics,
    namespace: flags.namespace,
  })

  const colors = colorsFor(io.stderr, io.env)
  io.stderr.write(flags.json ? `${JSON.stringify({ diagnostics }, null, 2)}\n` : diagnostics.render(colors))
  if (!configuration) throw new UserError(diagnostics.summary, undefined, flags.json ? diagnostics.toPlain() : [])
  const text = `${JSON.stringify(configuration, null, 2)}\n`
  if (flags.output === undefined) io.stdout.write(text)
  else writeOutput(resolve(io.cwd, flags.output), text)
}

function writeOutput(file: string, text: string) {
  try {
    writeFileSync(file, text)
  } catch (error) {
    throw new UserError(`cannot write the configuration: ${(error as Error).message}`)
  }
}

function parseWorkload(value: string) {
  const [namespace, name, ...more] = value.split('/')
  if (!namespace || !name || more.length) throw new InvalidArgumentError('expected NAMESPACE/NAME.')
  return { namespace, name }
}

/** May be given several times. */
function parseLabels(value: string, earlier: Record<string, string>) {
  const labels = { ...earlier }
  for (const part of value.split(',').filter(Boolean)) {
    const equals = part.indexOf('=')
    if (equals < 1) throw new InvalidArgumentError('expected KEY=VALUE,KEY=VALUE.')
    labels[part.slice(0, equals).trim()] = part.slice(equals + 1).trim()
  }
  return labels
}

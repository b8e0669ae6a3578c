import { Command } from 'commander'
import { lintIstio } from '../compile/istio/lint.ts'
import { NegativeResult } from '../errors.ts'
import { Diagnostics } from '../resources/diagnostics.ts'
import { readSource, readSources } from '../resources/input.ts'
import { defaultMeshConfig, parseMeshConfig } from '../resources/mesh-config.ts'
import { parseAll, type Parsed } from '../resources/parse.ts'
import { colorsFor, type Io } from '../terminal.ts'

interface Flags {
  meshConfig?: string
  namespace?: string
  json?: boolean
}

/** `meshscript validate`: mistakes in resources, without a workload in mind. */
export function validateCommand(io: Io): Command {
  return new Command('validate')
    .description(
      'Check the fields of the resources in FILES, and what Istio, SMI and Cilium say about them beyond their schemas.\n' +
        'Diagnostics go to standard error.',
    )
    .argument('<FILES...>', 'YAML or JSON files, folders of them, or - for standard input')
    .option('--mesh-config <FILE>', "Istio's MeshConfig, checked too: its trust domain decides what a principal means")
    .option('-n, --namespace <NAME>', 'namespace of resources that name none')
    .option('--json', 'print the result as JSON')
    .addHelpText(
      'after',
      '\nExamples:\n  meshscript validate policies/\n  kubectl get authorizationpolicies -A -o yaml | meshscript validate -',
    )
    .action((files: string[], flags: Flags) => run(files, flags, io))
}

function run(files: string[], flags: Flags, io: Io): void {
  const diagnostics = new Diagnostics()
  const [meshSource] = flags.meshConfig ? readSource(flags.meshConfig, io.cwd, diagnostics) : []
  const mesh = meshSource ? parseMeshConfig(meshSource, diagnostics) : defaultMeshConfig
  const parsed = parseAll(readSources(files, io.cwd, diagnostics), diagnostics, { namespace: flags.namespace })
  lintIstio(parsed.resources, mesh, diagnostics)
  const valid = !diagnostics.hasErrors
  if (flags.json) {
    const { checked, ignored } = parsed
    io.stdout.write(`${JSON.stringify({ version: 1, valid, checked, ignored, diagnostics }, null, 2)}\n`)
  } else {
    io.stderr.write(diagnostics.render(colorsFor(io.stderr, io.env)))
    io.stdout.write(`${summary(parsed, diagnostics)}\n`)
  }
  if (!valid) throw new NegativeResult()
}

/** E.g. `3 resources checked, 1 not: 2 errors, 1 warning`. */
function summary({ checked, ignored }: Parsed, diagnostics: Diagnostics): string {
  const count = `${checked} resource${checked === 1 ? '' : 's'} checked${ignored > 0 ? `, ${ignored} not` : ''}`
  return `${count}: ${diagnostics.summary || 'no errors'}`
}

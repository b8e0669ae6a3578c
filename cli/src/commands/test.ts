import { Command, InvalidArgumentError } from 'commander'
import { NegativeResult } from '../errors.ts'
import { type HostName, type HostReport } from '../test/index.ts'
import { colorsFor, type Io } from '../terminal.ts'
import { Progress } from './progress.ts'

interface Flags {
  host?: HostName[]
  watch?: boolean
  json?: boolean
}

const HOSTS: readonly HostName[] = ['node', 'envoy', 'docker']

/** `meshscript test`: vitest on both hosts. */
export function testCommand(io: Io): Command {
  return new Command('test')
    .description(
      "Run the project's specs by vitest, first in the Node host, then in a real Envoy.\n" +
        'Filters are built as the specs import them. Envoy is downloaded once where there is none.',
    )
    .argument('[FILTERS...]', 'run only the files whose paths contain one of these')
    .option('--host <NAMES>', 'where: node, envoy, docker; several with commas (default: node,envoy)', hosts)
    .option('--watch', 'run again on every change, on one host (default: node)')
    .option('--json', 'print counts and failures as JSON')
    .addHelpText(
      'after',
      '\nWhat follows -- goes to vitest.\n\nExamples:\n  meshscript test\n  meshscript test --host node --watch\n  meshscript test -- --testNamePattern refuses',
    )
    .action((filters: string[], flags: Flags, command: Command) => run(filters, flags, command, io))
}

async function run(filters: string[], { host, watch = false, json = false }: Flags, command: Command, io: Io) {
  const wanted = host ?? (watch ? ['node'] : ['node', 'envoy'])
  if (watch && wanted.length > 1) command.error("error: --watch runs on one host: option '--host' names several")
  if (watch && json) command.error("error: option '--json' cannot be used with option '--watch'")
  const { testProject } = await import('../test/index.ts')
  const colors = colorsFor(io.stdout, io.env)
  const progress = new Progress(io)
  const reports = await testProject({
    cwd: io.cwd,
    env: io.env,
    signal: io.signal,
    hosts: wanted,
    args: filters,
    watch,
    quiet: json,
    onProgress: (text) => progress.show(text),
    onHost: (name) => {
      progress.clear()
      if (!json) io.stdout.write(`${colors.bold(titles[name])}\n`)
    },
  })
  if (io.signal?.aborted) throw new NegativeResult()
  const failed = reports.some((report) => report.failed > 0)
  if (json) io.stdout.write(`${JSON.stringify({ version: 1, passed: !failed, hosts: reports }, null, 2)}\n`)
  else if (!watch) for (const report of reports) io.stdout.write(`${lineOf(report)}\n`)
  if (failed) throw new NegativeResult()
}

const titles: Record<HostName, string> = { node: 'Node host', envoy: 'Envoy', docker: 'Envoy in Docker' }

function lineOf({ host, passed, failed, skipped, seconds }: HostReport): string {
  const counts = [`${passed} passed`, `${failed} failed`, ...(skipped ? [`${skipped} skipped`] : [])]
  return `${failed ? '×' : '√'} ${titles[host].padEnd(15)} ${counts.join(', ')}  (${seconds} s)`
}

function hosts(text: string): HostName[] {
  const names = [...new Set(text.split(','))]
  const unknown = names.find((name) => !(HOSTS as readonly string[]).includes(name))
  if (unknown !== undefined) throw new InvalidArgumentError(`expected node, envoy or docker, got '${unknown}'.`)
  return names as HostName[]
}

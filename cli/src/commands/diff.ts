import { Command, InvalidArgumentError } from 'commander'
import { NegativeResult, UsageError, UserError } from '../errors.ts'
import { renderResult, resultToJson } from '../replay/render.ts'
import { Replay } from '../replay/replay.ts'
import { Side } from '../replay/side.ts'
import { Traffic } from '../replay/traffic.ts'
import { colorsFor, type Io } from '../terminal.ts'
import { addPolicyOptions, loadPolicies, type PolicyFlags } from './policy-options.ts'
import { Progress } from './progress.ts'

interface Flags extends PolicyFlags {
  traffic: string
  limit: number
}

const examples = `
FILE has one JSON object a line:
  Istio's access log, of the workload's sidecar (meshConfig.accessLogEncoding:
  JSON), Hubble's flows (hubble observe -o json), or requests as
  "meshscript explain --request" takes them.

Examples:
  kubectl logs -n payments deploy/payments -c istio-proxy | grep '^{' > traffic.jsonl
  meshscript diff policies/ changed/ --traffic traffic.jsonl --workload payments/payments --labels app=payments`

/** `meshscript diff`: what a change of policies would do to recorded requests. */
export function diffCommand(io: Io): Command {
  const command = new Command('diff')
    .description(
      'Replay recorded requests with two versions of the policies, and list those whose verdict changes.\n' +
        'A verdict that depends on what a record does not tell is not guessed: such a request “may change”.',
    )
    .argument('<OLD>', 'file or folder of policies')
    .argument('<NEW>', 'file or folder of policies')
    .requiredOption('--traffic <FILE>', 'the recorded requests; - for standard input')
  return addPolicyOptions(command)
    .option('--limit <NUMBER>', 'how many groups of requests to show', parseLimit, 50)
    .option('--json', 'print the result as JSON')
    .addHelpText('after', examples)
    .action((old: string, now: string, flags: Flags) => run(old, now, flags, io).catch(asTrouble))
}

async function run(oldFile: string, newFile: string, flags: Flags, io: Io): Promise<void> {
  const old = loadPolicies([oldFile], flags, io)
  const now = loadPolicies([newFile], flags, io)
  const replay = new Replay(new Side(old.configuration, old.mesh), new Side(now.configuration, now.mesh))
  const traffic = new Traffic(flags.traffic, io.cwd, {
    workload: flags.workload,
    trustDomain: now.mesh.trustDomain,
    direction: flags.direction,
  })
  const progress = new Progress(io)
  try {
    for await (const { record, line } of traffic.records()) {
      await replay.add(record, line)
      progress.show(`${line} lines, ${replay.counts.changed} requests change`)
    }
  } finally {
    progress.clear()
    await replay.close()
  }
  const { counts, groups } = replay
  const result = {
    counts,
    groups,
    statistics: traffic.statistics,
    places: { old: old.rules, new: now.rules },
    diagnostics: { old: old.diagnostics, new: now.diagnostics },
  }
  if (flags.json) io.stdout.write(`${JSON.stringify(resultToJson(result), null, 2)}\n`)
  else io.stdout.write(renderResult(result, flags.limit, colorsFor(io.stdout, io.env)))
  if (counts.changed + counts.undecided > 0) throw new NegativeResult()
}

/** As with diff(1): 1 says that there is a difference, so that failures are 2. */
function asTrouble(error: unknown): never {
  if (!(error instanceof UserError)) throw error
  throw new UsageError(error.message, error.code, error.diagnostics)
}

function parseLimit(value: string): number {
  if (!/^[1-9]\d*$/.test(value)) throw new InvalidArgumentError('expected a number from 1.')
  return Number(value)
}

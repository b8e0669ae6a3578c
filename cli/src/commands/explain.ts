import { Command } from 'commander'
import { NegativeResult } from '../errors.ts'
import { Explainer, type Explanation } from '../explain/explain.ts'
import { explanationToJson } from '../explain/json.ts'
import { renderExplanation } from '../explain/render.ts'
import { addRequestOptions, readRequests, type RequestFlags } from '../requests/flags.ts'
import { colorsFor, type Io } from '../terminal.ts'
import { addPolicyOptions, loadPolicies, type LoadedPolicies, type PolicyFlags } from './policy-options.ts'
import { Progress } from './progress.ts'

interface Flags extends PolicyFlags, RequestFlags {
  failOnDeny?: boolean
  all?: boolean
}

const examples = `
Examples:
  meshscript explain policies/ --workload payments/payments --labels app=payments \\
    --method POST --path /charge --header 'X-Auth: admin' --peer spiffe://cluster.local/ns/frontend/sa/default
  meshscript explain policies/ --workload payments/payments --curl "curl -X POST -H 'X-Auth: user' http://payments/charge"
  meshscript explain policies/ --workload payments/payments --har session.har --entry 3 --json`

/** `meshscript explain`: why policies allow or refuse a request. */
export function explainCommand(io: Io): Command {
  const command = new Command('explain')
    .description(
      'Tell whether the policies in FILES allow a request, which rule decides, and why the other rules do not match.\n' +
        'The built authorization filter itself decides.',
    )
    .argument('<FILES...>', 'YAML or JSON files, folders of them, or - for standard input')
  addPolicyOptions(command)
    .option('--json', 'print the result as JSON')
    .option('--all', 'show every rule, also of a policy with very many')
    .option('--fail-on-deny', 'exit code 1 unless every request is allowed')
  return addRequestOptions(command)
    .addHelpText('after', examples)
    .action((files: string[], flags: Flags) => run(files, flags, io))
}

async function run(files: string[], flags: Flags, io: Io): Promise<void> {
  const requests = readRequests(flags, io.cwd)
  const policies = loadPolicies(files, flags, io)
  const explanations = await explainAll(requests, policies, io)
  if (flags.json) {
    const results = explanations.map((each) => explanationToJson(each, policies.unselected))
    const diagnostics = policies.diagnostics
    io.stdout.write(`${JSON.stringify({ version: 1, results, diagnostics }, null, 2)}\n`)
  } else {
    const colors = colorsFor(io.stdout, io.env)
    const texts = explanations.map((each) => renderExplanation(each, policies.unselected, colors, flags.all ?? false))
    io.stdout.write(texts.join('\n'))
  }
  const isAllowed = ({ judgement }: Explanation) => judgement.verdict === 'allowed'
  if (flags.failOnDeny && !explanations.every(isAllowed)) throw new NegativeResult()
}

async function explainAll(
  requests: Parameters<Explainer['explain']>[0][],
  policies: LoadedPolicies,
  io: Io,
): Promise<Explanation[]> {
  const explainer = new Explainer(policies, policies.mesh)
  const progress = new Progress(io)
  const explanations: Explanation[] = []
  try {
    for (const [index, request] of requests.entries()) {
      const prefix = requests.length > 1 ? `request ${index + 1} of ${requests.length}: ` : ''
      explanations.push(
        await explainer.explain(request, (done) => progress.show(`${prefix}rules ${Math.floor(done * 100)} %`)),
      )
    }
  } finally {
    progress.clear()
    await explainer.close()
  }
  return explanations
}

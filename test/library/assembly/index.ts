import { Action, Configuration, HttpContext, log, RootContext } from '@meshscript/sdk'
import { CidrTrie, PolicySet, readPolicies, RegexSet, Stage, templateToRegex, Verdict } from '@meshscript/filters'

/** Does what the policies say, and tells all that they say of a request. */
export class Library extends RootContext {
  policies: PolicySet | null = null
  blocks: CidrTrie = new CidrTrie()
  patterns: RegexSet = new RegexSet()

  onConfigure(configuration: Configuration): bool {
    const json = configuration.json()
    const blocks = json.get('blocks').optionalArray()
    for (let i = 0; i < blocks.length; i++) this.blocks.add(blocks[i].byteString(), i)
    const templates = json.get('templates').optionalArray()
    for (let i = 0; i < templates.length; i++) {
      const regex = templateToRegex(templates[i].byteString())
      if (regex) this.patterns.add(regex)
      else templates[i].fail('expected a template')
    }
    this.patterns.compile()
    const policies = readPolicies(json.get('authorization'))
    if (!json.refuseUnknown()) return false
    this.policies = policies
    return true
  }
}

export class LibraryContext extends HttpContext<Library> {
  onRequestHeaders(): Action {
    const root = this.root
    const policies = root.policies!
    const headers = this.requestHeaders
    const verdict = policies.decide(headers)
    const audit = policies.first(Stage.Audit)
    const dryRun = policies.first(Stage.DryRunDeny)
    const blocks = root.blocks.match(headers.getOrEmpty('x-address'))
    const patterns = root.patterns.match(headers.getOrEmpty(':path'))
    const decision = policies.decision
    log.warn(
      `${verdict} ${policies.decisionId.toString()} ${decision ? decision.policy.name.toString() : '-'} ` +
        `${audit ? 'audit' : '-'} ${dryRun ? 'dry' : '-'} ${blocks} ${patterns}`,
    )
    if (verdict != Verdict.Denied) return Action.Continue
    this.sendLocalResponse(policies.denial.status, policies.denial.body)
    return Action.Pause
  }
}

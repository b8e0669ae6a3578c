// The configuration, read into indexes.

import { Bytes, JsonValue, utf8 } from '@meshscript/sdk'
import { Decision, Policy } from './decision'
import { HeaderAction } from './header_action'
import { PolicySet, Stage, STAGES } from './policy_set'
import { RuleReader } from './rule_reader'

const ALLOW: i32 = 0
const DENY: i32 = 1
const AUDIT: i32 = 2
const CUSTOM: i32 = 3

/**
 * Reads a configuration of the authorization filter, as `meshscript compile` writes it: a document, or a part of one. Its `providers` are not read here.
 * Errors are reported to the JSON reader, which makes the host refuse the configuration (`schema.json` says its form): ask `refuseUnknown()` of the document
 * before the policies are used.
 */
export function readPolicies(json: JsonValue): PolicySet {
  const policies = new PolicySet()
  json.get('$schema').string('')
  const version = json.get('version')
  if (version.integer() != 1) version.fail('expected 1, the version of this format')
  policies.isAudit = json.get('mode').oneOf(['enforce', 'audit'], 0) == 1
  policies.recordsAllowed = json.get('record').oneOf(['denied', 'all'], 0) == 1
  const answer = json.get('denial')
  if (answer.exists) {
    policies.denial.status = <u32>answer.get('status').integer(403, 400, 599)
    policies.denial.body = answer.get('body').bytes('RBAC: access denied')
  }
  readList(json.get('policies'), policies)
  return policies
}

function readList(json: JsonValue, policies: PolicySet): void {
  const readers = new StaticArray<RuleReader | null>(STAGES)
  const names = new Map<u32, Bytes[]>()
  const items = json.array()
  for (let i = 0; i < items.length; i++) {
    const policy = items[i]
    const name = policy.get('name').bytes()
    if (!name.length) policy.get('name').fail('expected a name')
    if (isTaken(names, name)) policy.get('name').fail('a policy of this name is already there')
    const action = policy.get('action').oneOf(['ALLOW', 'DENY', 'AUDIT', 'CUSTOM'])
    if (action == CUSTOM) {
      const provider = policy.get('provider').bytes()
      if (!provider.length) policy.get('provider').fail('expected a name')
      policies.addProvider(provider)
    }
    const isDryRun = policy.get('dryRun').bool(false)
    if (isDryRun && action > DENY) policy.get('dryRun').fail('only ALLOW and DENY can be tried out')
    const stage = stageOf(action, isDryRun)
    let reader = readers[stage]
    if (!reader) readers[stage] = reader = new RuleReader(policies.request)
    if (stage == Stage.Enforced && action == ALLOW) policies.hasAllow = true
    if (readPolicy(policy, name, action, reader)) policies.hasActions = true
    policy.release()
    if (json.hasError) return
  }
  for (let stage = 0; stage < STAGES; stage++) {
    const reader = readers[stage]
    if (!reader) continue
    reader.index.compile()
    policies.set(stage, reader.index)
  }
}

function stageOf(action: i32, isDryRun: bool): Stage {
  if (action == AUDIT) return Stage.Audit
  if (action == CUSTOM) return Stage.Custom
  if (!isDryRun) return Stage.Enforced
  return action == DENY ? Stage.DryRunDeny : Stage.DryRunAllow
}

/** Answers whether a rule has header actions. */
function readPolicy(json: JsonValue, name: Bytes, action: i32, reader: RuleReader): bool {
  const provider = json.get('provider')
  if (provider.exists && action != CUSTOM) provider.fail('only CUSTOM has a provider')
  const policy = new Policy(name, action == CUSTOM ? provider.bytes() : Bytes.from(''))
  const rules = json.get('rules').array()
  let hasActions = false
  for (let i = 0; i < rules.length; i++) {
    const rule = rules[i]
    const actions = readActions(rule.get('headerActions'), action)
    if (actions) hasActions = true
    const id = name.view.concat(utf8('-rule[')).concat(i.toString()).concat(utf8(']'))
    reader.add(rule, new Decision(policy, id.persist(), action == DENY, actions), action != ALLOW)
    rule.release()
    if (json.hasError) break
  }
  return hasActions
}

function readActions(json: JsonValue, action: i32): HeaderAction[] | null {
  if (!json.exists) return null
  if (action != ALLOW) json.fail('only rules of ALLOW have header actions')
  const items = json.array()
  const actions: HeaderAction[] = []
  for (let i = 0; i < items.length; i++) actions.push(HeaderAction.read(items[i]))
  return actions
}

function isTaken(names: Map<u32, Bytes[]>, name: Bytes): bool {
  const hash = name.view.hash()
  if (!names.has(hash)) {
    names.set(hash, [name])
    return false
  }
  const same = names.get(hash)
  for (let i = 0; i < same.length; i++) if (same[i].equals(name)) return true
  same.push(name)
  return false
}

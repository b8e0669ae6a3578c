import { Bytes, ByteString, JsonValue, utf8 } from '@meshscript/sdk'
import { PatternKind } from '../../common/assembly/string_index'
import { Attribute, Decision, Dimension, RuleIndex } from './rule_index'

/** A rule under construction, with its place in the document. */
@final
class Rule {
  constructor(
    public decision: Decision,
    public json: JsonValue,
  ) {}

  /** Number of its alternatives: one for each way through `from` and `to`. */
  get alternatives(): i32 {
    return max(this.json.get('from').length, 1) * max(this.json.get('to').length, 1)
  }
}

/** Builds the index that a configuration describes (`schema.json`). Errors are reported to the JSON reader, which makes the host refuse it. */
export function readRules(json: JsonValue): RuleIndex {
  const version = json.get('version')
  if (version.integer() != 1) version.fail('expected 1, the version of this format')
  const rules: Rule[] = []
  const hasAllowPolicy = readPolicies(json.get('policies'), rules)
  // DENY first; within an action the least id decides, as in Envoy's RBAC filter, which keeps its policies in a sorted map.
  rules.sort((a, b) => compareDecisions(a.decision, b.decision))

  const decisions: Decision[] = []
  for (let i = 0; i < rules.length; i++) {
    for (let n = rules[i].alternatives; n > 0; n--) decisions.push(rules[i].decision)
  }
  const index = new RuleIndex(decisions, hasAllowPolicy)
  let alternative = 0
  for (let i = 0; i < rules.length; i++) alternative = addRule(index, rules[i].json, alternative)
  return index
}

/** Collects the rules of all policies; answers whether an ALLOW policy is among them. */
function readPolicies(json: JsonValue, rules: Rule[]): bool {
  let hasAllowPolicy = false
  const policies = json.array()
  const names = new Map<u32, Bytes[]>()
  for (let i = 0; i < policies.length; i++) {
    const policy = policies[i]
    const name = policy.get('name').bytes()
    if (!name.length) policy.get('name').fail('expected a name')
    if (isTaken(names, name)) policy.get('name').fail('a policy of this name is already there')
    const isDeny = policy.get('action').oneOf(['ALLOW', 'DENY']) == 1
    if (!isDeny) hasAllowPolicy = true
    const items = policy.get('rules').array()
    for (let n = 0; n < items.length; n++) {
      const id = name.view.concat(utf8('-rule[')).concat(n.toString()).concat(utf8(']'))
      rules.push(new Rule(new Decision(id.persist(), isDeny), items[n]))
    }
  }
  return hasAllowPolicy
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

function compareDecisions(a: Decision, b: Decision): i32 {
  if (a.isDeny != b.isDeny) return a.isDeny ? -1 : 1
  const x = a.id.view
  const y = b.id.view
  const order = memory.compare(x.ptr, y.ptr, min(x.length, y.length))
  return order ? order : x.length - y.length
}

/** Adds the alternatives of one rule, from number `alternative` on; answers the next free number. */
function addRule(index: RuleIndex, rule: JsonValue, alternative: i32): i32 {
  const from = rule.get('from')
  const to = rule.get('to')
  const when = rule.get('when')
  const sources = optionalList(from)
  const operations = optionalList(to)
  const conditions = optionalList(when)
  for (let s = 0; s < max(sources.length, 1); s++) {
    for (let o = 0; o < max(operations.length, 1); o++) {
      if (sources.length) addSource(index, sources[s], alternative)
      if (operations.length) addOperation(index, operations[o], alternative)
      for (let c = 0; c < conditions.length; c++) addCondition(index, conditions[c], alternative)
      alternative++
    }
  }
  return alternative
}

/** The items of a list that may be left out, but not be empty. */
function optionalList(json: JsonValue): JsonValue {
  const items = json.optionalArray()
  if (json.exists && !items.length)
    json.fail('expected at least one entry; leave the field out where everything matches')
  return items
}

function addSource(index: RuleIndex, source: JsonValue, alternative: i32): void {
  const wanted = source.get('principals')
  const excluded = source.get('notPrincipals')
  refuseNothing(source, wanted.exists || excluded.exists)
  add(index, Attribute.Principal, '', wanted, excluded, alternative)
}

function addOperation(index: RuleIndex, operation: JsonValue, alternative: i32): void {
  const methods = operation.get('methods')
  const notMethods = operation.get('notMethods')
  const paths = operation.get('paths')
  const notPaths = operation.get('notPaths')
  refuseNothing(operation, methods.exists || notMethods.exists || paths.exists || notPaths.exists)
  add(index, Attribute.Header, ':method', methods, notMethods, alternative)
  add(index, Attribute.Path, '', paths, notPaths, alternative)
}

function addCondition(index: RuleIndex, condition: JsonValue, alternative: i32): void {
  const name = condition.get('header')
  const header = name.string()
  // Envoy has names in lower case, so that any other would match nothing.
  if (!header.length || !name.byteString().toLowerCase().equals(header))
    name.fail('expected the name of a header, in lower case')
  const values = condition.get('values')
  const notValues = condition.get('notValues')
  refuseNothing(condition, values.exists || notValues.exists)
  add(index, Attribute.Header, header, values, notValues, alternative)
}

/** An entry that asks for nothing would match everything, which is hardly what its author means. */
function refuseNothing(json: JsonValue, hasFields: bool): void {
  if (!hasFields) json.fail('expected a field to compare')
}

/** Adds one condition: a matcher of `wanted` matches, none of `excluded` does. */
function add(
  index: RuleIndex,
  attribute: Attribute,
  header: string,
  wanted: JsonValue,
  excluded: JsonValue,
  alternative: i32,
): void {
  if (!wanted.exists && !excluded.exists) return
  const dimension = index.dimension(attribute, Bytes.from(header), alternative)
  const included = optionalList(wanted)
  for (let i = 0; i < included.length; i++) addMatcher(dimension, attribute, included[i], alternative, false)
  const omitted = optionalList(excluded)
  for (let i = 0; i < omitted.length; i++) addMatcher(dimension, attribute, omitted[i], alternative, true)
}

function addMatcher(
  dimension: Dimension,
  attribute: Attribute,
  matcher: JsonValue,
  alternative: i32,
  isExclusion: bool,
): void {
  let kind = PatternKind.Exact
  let text = matcher.get('exact')
  if (!text.exists) {
    kind = PatternKind.Prefix
    text = matcher.get('prefix')
  }
  if (!text.exists) {
    kind = PatternKind.Suffix
    text = matcher.get('suffix')
  }
  let pattern = ByteString.empty
  if (text.exists) {
    pattern = text.bytes().view
    if (kind != PatternKind.Exact && pattern.isEmpty) text.fail('expected text; {"present": true} matches any')
  } else {
    // An empty path is none; an empty header value is one.
    kind = attribute == Attribute.Path ? PatternKind.PresentNotEmpty : PatternKind.Present
    if (!matcher.get('present').bool(false)) {
      matcher.fail('expected {"exact": …}, {"prefix": …}, {"suffix": …} or {"present": true}')
    }
  }
  if (isExclusion) dimension.exclude(alternative, kind, pattern)
  else dimension.want(alternative, kind, pattern)
}

// @meshscript/filters: what the ready filters are made of, for filters of one's own.
// The package's own name stands in the paths since this folder is the root of its modules.

export { CidrTrie } from '@meshscript/filters/common/assembly/cidr'
export { templateToRegex } from '@meshscript/filters/common/assembly/path_template'
export { RegexSet } from '@meshscript/filters/common/assembly/regex/index'
export { readDuration } from '@meshscript/filters/common/assembly/duration'
export { fraction, hash64, mix64 } from '@meshscript/filters/common/assembly/hash'
export { Random, random } from '@meshscript/filters/common/assembly/random'
export { RegexReplacer } from '@meshscript/filters/common/assembly/regex/replacer'
export { MatcherOptions, addMatcher } from '@meshscript/filters/common/assembly/request/matchers'
export { CurrentRequest, currentRequest } from '@meshscript/filters/common/assembly/request/request'
export { MatchReader } from '@meshscript/filters/common/assembly/routes/match'
export { RouteReader, RouteRule, RouteTable } from '@meshscript/filters/common/assembly/routes/route_table'
export { Attribute, Dimension } from '@meshscript/filters/common/assembly/rules/dimension'
export { IndexedRule, RuleIndex } from '@meshscript/filters/common/assembly/rules/rule_index'
export { PatternKind } from '@meshscript/filters/common/assembly/rules/text_patterns'

export { readPolicies } from '@meshscript/filters/authorization/assembly/configuration'
export { Decision, Policy, Verdict } from '@meshscript/filters/authorization/assembly/decision'
export { Denial, PolicySet, Stage } from '@meshscript/filters/authorization/assembly/policy_set'

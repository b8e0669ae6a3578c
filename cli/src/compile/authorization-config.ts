/** The authorization filter's configuration. `filters/authorization/README.md` says what it means, `schema.json` its form. */

export type Matcher = { exact: string } | { prefix: string } | { suffix: string } | { present: true }

export interface SourceConfig {
  principals?: Matcher[]
  notPrincipals?: Matcher[]
}

export interface OperationConfig {
  methods?: Matcher[]
  notMethods?: Matcher[]
  paths?: Matcher[]
  notPaths?: Matcher[]
}

export interface ConditionConfig {
  /** In lower case. */
  header: string
  values?: Matcher[]
  notValues?: Matcher[]
}

export interface RuleConfig {
  from?: SourceConfig[]
  to?: OperationConfig[]
  when?: ConditionConfig[]
}

export interface PolicyConfig {
  name: string
  action: 'ALLOW' | 'DENY'
  rules: RuleConfig[]
}

export interface AuthorizationConfig {
  version: 1
  mode: 'enforce' | 'audit'
  policies: PolicyConfig[]
}

/** The parts of a rule that can fail by themselves: where each is, what it wants, and a rule that asks for it alone. */
import type {
  ConditionConfig,
  OperationConfig,
  PathMatcher,
  PortMatcher,
  RequestPrincipal,
  RuleConfig,
  SourceConfig,
  Values,
} from '../compile/authorization-config.ts'

/** What of a request a field looks at. */
export type Subject =
  | { kind: 'principal' | 'requestPrincipal' | 'method' | 'path' | 'host' | 'port' | 'sni' }
  | { kind: 'sourceIp' | 'remoteIp' | 'destinationIp' }
  | { kind: 'header'; name: string }
  | { kind: 'claim'; path: readonly string[] }
  | { kind: 'metadata'; filter: string; path: readonly string[] }

export interface Field {
  part: 'from' | 'to' | 'when'
  /** Which entry of the part. */
  entry: number
  /** E.g. `principals`, `notPaths`, `values`. */
  name: string
  /** It must not match. */
  negated: boolean
  subject: Subject
  /** The matchers as a policy writes them. */
  wants: string[]
  /** Matches where this field alone does. */
  alone: RuleConfig
}

export function fieldsOf(rule: RuleConfig): Field[] {
  const { from = [], to = [], when = [] } = rule
  return [
    ...from.flatMap((source, entry) => entryFields('from', entry, source)),
    ...to.flatMap((operation, entry) => entryFields('to', entry, operation)),
    ...when.flatMap((condition, entry) => conditionFields(condition, entry)),
  ]
}

type Plain = Exclude<keyof SourceConfig | keyof OperationConfig, `not${string}`>

const subjects: Record<Plain, Subject> = {
  principals: { kind: 'principal' },
  namespaces: { kind: 'principal' },
  serviceAccounts: { kind: 'principal' },
  trustDomains: { kind: 'principal' },
  requestPrincipals: { kind: 'requestPrincipal' },
  ipBlocks: { kind: 'sourceIp' },
  remoteIpBlocks: { kind: 'remoteIp' },
  methods: { kind: 'method' },
  paths: { kind: 'path' },
  hosts: { kind: 'host' },
  ports: { kind: 'port' },
}

const attributes: Record<string, Subject> = {
  'source.ip': { kind: 'sourceIp' },
  'remote.ip': { kind: 'remoteIp' },
  'destination.ip': { kind: 'destinationIp' },
  'destination.port': { kind: 'port' },
  'connection.sni': { kind: 'sni' },
  'source.principal': { kind: 'principal' },
  'request.principal': { kind: 'requestPrincipal' },
}

function entryFields(part: 'from' | 'to', entry: number, content: SourceConfig | OperationConfig): Field[] {
  return Object.entries(content as Record<string, Wanted[]>).map(([name, values]) => {
    const negated = /^not[A-Z]/.test(name)
    const plain = negated ? name[3]!.toLowerCase() + name.slice(4) : name
    const subject = subjects[plain as Plain]
    const alone = { [part]: [{ [name]: values }] } as RuleConfig
    return { part, entry, name, negated, subject, wants: values.map(describe), alone }
  })
}

function conditionFields(condition: ConditionConfig, entry: number): Field[] {
  const { values, notValues, ...key } = condition as Values<Wanted>
  const subject = conditionSubject(condition)
  const field = (name: 'values' | 'notValues', list: readonly Wanted[]): Field => {
    const alone = { when: [{ ...key, [name]: list }] } as RuleConfig
    return { part: 'when', entry, name, negated: name === 'notValues', subject, wants: list.map(describe), alone }
  }
  return [...(values ? [field('values', values)] : []), ...(notValues ? [field('notValues', notValues)] : [])]
}

function conditionSubject(condition: ConditionConfig): Subject {
  if ('header' in condition) return { kind: 'header', name: condition.header }
  if ('claim' in condition) return { kind: 'claim', path: condition.claim }
  if ('metadata' in condition) return { kind: 'metadata', ...condition.metadata }
  return attributes[condition.attribute]!
}

/** A matcher as a policy has it. */
function describe(value: Wanted): string {
  if (typeof value !== 'object') return String(value)
  if ('from' in value) return `${value.from}-${value.to}`
  if (!isPrincipal(value)) return describeMatcher(value)
  const [issuer, subject] = [value.issuer, value.subject].map((each) => (each ? describeMatcher(each) : '*'))
  return issuer === '*' && subject === '*' ? '*' : `${issuer}/${subject}`
}

type Wanted = string | PortMatcher | PathMatcher | RequestPrincipal

const isPrincipal = (value: PathMatcher | RequestPrincipal): value is RequestPrincipal =>
  'issuer' in value || 'subject' in value || Object.keys(value).length === 0

function describeMatcher(matcher: PathMatcher): string {
  if ('exact' in matcher) return matcher.exact
  if ('prefix' in matcher) return `${matcher.prefix}*`
  if ('suffix' in matcher) return `*${matcher.suffix}`
  if ('template' in matcher) return matcher.template
  return 'regex' in matcher ? describeRegex(matcher.regex) : '*'
}

/** Namespaces, service accounts and trust domains of a policy are compiled to regular expressions on the identity. */
const identityForms: [RegExp, (...parts: string[]) => string][] = [
  [/^\.\*\/ns\/(.*)\/\.\*$/, (namespace) => `namespace ${namespace}`],
  [/^spiffe:\/\/\.\+\/ns\/(.*)\/\(\.\+\/\|\)sa\/(.*)\(\/\.\+\)\?$/, (...parts) => `service account ${parts.join('/')}`],
  [/^\(\?s\)spiffe:\/\/\.\*$/, () => 'trust domain *'],
  [/^spiffe:\/\/([^/]*)\[\^\/\]\*([^/]*)\/\.\*$/, (before, after) => `trust domain ${before}*${after}`],
]

function describeRegex(regex: string): string {
  for (const [form, name] of identityForms) {
    const parts = form.exec(regex)
    if (parts) return name(...parts.slice(1).map((part) => part.replaceAll('.*', '*').replace(/\\(.)/g, '$1')))
  }
  return `regex ${regex}`
}

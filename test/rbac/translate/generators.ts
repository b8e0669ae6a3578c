/** Keys of policies as Envoy's permissions and principals (pilot/pkg/security/authz/model/generator.go). */

import type { Json } from '@meshscript/sdk/testing/envoy/index'
import {
  anyOf,
  cidrRange,
  claim,
  exact,
  headerMatcher,
  isTemplate,
  jwt,
  metadata,
  prefix,
  quoteMeta,
  regex,
  stringMatcher,
  suffix,
  uriTemplate,
} from './matchers.ts'

/** From all values of a list to what must hold if one of them does. */
export type Generator = (values: readonly string[]) => Json

const each =
  (or: 'orRules' | 'orIds', list: 'rules' | 'ids', one: (value: string) => Json): Generator =>
  (values) => ({ [or]: { [list]: values.map(one) } })
const permission = (one: (value: string) => Json) => each('orRules', 'rules', one)
const principal = (one: (value: string) => Json) => each('orIds', 'ids', one)
const authenticated = (matcher: Json): Json => ({ authenticated: { principalName: matcher } })

/** What a rule asks of the request's target. */
export const permissions = {
  hosts: permission((value) => ({ header: headerMatcher(':authority', value, true) })),
  methods: permission((value) => ({ header: headerMatcher(':method', value) })),
  paths: permission((value) =>
    isTemplate(value) ? { uriTemplate: uriTemplate(value) } : { urlPath: { path: stringMatcher(value) } },
  ),
  ports: permission((value) => ({ destinationPort: Number(value) })),
  destinationIp: permission((value) => ({ destinationIp: cidrRange(value) })),
  sni: permission((value) => ({ requestedServerName: stringMatcher(value) })),
} satisfies Record<string, Generator>

/** `experimental.envoy.filters.a.b[c]` → metadata key `c` of `envoy.filters.a.b`; a value `[v]` is one of a list. */
export function filterMetadata(key: string): Generator {
  const [filter, name] = splitOnce(key.slice('experimental.'.length).replace(/\]$/, ''), '[')
  return (values) => {
    const matchers = values.map((value) => {
      if (!value.startsWith('[') || !value.endsWith(']')) return { stringMatch: stringMatcher(value) }
      const text = value.replaceAll(/^[[\]]+|[[\]]+$/g, '')
      return { listMatch: { oneOf: { stringMatch: stringMatcher(text) } } }
    })
    return { metadata: metadata(filter, [name], anyOf(matchers)) }
  }
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator)
  return [text.slice(0, at), text.slice(at + 1)]
}

/** What a rule asks of the caller. */
export const principals = {
  principals: principal((value) => authenticated(stringMatcher(value, 'spiffe://'))),
  namespaces: principal((value) => {
    const name = value.split('*').map(quoteMeta).join('.*')
    return authenticated(regex(`.*/ns/${name}/.*`))
  }),
  trustDomains: principal((value) => {
    if (value === '*') return authenticated(prefix('spiffe://'))
    if (!value.includes('*')) return authenticated(prefix(`spiffe://${value}/`))
    const [before, after] = splitOnce(value, '*')
    return authenticated(regex(`spiffe://${quoteMeta(before)}[^/]*${quoteMeta(after)}/.*`))
  }),
  ipBlocks: principal((value) => ({ directRemoteIp: cidrRange(value) })),
  remoteIpBlocks: principal((value) => ({ remoteIp: cidrRange(value) })),
  requestPrincipals: (values: readonly string[]) => {
    const alternatives = values.map(requestPrincipal)
    return alternatives.length === 1 ? alternatives[0]! : { orIds: { ids: alternatives } }
  },
} satisfies Record<string, Generator>

/** Accounts without a namespace are of the policy's own. */
export function serviceAccounts(namespace: string): Generator {
  return principal((value) => {
    const [space, account] = value.includes('/') ? splitOnce(value, '/') : [namespace, value]
    return authenticated(regex(`spiffe://.+/ns/${quoteMeta(space)}/(.+/|)sa/${quoteMeta(account)}(/.+)?`))
  })
}

export const header = (name: string): Generator => principal((value) => ({ header: headerMatcher(name, value) }))

export const claims =
  (path: readonly string[]): Generator =>
  (values) => ({ metadata: claim(path, values) })

/** `ISSUER/SUBJECT`; the issuer may be a URL, so the last slash parts them. */
function requestPrincipal(value: string): Json {
  const [issuer, subject] = issuerAndSubject(value)
  const ids = [jwt(['iss'], { stringMatch: issuer }), jwt(['sub'], { stringMatch: subject })]
  return { andIds: { ids: ids.map((matcher) => ({ metadata: matcher })) } }
}

function issuerAndSubject(value: string): [Json, Json] {
  const any = regex('.+')
  const slash = value.lastIndexOf('/')
  const issuer = slash < 0 ? value : value.slice(0, slash)
  const subject = slash < 0 ? '' : value.slice(slash + 1)
  if (value === '*') return [any, any]
  if (value.startsWith('*')) {
    if (slash < 0) return [any, suffix(value.slice(1))]
    return [issuer === '*' ? any : suffix(issuer.slice(1)), exact(subject)]
  }
  if (value.endsWith('*')) {
    if (slash < 0) return [prefix(value.slice(0, -1)), any]
    return [exact(issuer), subject === '*' ? any : prefix(subject.slice(0, -1))]
  }
  return [exact(issuer), exact(subject)]
}

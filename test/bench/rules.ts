/**
 * The same authorization rules for several filters: each allows a set of methods, a path (exact and prefix in turn) and one value of a header.
 * The request that is sent matches the last rule only.
 */

import { stringify } from 'yaml'
import { compileAuthorization } from '../../cli/src/compile/index.ts'
import { Source } from '../../cli/src/resources/source.ts'
import { type Json } from '../../sdk/testing/envoy/index.ts'

export interface Rule {
  methods: string[]
  path: { exact: string } | { prefix: string }
  user: string
}

export function makeRules(count: number): Rule[] {
  return Array.from({ length: count }, (_, i) => ({
    methods: ['GET', 'HEAD'],
    path: i % 2 ? { exact: `/api/v1/shops/${i}/orders` } : { prefix: `/api/v1/areas/${i}/` },
    user: `user-${i}`,
  }))
}

/** A request that the last rule allows, and none before it. */
export function matchingRequest(rules: readonly Rule[]): string {
  const { path, user } = rules.at(-1)!
  const target = 'exact' in path ? path.exact : `${path.prefix}orders`
  return `GET ${target} HTTP/1.1\r\nhost: localhost\r\nuser-agent: bench\r\naccept: */*\r\nx-user: ${user}\r\n\r\n`
}

/** Istio takes no more rules in one policy. */
const RULES_PER_POLICY = 512

/** The rules as AuthorizationPolicies. */
export function policyYaml(rules: readonly Rule[]): string {
  const documents: string[] = []
  for (let start = 0; start < rules.length; start += RULES_PER_POLICY) {
    const items = rules.slice(start, start + RULES_PER_POLICY).map(({ methods, path, user }) => ({
      to: [{ operation: { methods, paths: ['exact' in path ? path.exact : `${path.prefix}*`] } }],
      when: [{ key: 'request.headers[x-user]', values: [user] }],
    }))
    documents.push(
      stringify({
        apiVersion: 'security.istio.io/v1',
        kind: 'AuthorizationPolicy',
        metadata: { name: `rules-${start}`, namespace: 'shop' },
        spec: { action: 'ALLOW', rules: items },
      }),
    )
  }
  return documents.join('---\n')
}

/** What those policies compile to. */
export function compiledRules(rules: readonly Rule[]): unknown {
  const workload = { namespace: 'shop', name: 'orders', labels: {} }
  const sources = [new Source('rules.yaml', policyYaml(rules))]
  const { configuration, diagnostics } = compileAuthorization(sources, { workload })
  if (!configuration) throw new Error(JSON.stringify(diagnostics))
  return configuration
}

/** Envoy's native RBAC filter as istiod configures it: one policy for each rule. */
export function nativeRbac(rules: readonly Rule[]): Json {
  const header = (name: string, exact: string): Json => ({ header: { name, string_match: { exact } } })
  const policies = rules.map(({ methods, path, user }, i) => [
    `ns[shop]-policy[rules]-rule[${i}]`,
    {
      permissions: [
        {
          and_rules: {
            rules: [
              { or_rules: { rules: methods.map((method) => header(':method', method)) } },
              { or_rules: { rules: [{ url_path: { path } }] } },
            ],
          },
        },
      ],
      principals: [{ and_ids: { ids: [{ or_ids: { ids: [header('x-user', user)] } }] } }],
    },
  ])
  return { rules: { action: 'ALLOW', policies: Object.fromEntries(policies) as Json } }
}

/** A Lua script that looks at one rule after the other, as the Rust filter does. */
export function luaScript(rules: readonly Rule[]): string {
  const items = rules.map(({ methods, path, user }) => {
    const set = methods.map((method) => `${method}=true`).join(',')
    const [kind, text] = Object.entries(path)[0] as [string, string]
    return `{methods={${set}},${kind}=${JSON.stringify(text)},user=${JSON.stringify(user)}}`
  })
  return `local rules = {${items.join(',\n')}}
function envoy_on_request(handle)
  local headers = handle:headers()
  local method, path, user = headers:get(":method"), headers:get(":path"), headers:get("x-user")
  local stop = string.find(path, "[?#]")
  if stop then path = string.sub(path, 1, stop - 1) end
  for i = 1, #rules do
    local rule = rules[i]
    if rule.methods[method] and rule.user == user then
      if rule.exact == path or rule.prefix and string.sub(path, 1, #rule.prefix) == rule.prefix then return end
    end
  end
  handle:respond({[":status"] = "403"}, "denied")
end`
}

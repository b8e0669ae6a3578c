/** The policies that the attacks are against. */

import type { AuthorizationPolicy, Rule, Spec } from '../rbac/policy.ts'

const policy = (action: Spec['action'], ...rules: Rule[]): AuthorizationPolicy => ({
  apiVersion: 'security.istio.io/v1',
  kind: 'AuthorizationPolicy',
  metadata: { name: 'p', namespace: 'foo' },
  spec: { action, rules },
})
const allow = (rule: Rule) => policy('ALLOW', rule)
const deny = (rule: Rule) => policy('DENY', rule)
const header = (name: string) => `request.headers[${name}]`

/** By what they are called in the table. */
export const policies = {
  'DENY paths /admin, /admin/*': deny({ to: [{ operation: { paths: ['/admin', '/admin/*'] } }] }),
  'ALLOW notPaths /admin*': allow({ to: [{ operation: { notPaths: ['/admin*'] } }] }),
  'ALLOW paths /public/*': allow({ to: [{ operation: { paths: ['/public/*'] } }] }),
  'ALLOW paths /public': allow({ to: [{ operation: { paths: ['/public'] } }] }),
  'ALLOW paths *.css': allow({ to: [{ operation: { paths: ['*.css'] } }] }),
  'ALLOW paths /api/{*}/read': allow({ to: [{ operation: { paths: ['/api/{*}/read'] } }] }),
  'DENY paths /api/{**}': deny({ to: [{ operation: { paths: ['/api/{**}'] } }] }),
  'ALLOW methods GET': allow({ to: [{ operation: { methods: ['GET'] } }] }),
  'DENY methods DELETE': deny({ to: [{ operation: { methods: ['DELETE'] } }] }),
  'DENY methods CONNECT': deny({ to: [{ operation: { methods: ['CONNECT'] } }] }),
  'ALLOW hosts example.com': allow({ to: [{ operation: { hosts: ['example.com'] } }] }),
  'DENY hosts admin.com': deny({ to: [{ operation: { hosts: ['admin.com'] } }] }),
  'DENY hosts admin.com, admin.com:*': deny({ to: [{ operation: { hosts: ['admin.com', 'admin.com:*'] } }] }),
  'ALLOW notHosts admin.com': allow({ to: [{ operation: { notHosts: ['admin.com'] } }] }),
  'ALLOW when x-role is user': allow({ when: [{ key: header('x-role'), values: ['user'] }] }),
  'ALLOW when x-role is not guest': allow({ when: [{ key: header('x-role'), notValues: ['guest'] }] }),
  'DENY when x-role is admin': deny({ when: [{ key: header('x-role'), values: ['admin'] }] }),
  'DENY when x-role begins with admin': deny({ when: [{ key: header('x-role'), values: ['admin*'] }] }),
  'ALLOW when x-role is there': allow({ when: [{ key: header('x-role'), values: ['*'] }] }),
  'DENY when x-role is missing': deny({ when: [{ key: header('x-role'), notValues: ['*'] }] }),
  'ALLOW ipBlocks 127.0.0.2': allow({ from: [{ source: { ipBlocks: ['127.0.0.2'] } }] }),
  'DENY ipBlocks 127.0.0.1': deny({ from: [{ source: { ipBlocks: ['127.0.0.1'] } }] }),
  'ALLOW remoteIpBlocks 10.0.0.0/8': allow({ from: [{ source: { remoteIpBlocks: ['10.0.0.0/8'] } }] }),
  'DENY remoteIpBlocks 10.0.0.0/8': deny({ from: [{ source: { remoteIpBlocks: ['10.0.0.0/8'] } }] }),
  'ALLOW principals cluster.local/ns/foo/sa/web': allow({
    from: [{ source: { principals: ['cluster.local/ns/foo/sa/web'] } }],
  }),
  'ALLOW principals *': allow({ from: [{ source: { principals: ['*'] } }] }),
  'DENY namespaces bar': deny({ from: [{ source: { namespaces: ['bar'] } }] }),
  'ALLOW namespaces foo': allow({ from: [{ source: { namespaces: ['foo'] } }] }),
  'ALLOW notNamespaces bar': allow({ from: [{ source: { notNamespaces: ['bar'] } }] }),
  'ALLOW serviceAccounts web': allow({ from: [{ source: { serviceAccounts: ['web'] } }] }),
  'ALLOW requestPrincipals issuer/admin': allow({ from: [{ source: { requestPrincipals: ['issuer/admin'] } }] }),
  'ALLOW request.auth.claims[groups] admin': allow({
    when: [{ key: 'request.auth.claims[groups]', values: ['admin'] }],
  }),
  'DENY request.auth.claims[groups] guest': deny({ when: [{ key: 'request.auth.claims[groups]', values: ['guest'] }] }),
  'ALLOW connection.sni example.com': allow({ when: [{ key: 'connection.sni', values: ['example.com'] }] }),
  'DENY connection.sni admin.com': deny({ when: [{ key: 'connection.sni', values: ['admin.com'] }] }),
} as const

export type PolicyName = keyof typeof policies

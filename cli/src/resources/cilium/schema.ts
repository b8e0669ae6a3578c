/** The form of Cilium's network policies, as the CRDs of cilium.io/v2 have it. */
import type { Schema } from '../schema.ts'

const any: Schema = {}
const text: Schema = { type: 'string' }
const anyList: Schema = { type: 'array', items: any }

const object = (properties: Record<string, Schema>, required: readonly string[] = []): Schema => ({
  type: 'object',
  properties,
  required,
})
const list = (items: Schema, maxItems?: number): Schema => ({
  type: 'array',
  items,
  ...(maxItems !== undefined && { maxItems }),
})

const selector = object({
  matchLabels: {
    type: 'object',
    additionalProperties: {
      type: 'string',
      maxLength: 63,
      pattern: { test: /^([A-Za-z0-9]([\w.-]*[A-Za-z0-9])?)?$/, expected: 'a valid label value' },
    },
  },
  matchExpressions: list(
    object(
      {
        key: { type: 'string', minLength: 1 },
        operator: { type: 'string', enum: ['In', 'NotIn', 'Exists', 'DoesNotExist'] },
        values: list(text),
      },
      ['key', 'operator'],
    ),
  ),
})

const cidr: Schema = { type: 'string', minLength: 1 }
const cidrSet = list(object({ cidr, cidrGroupRef: text, cidrGroupSelector: selector, except: list(cidr) }))

const entities = list({
  type: 'string',
  enum: [
    'all',
    'world',
    'world-ipv4',
    'world-ipv6',
    'cluster',
    'host',
    'init',
    'ingress',
    'unmanaged',
    'remote-node',
    'health',
    'none',
    'kube-apiserver',
  ],
})

const secret = object({ name: { type: 'string', minLength: 1 }, namespace: text }, ['name'])

const http = object({
  path: text,
  method: text,
  host: text,
  headers: list(text),
  headerMatches: list(
    object(
      {
        name: { type: 'string', minLength: 1 },
        value: text,
        secret,
        mismatch: { type: 'string', enum: ['', 'LOG', 'ADD', 'DELETE', 'REPLACE'] },
      },
      ['name'],
    ),
  ),
})

const maxPorts = 40
const ports = list(
  object(
    {
      port: {
        type: 'string',
        pattern: {
          test: /^(\d{1,5}|(?=.{1,15}$)(?=.*[a-zA-Z])[a-zA-Z0-9]+(-[a-zA-Z0-9]+)*)$/,
          expected: 'a port number in quotes or the name of a port',
        },
      },
      endPort: { type: 'integer', minimum: 0, maximum: 65535 },
      protocol: {
        type: 'string',
        enum: ['TCP', 'UDP', 'SCTP', 'ICMP', 'ICMPv6', 'VRRP', 'IGMP', 'ANY', ''],
      },
    },
    ['port'],
  ),
  maxPorts,
)

const tls = object({ secret, trustedCA: text, certificate: text, privateKey: text }, ['secret'])
const fqdn = {
  name: { test: /^([-a-zA-Z0-9_]+[.]?)+$/, expected: 'a DNS name' },
  pattern: { test: /^([-a-zA-Z0-9_*]+[.]?)+$/, expected: 'a DNS name with stars' },
}

const portRules = list(
  object({
    ports,
    rules: object({ http: list(http), kafka: anyList, dns: anyList, l7proto: text, l7: anyList }),
    serverNames: list({ type: 'string', minLength: 1 }),
    terminatingTLS: tls,
    originatingTLS: tls,
    listener: any,
  }),
)

const common = { icmps: anyList }
const from = {
  fromEndpoints: list(selector),
  fromCIDR: list(cidr),
  fromCIDRSet: cidrSet,
  fromEntities: entities,
  fromGroups: anyList,
  fromNodes: anyList,
  fromRequires: anyList,
}
const to = {
  toEndpoints: list(selector),
  toCIDR: list(cidr),
  toCIDRSet: cidrSet,
  toEntities: entities,
  toServices: list(
    object({
      k8sService: object({ serviceName: text, namespace: text }),
      k8sServiceSelector: object({ selector, namespace: text }, ['selector']),
    }),
  ),
  toGroups: anyList,
  toNodes: anyList,
  toRequires: anyList,
}
const authentication = object({ mode: { type: 'string', enum: ['required', 'disabled', 'test-always-fail'] } }, [
  'mode',
])
const denyPorts = list(object({ ports }))

/** Schema of `spec` and of the items of `specs`. */
export const ciliumRuleSchema = object({
  description: text,
  labels: anyList,
  log: any,
  endpointSelector: selector,
  nodeSelector: selector,
  enableDefaultDeny: object({ ingress: { type: 'boolean' }, egress: { type: 'boolean' } }),
  ingress: list(object({ ...from, ...common, authentication, toPorts: portRules })),
  ingressDeny: list(object({ ...from, ...common, toPorts: denyPorts })),
  egress: list(
    object({
      ...to,
      ...common,
      authentication,
      toPorts: portRules,
      toFQDNs: list(
        object({
          matchName: { type: 'string', maxLength: 255, pattern: fqdn.name },
          matchPattern: { type: 'string', maxLength: 255, pattern: fqdn.pattern },
        }),
      ),
    }),
  ),
  egressDeny: list(object({ ...to, ...common, toPorts: denyPorts })),
})

/** What becomes of several policies: actions, dry runs, ids, namespaces. */
import { type FurtherCase, operation, policies, policy, type Rule, source } from './policy.ts'

const on = (...paths: string[]): Rule => operation({ paths })
const ask = (...paths: string[]) => paths.map((path) => ({ path }))

export const actions: FurtherCase[] = [
  {
    name: 'least-id-decides',
    policies: policies(
      policy(
        'ALLOW',
        Array.from({ length: 12 }, (_, index) =>
          on(`/only${index}`, ...(index > 1 ? ['/many'] : []), ...(index > 2 ? ['/more'] : [])),
        ),
        { name: 'twelve' },
      ),
      policy('ALLOW', [on('/many'), on('/shared')], { name: 'a' }),
      policy('ALLOW', [on('/shared')], { name: 'a-0' }),
      policy('ALLOW', [on('/shared', '/more')], { name: 'z' }),
    ),
    requests: ask('/only0', '/only2', '/only10', '/only11', '/only12', '/many', '/more', '/shared'),
  },
  {
    name: 'namespaces-and-selectors-of-policies',
    policies: policies(
      policy('ALLOW', [on('/own')], { name: 'own' }),
      policy('ALLOW', [on('/root', '/own')], { name: 'root', namespace: 'istio-system' }),
      policy('ALLOW', [on('/labelled')], { name: 'labelled', labels: { app: 'httpbin', version: 'v1' } }),
      policy('ALLOW', [on('/rootlabelled')], { name: 'r', namespace: 'istio-system', labels: { app: 'httpbin' } }),
      policy('ALLOW', [on('/otherlabel')], { name: 'otherlabel', labels: { app: 'other' } }),
      policy('ALLOW', [on('/otherspace')], { name: 'own', namespace: 'bar' }),
      policy('DENY', [on('/rootlabelled'), on('/own')], { name: 'unlabelled', labels: { app: 'httpbin', tier: 'x' } }),
      policy('DENY', [source({ notIpBlocks: ['127.0.0.0/8'] })], { name: 'outside', namespace: 'istio-system' }),
    ),
    requests: ask('/own', '/root', '/labelled', '/rootlabelled', '/otherlabel', '/otherspace', '/none'),
  },
  {
    name: 'deny-goes-before-allow',
    policies: policies(
      policy('ALLOW', [{}], { name: 'all' }),
      policy('DENY', [on('/a*'), { ...on('/both'), ...source({ ipBlocks: ['127.0.5.0/24'] }) }], { name: 'some' }),
      policy('DENY', [on('/ab')], { name: 'more' }),
    ),
    requests: [...ask('/a', '/ab', '/b', '/both'), { path: '/both', src: '127.0.5.1' }],
  },
  {
    name: 'allow-nothing-beside-something',
    policies: policies(policy('ALLOW', [], { name: 'nothing' }), policy('ALLOW', [on('/a')], { name: 'something' })),
    requests: ask('/a', '/b'),
  },
  {
    name: 'grpc',
    policies: policies(
      policy('ALLOW', [operation({ methods: ['POST'], paths: ['/pkg.Service/Get*'] })], { name: 'get' }),
      policy('DENY', [on('/pkg.Service/GetSecret')], { name: 'secret' }),
    ),
    requests: ['application/grpc', 'application/grpc+proto', 'application/grpc-web', 'application/json'].flatMap(
      (type) =>
        ['GetName', 'GetSecret', 'Put'].map((method) => ({
          method: 'POST',
          path: `/pkg.Service/${method}`,
          headers: { 'content-type': type },
        })),
    ),
  },
  {
    name: 'audit-alone',
    policies: policies(
      policy('AUDIT', [on('/a'), operation({ methods: ['POST'] })], { name: 'x' }),
      policy('AUDIT', [on('/b')], { name: 'y', namespace: 'istio-system' }),
    ),
    requests: [...ask('/a', '/b', '/c'), { method: 'POST', path: '/c' }],
  },
  {
    name: 'audit-of-all-with-others',
    policies: policies(
      policy('AUDIT', [{}], { name: 'audit' }),
      policy('DENY', [on('/deny')], { name: 'deny' }),
      policy('ALLOW', [on('/allow', '/deny')], { name: 'allow' }),
    ),
    requests: ask('/allow', '/deny', '/other'),
  },
  {
    name: 'dry-runs-of-both-kinds',
    policies: policies(
      policy('DENY', [on('/a', '/b'), on('/c')], { name: 'try-deny', dryRun: true }),
      policy('ALLOW', [on('/a')], { name: 'try-allow', dryRun: true }),
      policy('ALLOW', [on('/a', '/b')], { name: 'allow' }),
      policy('DENY', [on('/b')], { name: 'deny' }),
    ),
    requests: ask('/a', '/b', '/c', '/d'),
  },
  {
    name: 'dry-runs-alone',
    policies: policies(
      policy('DENY', [on('/a'), on('/a', '/b')], { name: 'd', dryRun: true }),
      policy('ALLOW', [on('/b')], { name: 'a', dryRun: true }),
      policy('ALLOW', [], { name: 'none', dryRun: true }),
    ),
    requests: ask('/a', '/b', '/c'),
  },
  {
    name: 'dry-runs-with-audit',
    policies: policies(
      policy('AUDIT', [on('/a*')], { name: 'audit' }),
      policy('DENY', [on('/a'), on('/ab')], { name: 'deny', dryRun: true }),
      policy('ALLOW', [on('/a*')], { name: 'allow' }),
    ),
    requests: ask('/a', '/ab', '/abc'),
  },
  {
    name: 'custom-without-provider',
    policies: policies(
      JSON.stringify({
        apiVersion: 'security.istio.io/v1',
        kind: 'AuthorizationPolicy',
        metadata: { name: 'ext', namespace: 'foo' },
        spec: { action: 'CUSTOM', provider: { name: 'unknown' }, rules: [on('/ext', '/deny'), on('/other')] },
      }),
      policy('DENY', [on('/deny')], { name: 'deny' }),
      policy('ALLOW', [on('/ext', '/allow')], { name: 'allow' }),
    ),
    requests: ask('/ext', '/other', '/deny', '/allow', '/none'),
  },
]

import { expect, test } from 'vitest'
import { Diagnostics } from '../../resources/diagnostics.ts'
import { parseMeshConfig } from '../../resources/mesh-config.ts'
import { Source } from '../../resources/source.ts'
import { compileAuthorization } from '../index.ts'

const mesh = `extensionProviders:
- name: http
  envoyExtAuthzHttp:
    service: foo/ext-authz.foo.svc.cluster.local
    port: 8000
    timeout: 1.5s
    failOpen: true
    statusOnError: "503"
    pathPrefix: /check
    includeRequestHeadersInCheck: [X-Auth, "x-b3-*", "*-id"]
    includeAdditionalHeadersInCheck: {x-a: b}
    includeRequestBodyInCheck: {maxRequestBytes: 1024, allowPartialMessage: true}
    headersToUpstreamOnAllow: [X-User]
- name: grpc
  envoyExtAuthzGrpc: {service: ext-authz.foo.svc.cluster.local, port: 9000}
- name: zipkin
  zipkin: {service: z, port: 9411}
`

function compile(...providers: string[]) {
  const diagnostics = new Diagnostics()
  const policies = providers.map((provider, index) => {
    const spec = `{action: CUSTOM, provider: {name: ${provider}}, rules: [{}]}`
    const metadata = `{name: p${index}, namespace: foo}`
    return `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: ${metadata}\nspec: ${spec}\n`
  })
  const { configuration } = compileAuthorization([new Source('policy.yaml', policies.join('---\n'))], {
    workload: { namespace: 'foo', name: 'httpbin', labels: {} },
    mesh: parseMeshConfig(new Source('mesh.yaml', mesh), diagnostics),
    diagnostics,
  })
  return {
    providers: configuration?.providers,
    told: diagnostics.toJSON().map(({ code, field }) => `${code} ${field}`),
  }
}

test('a service that is asked by HTTP', () => {
  expect(compile('http', 'http')).toEqual({
    told: [],
    providers: {
      http: {
        http: {
          cluster: 'outbound|8000||ext-authz.foo.svc.cluster.local',
          timeoutMs: 1500,
          failOpen: true,
          statusOnError: 503,
          pathPrefix: '/check',
          includeRequestHeadersInCheck: [{ exact: 'x-auth' }, { prefix: 'x-b3-' }, { suffix: '-id' }],
          includeAdditionalHeadersInCheck: { 'x-a': 'b' },
          includeRequestBodyInCheck: { maxRequestBytes: 1024, allowPartialMessage: true },
          headersToUpstreamOnAllow: [{ exact: 'x-user' }],
        },
      },
    },
  })
})

test('a service that is asked by gRPC', () => {
  const authority = 'ext-authz.foo.svc.cluster.local'
  expect(compile('grpc')).toEqual({
    told: [],
    providers: { grpc: { grpc: { cluster: `outbound|9000||${authority}`, authority } } },
  })
})

test('what cannot be asked is left out with a warning, so that the filter refuses', () => {
  const warning = 'MS1405 spec.provider.name'
  expect(compile('nobody')).toEqual({ told: [warning], providers: undefined })
  expect(compile('zipkin')).toEqual({ told: [warning], providers: undefined })
  expect(compile('http', 'grpc')).toEqual({ told: [warning, warning], providers: undefined })
})

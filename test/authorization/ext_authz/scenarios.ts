/** Requests, the providers that are asked about them, and the answers of these. */
import { cluster, type Cluster, type HandlerResult, type RequestInit } from '@meshscript/sdk/testing'
import type { HttpExtAuthzConfig, ProviderConfig } from '../../../cli/src/compile/authorization-config.ts'
import { allowed, denied, readCheck } from './messages.ts'

export interface Scenario {
  provider: ProviderConfig
  cluster: Cluster
  request?: RequestInit
}

type HttpSettings = Partial<HttpExtAuthzConfig>
type Grpc = Uint8Array | { status: number } | 'never'

const http = (answer: HandlerResult, settings: HttpSettings = {}, request?: RequestInit): Scenario => ({
  provider: { http: { cluster: 'authorizer', timeoutMs: 1000, ...settings } },
  cluster: cluster.http(() => answer),
  request,
})

/** What the services were asked by gRPC, in order. */
export const checks: ReturnType<typeof readCheck>[] = []

const grpc = (answer: Grpc, settings: HttpSettings = {}, request?: RequestInit): Scenario => ({
  provider: { grpc: { cluster: 'authorizer', authority: 'authorizer.test', timeoutMs: 1000, ...settings } },
  cluster: cluster.grpc({
    'envoy.service.auth.v3.Authorization/Check': ([message]) => {
      checks.push(readCheck(message!))
      if (answer === 'never') return { messages: [], delay: 5000 }
      return answer instanceof Uint8Array ? { messages: [answer] } : { ...answer, messages: [] }
    },
  }),
  request,
})

const header = (key: string, value: string, append?: boolean) => ({
  key,
  value,
  ...(append !== undefined && { append }),
})
const post = (body: string, headers = {}): RequestInit => ({ method: 'POST', body, headers })
const withBody = { maxRequestBytes: 10 }
const many: RequestInit = {
  method: 'PUT',
  headers: [
    ['authorization', 'Bearer x'],
    ['x-secret', 's'],
    ['x-list', 'a'],
    ['x-list', 'b'],
    ['x-b3-trace', '1'],
    ['my-id', '2'],
    ['x-own', 'of the client'],
  ],
}

export const scenarios: Record<string, Scenario> = {
  'http allows': http(200),
  'http gets the request line, authorization and what is included': http(
    200,
    {
      pathPrefix: '/check',
      includeRequestHeadersInCheck: [{ exact: 'x-list' }, { prefix: 'x-b3-' }, { suffix: '-id' }],
      includeAdditionalHeadersInCheck: { 'x-own': 'of the provider', 'x-more': '1' },
    },
    many,
  ),
  'http changes the request': http(
    {
      headers: {
        'x-user': 'eve',
        'x-list': ['c', 'd'],
        'x-other': 'not allowed',
        'x-envoy-auth-headers-to-remove': 'x-secret, authorization',
      },
    },
    { headersToUpstreamOnAllow: [{ exact: 'x-user' }, { exact: 'x-list' }] },
    many,
  ),
  'http changes the response': http(
    { headers: { 'set-cookie': ['a=1', 'b=2'], 'x-other': '1' } },
    { headersToDownstreamOnAllow: [{ exact: 'set-cookie' }] },
  ),
  'http refuses': http({
    status: 401,
    headers: { 'x-why': 'because', 'content-type': 'text/html' },
    body: '<b>no</b>',
  }),
  'http refuses with listed headers': http(
    { status: 401, headers: { 'x-why': 'because', 'x-other': '1', 'www-authenticate': 'Basic' }, body: 'no' },
    { headersToDownstreamOnDeny: [{ exact: 'x-why' }] },
  ),
  'http redirects': http({ status: 302, headers: { location: 'https://login.test/', 'set-cookie': ['a=1', 'b=2'] } }),
  'http answers 201': http({ status: 201, body: 'created' }),
  'http fails': http(500),
  'http fails, own status': http(503, { statusOnError: 503 }),
  'http fails open': http(500, { failOpen: true }),
  'http never answers': http({ hang: true }, { timeoutMs: 100 }),
  'http never answers, open': http({ hang: true }, { timeoutMs: 100, failOpen: true }),
  'http breaks': http({ reset: true }),
  'http breaks in the middle': http({ reset: true, afterHeaders: true }),
  'http refuses connections': { ...http(200), cluster: cluster.refused() },
  'http gets no body unasked': http(200, {}, post('0123456789')),
  'http gets the body': http(200, { includeRequestBodyInCheck: withBody }, post('0123')),
  'http gets a part of the body': http(
    200,
    { includeRequestBodyInCheck: { ...withBody, allowPartialMessage: true } },
    post('0123456789abc'),
  ),
  'http gets no body that is too large': http(200, { includeRequestBodyInCheck: withBody }, post('0123456789abc')),
  'http gets a body with trailers': http(
    200,
    { includeRequestBodyInCheck: withBody },
    { ...post('0123'), trailers: { 'x-end': '1' } },
  ),
  'http gets a request without a body': http(200, { includeRequestBodyInCheck: withBody }),
  'http refuses a gRPC request': http(
    { status: 401, body: 'no' },
    {},
    { method: 'POST', path: '/p/s/m', protocol: 'http2', headers: { 'content-type': 'application/grpc' }, body: '' },
  ),
  'grpc allows': grpc(allowed()),
  'grpc allows by an empty message': grpc(Buffer.alloc(0)),
  'grpc gets everything': grpc(allowed(), {}, { ...many, path: '/p/a?b=c', authority: 'shop.test:80' }),
  'grpc gets wrong UTF-8': grpc(
    allowed(),
    {},
    {
      raw: Buffer.from(
        'GET /p/ HTTP/1.1\r\nhost: a\r\nx-raw: a\xffb\xc3(\xc3\xa9 \xe2\x82 \xe2\x82\xac \xed\xa0\x80 \xf0\x9f\x98\x80 \xf5 \xc0\x80\r\nconnection: close\r\n\r\n',
        'latin1',
      ),
    },
  ),
  'grpc changes the request': grpc(
    allowed({
      headers: [
        header('x-user', 'eve'),
        header('X-Case', 'lower'),
        header('x-list', 'joined', true),
        header('x-new-list', 'joined', true),
        header('x-own', 'overwritten', false),
      ],
      remove: ['x-secret', ':path', 'host', 'x-absent'],
    }),
    {},
    many,
  ),
  'grpc changes the request by actions': grpc(
    allowed({
      headers: [
        { key: 'x-list', value: 'further', action: 0 },
        { key: 'x-own', value: 'not again', action: 1 },
        { key: 'x-if-absent', value: 'absent', action: 1 },
        { key: 'my-id', value: 'other', action: 2 },
        { key: 'x-secret', value: 'other', action: 3 },
        { key: 'x-if-there', value: 'never', action: 3 },
      ],
    }),
    {},
    many,
  ),
  'grpc changes the path': grpc(allowed({ headers: [header(':path', '/p/other?x=1')] })),
  'grpc changes parameters': grpc(
    allowed({ setParameters: [['b', '2'], ['d', '4']], removeParameters: ['c'] }), // prettier-ignore
    {},
    { path: '/p/q?a=1&b=1&b=0&c=3' },
  ),
  'grpc changes the response': grpc(
    allowed({ responseHeaders: [header('x-set', 'new', false), header('x-added', '1', true), header('x-plain', '1')] }),
  ),
  'grpc changes the response by actions': grpc(
    allowed({
      responseHeaders: [
        { key: 'x-set', value: 'further', action: 0 },
        { key: 'x-set', value: 'not again', action: 1 },
        { key: 'x-absent', value: 'absent', action: 1 },
        { key: 'x-over', value: 'other', action: 2 },
        { key: 'x-there', value: 'other', action: 3 },
        { key: 'x-if-there', value: 'never', action: 3 },
      ],
    }),
  ),
  'grpc refuses': grpc(
    denied({ status: 401, body: 'no', headers: [header('x-why', 'because'), header('x-why', 'b')] }),
  ),
  'grpc refuses without more': grpc(Buffer.from([0x0a, 2, 8, 7])),
  'grpc refuses, cookies': grpc(
    denied({ status: 302, headers: [header('set-cookie', 'a=1'), header('set-cookie', 'b=2')] }),
  ),
  'grpc refuses with an unknown status': grpc(denied({ status: 0 }, 16)),
  'grpc fails': grpc({ status: 13 }),
  'grpc fails open': grpc({ status: 14 }, { failOpen: true }),
  'grpc fails, own status': grpc({ status: 13 }, { statusOnError: 503 }),
  'grpc never answers': grpc('never', { timeoutMs: 100 }),
  'grpc sends no message': grpc(Buffer.from([0x0a, 0x7f, 1])),
  'grpc sends no message, open': grpc(Buffer.from([0x0a, 0x7f, 1]), { failOpen: true }),
  'grpc refuses connections': { ...grpc(allowed()), cluster: cluster.refused() },
  'grpc gets the body': grpc(allowed(), { includeRequestBodyInCheck: withBody }, post('0123')),
  'grpc gets the body as bytes': grpc(
    allowed(),
    { includeRequestBodyInCheck: { ...withBody, packAsBytes: true } },
    post('0123'),
  ),
  'grpc gets a part of the body': grpc(
    allowed(),
    { includeRequestBodyInCheck: { ...withBody, allowPartialMessage: true } },
    post('0123456789abc', { 'x-envoy-auth-partial-body': 'false' }),
  ),
}

/** The request of a scenario, for the provider `p`. */
export const requestOf = ({ request }: Scenario): RequestInit => ({ path: '/p/q?a=1', ...request })

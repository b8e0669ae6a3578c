/** What a request carries: headers, tokens, metadata of other filters. */
import { byPath, type FurtherCase, policies, policy, product, type Rule, source, when } from './policy.ts'

const header = (name: string, values?: string[], notValues?: string[]) =>
  when(`request.headers[${name}]`, values, notValues)
const claim = (path: string, values?: string[], notValues?: string[]) =>
  when(`request.auth.claims${path}`, values, notValues)

const ISSUER = 'iss@test'
const WEB = 'https://x.test/y'
const authentication = `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: jwt, namespace: foo}
spec:
  jwtRules:
  - issuer: ${ISSUER}
    jwks: \${JWKS}
  - issuer: ${WEB}
    jwks: \${JWKS}
    audiences: [web]
`
const withTokens = (rules: Record<string, Rule>) => policies(authentication, policy('ALLOW', byPath(rules)))
const jwt = (claims: Record<string, unknown>) => ({ jwt: { iss: ISSUER, sub: 'u1', ...claims } })

export const attributes: FurtherCase[] = [
  {
    name: 'headers-forms',
    policies: policy(
      'ALLOW',
      byPath({
        '/exact': header('X-Token', ['admin', 'root']),
        '/prefix': header('x-token', ['ad*']),
        '/suffix': header('x-token', ['*in']),
        '/any': header('x-token', ['*']),
        '/not': header('x-token', undefined, ['admin']),
        '/not-any': header('x-token', undefined, ['*']),
        '/both': header('x-token', ['a*'], ['*n']),
        '/star': header('x-token', ['a*n']),
      }),
    ),
    requests: product(
      ['/exact', '/prefix', '/suffix', '/any', '/not', '/not-any', '/both', '/star'],
      [
        {},
        { headers: { 'x-token': 'admin' } },
        { headers: { 'X-TOKEN': 'Admin' } },
        { headers: { 'x-token': '' } },
        { headers: { 'x-token': ['', 'admin'] } },
        { headers: { 'x-token': ['abc', 'root'] } },
        { headers: { 'x-token': 'admin, root' } },
        { headers: { 'x-token': 'a*n' } },
      ],
    ),
  },
  {
    name: 'headers-bytes',
    policies: policy(
      'ALLOW',
      byPath({
        '/utf8': header('x-a', ['caf\u00e9']),
        '/prefix': header('x-a', ['caf*']),
        '/suffix': header('x-a', ['*\u00e9']),
        '/long': header('x-a', [`${'l'.repeat(4000)}*`]),
        '/tab': header('x-a', ['a\tb', 'a  b']),
      }),
    ),
    requests: [
      ...product(
        ['/utf8', '/prefix', '/suffix'],
        // One byte of Latin-1, then the two bytes of UTF-8.
        [
          { headers: { 'x-a': 'caf\u00e9' } },
          { headers: { 'x-a': 'caf\u00c3\u00a9' } },
          { headers: { 'x-a': '\u00ff\u00fe' } },
        ],
      ),
      { path: '/long', headers: { 'x-a': 'l'.repeat(4000) } },
      { path: '/long', headers: { 'x-a': 'l'.repeat(3999) } },
      { path: '/long', headers: { 'x-a': 'l'.repeat(20_000) } },
      { path: '/long', headers: { 'x-a': ['l'.repeat(3999), 'l'.repeat(4001)] } },
      { path: '/tab', headers: { 'x-a': 'a\tb' } },
      { path: '/tab', headers: { 'x-a': 'a  b' } },
      { path: '/tab', headers: { 'x-a': 'a b' } },
    ],
  },
  {
    name: 'headers-known-to-envoy',
    policies: policy(
      'ALLOW',
      byPath({
        '/agent': header('User-Agent', ['one', 'one,two']),
        '/cookie': header('cookie', ['a=1', 'a=1; b=2', 'a=1,b=2']),
        '/accept': header('accept', ['text/*']),
        '/host': header('host', ['h.example']),
        '/HOST': header('Host', ['H.example']),
        '/authority': header(':authority', ['h.example:*']),
        '/method': header(':method', ['P*']),
        '/path?*': header(':path', ['/path?x=1', '*end']),
        '/forwarded': header('x-forwarded-proto', ['http']),
        '/cert': header('x-forwarded-client-cert', ['By=spiffe://cluster.local/*']),
        '/connection': header('connection', ['*']),
        '/internal': header('x-envoy-original-url', ['*']),
        '/path': header(':path', ['/path?x=1', '*end']),
      }),
    ),
    requests: [
      { path: '/agent', headers: { 'user-agent': ['one', 'two'] } },
      { path: '/agent', headers: { 'user-agent': 'one' } },
      { path: '/agent', headers: { 'user-agent': 'two' } },
      { path: '/cookie', headers: { cookie: ['a=1', 'b=2'] } },
      { path: '/cookie', headers: { cookie: 'a=1; b=2' } },
      { path: '/cookie', headers: { cookie: 'b=2; a=1' } },
      { path: '/accept', headers: { accept: ['text/html', 'image/png'] } },
      { path: '/accept', headers: { accept: ['image/png', 'text/html'] } },
      ...product(
        ['/host', '/HOST', '/authority'],
        [{ host: 'h.example' }, { host: 'H.example' }, { host: 'h.example:1' }],
      ),
      { path: '/method', method: 'POST' },
      { path: '/method', method: 'GET' },
      { path: '/path?x=1' },
      { path: '/path?x=2' },
      { path: '/path?the-end' },
      { path: '/path#the-end' },
      { path: '/path' },
      { path: '/forwarded' },
      { path: '/forwarded', headers: { 'x-forwarded-proto': 'https' } },
      { path: '/cert', headers: { 'x-forwarded-client-cert': 'By=spiffe://cluster.local/x' } },
      { path: '/cert', peer: 'spiffe://cluster.local/ns/foo/sa/a' },
      { path: '/connection', headers: { connection: 'close' } },
      { path: '/internal', headers: { 'x-envoy-original-url': 'x' } },
    ],
  },
  {
    name: 'headers-denied',
    policies: policy(
      'DENY',
      byPath({ '/a': header('x-a', ['bad*']), '/b': header('x-a', undefined, ['good', 'fine*']) }),
    ),
    requests: product(
      ['/a', '/b', '/c'],
      [
        {},
        { headers: { 'x-a': 'bad' } },
        { headers: { 'x-a': ['good', 'bad'] } },
        { headers: { 'x-a': 'good,bad' } },
        { headers: { 'x-a': 'fine' } },
        { headers: { 'x-a': '' } },
      ],
    ),
  },
  {
    name: 'request-principals',
    policies: withTokens({
      '/exact': source({ requestPrincipals: [`${ISSUER}/u1`, `${WEB}/u1`] }),
      '/issuer': source({ requestPrincipals: [`${ISSUER}/*`] }),
      '/subject': source({ requestPrincipals: ['*/u1'] }),
      '/subprefix': source({ requestPrincipals: [`${WEB}/u*`] }),
      '/issuerprefix': source({ requestPrincipals: ['https://*'] }),
      '/issuersuffix': source({ requestPrincipals: ['*x.test/y/u1'] }),
      '/any': source({ requestPrincipals: ['*'] }),
      '/not': source({ notRequestPrincipals: [`${ISSUER}/u1`] }),
      '/not-any': source({ notRequestPrincipals: ['*'] }),
      '/slashless': source({ requestPrincipals: [ISSUER] }),
      '/when': when('request.auth.principal', [`${ISSUER}/*`], [`${ISSUER}/u2`]),
    }),
    requests: [
      ...product(
        [
          '/exact',
          '/issuer',
          '/subject',
          '/subprefix',
          '/issuerprefix',
          '/issuersuffix',
          '/any',
          '/not',
          '/not-any',
          '/slashless',
          '/when',
        ],
        [
          {},
          { jwt: { iss: ISSUER, sub: 'u1' } },
          { jwt: { iss: ISSUER, sub: 'u2' } },
          { jwt: { iss: WEB, sub: 'u1', aud: 'web' } },
          { jwt: { iss: ISSUER } },
          { jwt: { iss: ISSUER, sub: '' } },
          { jwt: { iss: ISSUER, sub: 'a/u1' } },
        ],
      ),
      // These never come to the filter.
      { path: '/not', jwt: { iss: 'other@test', sub: 'u1' } },
      { path: '/not', jwt: { iss: WEB, sub: 'u1', aud: 'other' } },
      { path: '/not', jwt: { iss: ISSUER, sub: 'u1', exp: 1_700_000_001 } },
      { path: '/not', jwt: 'not.a.token' },
    ],
  },
  {
    name: 'claims',
    policies: withTokens({
      '/list': claim('[groups]', ['admin', 'dev*']),
      '/suffix': claim('[groups]', ['*ops']),
      '/any': claim('[groups]', ['*']),
      '/nested': claim('[a][b]', ['x']),
      '/deep': claim('[a][b][c]', ['x*']),
      '/not': claim('[groups]', undefined, ['admin']),
      '/both': claim('[groups]', ['admin'], ['guest']),
      '/scope': claim('[scope]', ['read']),
      '/permission': claim('[permission]', ['write']),
      '/dotted': claim('[a.b/c]', ['x']),
      '/iss': claim('[iss]', [ISSUER]),
    }),
    requests: [
      ...product(
        ['/list', '/suffix', '/any', '/not', '/both'],
        [
          {},
          jwt({}),
          jwt({ groups: 'admin' }),
          jwt({ groups: ['guest', 'admin'] }),
          jwt({ groups: ['devops'] }),
          jwt({ groups: [] }),
          jwt({ groups: '' }),
          jwt({ groups: 'guest admin' }),
          jwt({ groups: 5 }),
          jwt({ groups: true }),
          jwt({ groups: null }),
          jwt({ groups: { admin: 'admin' } }),
          jwt({ groups: [['admin'], 1, null, { a: 'admin' }, 'admin'] }),
          jwt({ groups: [['admin']] }),
        ],
      ),
      ...product(
        ['/nested', '/deep'],
        [
          jwt({ a: { b: 'x' } }),
          jwt({ a: { b: ['y', 'x'] } }),
          jwt({ a: { b: { c: 'xy' } } }),
          jwt({ a: [{ b: 'x' }] }),
          jwt({ a: 'x' }),
          jwt({ 'a.b': 'x' }),
        ],
      ),
      ...product(
        ['/scope', '/permission'],
        [
          jwt({ scope: 'read write', permission: 'read write' }),
          jwt({ scope: ' read  other ', permission: 'write' }),
          jwt({ scope: ['read write'], permission: ['write'] }),
          jwt({ scope: 'reads', permission: 'overwrite' }),
        ],
      ),
      { path: '/dotted', ...jwt({ 'a.b/c': 'x' }) },
      { path: '/dotted', ...jwt({ a: { 'b/c': 'x' } }) },
      { path: '/iss', ...jwt({}) },
      { path: '/list', ...jwt({ groups: Array.from({ length: 300 }, (_, index) => `g${index}`).concat('admin') }) },
      { path: '/list', ...jwt({ groups: ['\u00e4dmin', 'Admin', ' admin'] }) },
    ],
  },
  {
    name: 'claims-audience-and-presenter',
    policies: withTokens({
      '/aud': when('request.auth.audiences', ['web', 'app*']),
      '/not': when('request.auth.audiences', undefined, ['web']),
      '/azp': when('request.auth.presenter', ['client']),
    }),
    requests: product(
      ['/aud', '/not', '/azp'],
      [
        {},
        jwt({ aud: 'web' }),
        jwt({ aud: ['x', 'apple'], azp: 'client' }),
        jwt({ aud: ['x'], azp: ['y', 'client'] }),
        jwt({ azp: 'Client' }),
      ],
    ),
  },
  {
    name: 'metadata-of-other-filters',
    metadata: {
      'envoy.filters.http.custom': {
        text: 'abcdef',
        empty: '',
        list: ['one', 'two', 3],
        number: 5,
        yes: true,
        nested: { a: 'x' },
      },
      'envoy.filters.http.other': { text: 'x' },
    },
    policies: policy(
      'ALLOW',
      byPath({
        '/exact': when('experimental.envoy.filters.http.custom[text]', ['abcdef']),
        '/prefix': when('experimental.envoy.filters.http.custom[text]', ['abc*']),
        '/suffix': when('experimental.envoy.filters.http.custom[text]', ['*def']),
        '/any': when('experimental.envoy.filters.http.custom[text]', ['*']),
        '/empty': when('experimental.envoy.filters.http.custom[empty]', ['*']),
        '/list': when('experimental.envoy.filters.http.custom[list]', ['[two]']),
        '/list-prefix': when('experimental.envoy.filters.http.custom[list]', ['[tw*]']),
        '/list-none': when('experimental.envoy.filters.http.custom[list]', ['[four]', '[five]']),
        '/list-as-text': when('experimental.envoy.filters.http.custom[list]', ['two']),
        '/text-as-list': when('experimental.envoy.filters.http.custom[text]', ['[abcdef]']),
        '/number': when('experimental.envoy.filters.http.custom[number]', ['5']),
        '/yes': when('experimental.envoy.filters.http.custom[yes]', ['true']),
        '/nested': when('experimental.envoy.filters.http.custom[nested]', ['*']),
        '/missing': when('experimental.envoy.filters.http.custom[missing]', ['*']),
        '/not-missing': when('experimental.envoy.filters.http.custom[missing]', undefined, ['x']),
        '/not': when('experimental.envoy.filters.http.custom[text]', ['a*'], ['*f']),
        '/not-list': when('experimental.envoy.filters.http.custom[list]', undefined, ['[one]']),
        '/other': when('experimental.envoy.filters.http.other[text]', ['x']),
        '/nowhere': when('experimental.envoy.filters.http.nowhere[text]', ['x']),
      }),
    ),
    requests: [
      'exact prefix suffix any empty list list-prefix list-none list-as-text text-as-list number yes nested missing',
      'not-missing not not-list other nowhere',
    ].flatMap((names) => names.split(' ').map((name) => ({ path: `/${name}` }))),
  },
]

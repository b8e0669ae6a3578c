/** Who asks: addresses, identities, server names. */
import { byPath, type FurtherCase, identity, operation, policies, policy, product, source, when } from './policy.ts'

const forwarded = (value: string | string[]) => ({ headers: { 'X-Forwarded-For': value } })
const A = identity('foo', 'a')

export const callers: FurtherCase[] = [
  {
    name: 'direct-addresses',
    policies: policy(
      'ALLOW',
      byPath({
        '/in': source({ ipBlocks: ['127.0.5.0/24', '10.0.0.0/8'] }),
        '/one': source({ ipBlocks: ['127.0.5.9'] }),
        '/bits': source({ ipBlocks: ['127.0.5.99/30'] }),
        '/odd': source({ ipBlocks: ['127.0.4.0/23'] }),
        '/all': source({ ipBlocks: ['0.0.0.0/0'] }),
        '/v6': source({ ipBlocks: ['::/0', '::ffff:127.0.0.0/104'] }),
        '/not': source({ ipBlocks: ['127.0.0.0/8'], notIpBlocks: ['127.0.5.8/31'] }),
        '/when': when('source.ip', ['127.0.5.0/24'], ['127.0.5.9/32']),
      }),
    ),
    requests: [
      ...product(
        ['/in', '/one', '/bits', '/odd', '/all', '/v6', '/not', '/when'],
        [{ src: '127.0.5.9' }, { src: '127.0.5.10' }, {}],
      ),
      { path: '/bits', src: '127.0.5.97' },
      { path: '/odd', src: '127.0.4.1' },
      { path: '/odd', src: '127.0.6.1' },
      // The direct peer stays what it is.
      { path: '/in', ...forwarded('127.0.5.9') },
      { path: '/in', src: '127.0.5.9', ...forwarded('1.2.3.4') },
      { path: '/not', src: '127.0.5.9', ...forwarded('1.2.3.4') },
      { path: '/not', src: '127.0.6.9', ...forwarded('1.2.3.4') },
    ],
  },
  {
    name: 'direct-addresses-denied',
    policies: policy('DENY', [
      { ...operation({ paths: ['/a'] }), ...source({ ipBlocks: ['127.0.5.0/24'] }) },
      { ...operation({ paths: ['/b'] }), ...source({ notIpBlocks: ['127.0.5.0/24'] }) },
    ]),
    requests: product(['/a', '/b', '/c'], [{}, { src: '127.0.5.1' }, { src: '127.0.5.1', ...forwarded('1.1.1.1') }]),
  },
  {
    name: 'remote-addresses',
    policies: policy(
      'ALLOW',
      byPath({
        '/v4': source({ remoteIpBlocks: ['10.1.0.0/16', '192.168.1.77/25'] }),
        '/v6': source({ remoteIpBlocks: ['2001:db8::/32', '::1'] }),
        '/v6bits': source({ remoteIpBlocks: ['2001:db8:ffff::5/33'] }),
        '/mapped': source({ remoteIpBlocks: ['::ffff:10.0.0.0/104'] }),
        '/not': source({ notRemoteIpBlocks: ['10.0.0.0/8', '2001:db8::/32'] }),
        '/when': when('remote.ip', ['10.0.0.0/8', '2001:db8::/64'], ['10.9.0.0/16']),
        '/both': source({ ipBlocks: ['127.0.5.0/24'], remoteIpBlocks: ['10.0.0.0/8'] }),
      }),
    ),
    requests: [
      ...[
        '10.1.2.3',
        '10.2.0.1',
        '192.168.1.1',
        '192.168.1.128',
        '::ffff:10.1.2.3',
        '010.1.2.3',
        '10.1.2',
        '10.1.2.3/16',
      ].map((value) => ({ path: '/v4', ...forwarded(value) })),
      ...[
        '1.1.1.1,10.1.2.3',
        '10.1.2.3,',
        '10.1.2.3, ',
        ' 10.1.2.3',
        '10.1.2.3 ',
        '\t10.1.2.3',
        '10.1.2.3;x',
        '10.1.2.3:80',
        '"10.1.2.3"',
        'unknown',
        '_hidden',
        ',',
        '',
        '10.1.2.3, garbage',
        'garbage, 10.1.2.3',
        `${'1.1.1.1, '.repeat(200)}10.1.2.3`,
      ].map((value) => ({ path: '/v4', ...forwarded(value) })),
      { path: '/v4', ...forwarded(['10.1.2.3', '1.1.1.1']) },
      { path: '/v4', ...forwarded(['1.1.1.1', '10.1.2.3']) },
      ...product(
        ['/v6', '/v6bits', '/when'],
        [
          '2001:db8::1',
          '2001:DB8:FFFF::1',
          '2001:db8:7fff::1',
          '2001:db9::1',
          '::1',
          '[2001:db8::1]',
          '0:0:0:0:0:0:0:1',
        ].map(forwarded),
      ),
      ...product(
        ['/mapped', '/not', '/when'],
        ['10.0.0.1', '::ffff:10.0.0.1', '10.9.1.1', '2001:db8::5'].map(forwarded),
      ),
      // A zone is not part of the address.
      ...product(
        ['/v6', '/not', '/mapped'],
        ['2001:db8::1%1', 'fe80::1%9', '::ffff:10.0.0.1%1', '10.0.0.1%1'].map(forwarded),
      ),
      { path: '/not' },
      { path: '/both', src: '127.0.5.5', ...forwarded('10.1.1.1') },
      { path: '/both', ...forwarded('10.1.1.1') },
      { path: '/both', src: '127.0.5.5', ...forwarded('11.1.1.1') },
      { path: '/both', src: '127.0.5.5' },
    ],
  },
  {
    name: 'destination-addresses',
    policies: policy(
      'ALLOW',
      byPath({
        '/self': when('destination.ip', ['${IP}']),
        '/net': when('destination.ip', ['127.0.0.0/8'], ['127.0.0.1']),
        '/all': when('destination.ip', ['0.0.0.0/0']),
        '/v6': when('destination.ip', ['::/0']),
        '/not': when('destination.ip', undefined, ['${IP}/32']),
        '/other': when('destination.ip', undefined, ['10.0.0.0/8', '::1']),
      }),
    ),
    requests: product(['/self', '/net', '/all', '/v6', '/not', '/other'], [{}, forwarded('10.1.1.1')]),
  },
  {
    name: 'principals-forms',
    anyTrustDomain: true,
    policies: policy(
      'ALLOW',
      byPath({
        '/exact': source({ principals: ['cluster.local/ns/foo/sa/a'] }),
        '/prefix': source({ principals: ['cluster.local/ns/foo/*'] }),
        '/suffix': source({ principals: ['*/sa/a'] }),
        '/any': source({ principals: ['*'] }),
        '/not': source({ notPrincipals: ['cluster.local/ns/foo/sa/a', '*/sa/b'] }),
        '/not-any': source({ notPrincipals: ['*'] }),
        '/both': source({ principals: ['*/sa/a'], notPrincipals: ['other/*'] }),
        '/scheme': source({ principals: ['spiffe://cluster.local/ns/foo/sa/a'] }),
        '/when': when('source.principal', ['*/sa/a', 'x'], ['other/ns/foo/sa/a']),
      }),
    ),
    requests: product(
      ['/exact', '/prefix', '/suffix', '/any', '/not', '/not-any', '/both', '/scheme', '/when'],
      [
        {},
        { peer: A },
        { peer: identity('foo', 'a', 'other') },
        { peer: `${identity('bar', 'b')}|${A}` },
        { peer: 'a.example.com' },
        { peer: 'https://cluster.local/ns/foo/sa/a' },
      ],
    ),
  },
  {
    name: 'principals-denied',
    policies: policy('DENY', [
      { ...operation({ paths: ['/a'] }), ...source({ principals: ['*/sa/a'] }) },
      { ...operation({ paths: ['/b'] }), ...source({ notPrincipals: ['cluster.local/ns/foo/*'] }) },
    ]),
    requests: product(
      ['/a', '/b'],
      [{}, { peer: A }, { peer: identity('bar', 'c') }, { peer: `${identity('bar', 'c')}|${A}` }],
    ),
  },
  {
    name: 'namespaces',
    anyTrustDomain: true,
    policies: policy(
      'ALLOW',
      byPath({
        '/exact': source({ namespaces: ['foo'] }),
        '/star': source({ namespaces: ['f*o'] }),
        '/prefix': source({ namespaces: ['fo*', 'a.b'] }),
        '/suffix': source({ namespaces: ['*oo'] }),
        '/any': source({ namespaces: ['*'] }),
        '/not': source({ notNamespaces: ['foo', 'b*'] }),
        '/when': when('source.namespace', ['f*'], ['foo']),
      }),
    ),
    requests: product(
      ['/exact', '/star', '/prefix', '/suffix', '/any', '/not', '/when'],
      [
        {},
        { peer: A },
        { peer: identity('fo', 'a') },
        { peer: identity('a-b', 'x') },
        { peer: identity('a.b', 'x') },
        { peer: identity('Foo', 'a') },
        { peer: 'spiffe://d/x/ns/foo/y/sa/a' },
        { peer: 'https://web/ns/foo/x' },
        { peer: 'spiffe://d/ns/foo' },
      ],
    ),
  },
  {
    name: 'service-accounts',
    anyTrustDomain: true,
    policies: policy(
      'ALLOW',
      byPath({
        '/own': source({ serviceAccounts: ['a', 'b.c'] }),
        '/other': source({ serviceAccounts: ['bar/b'] }),
        '/not': source({ notServiceAccounts: ['a', 'bar/b'] }),
        '/when': when('source.serviceAccount', ['foo/a'], ['bar/b']),
      }),
    ),
    requests: product(
      ['/own', '/other', '/not', '/when'],
      [
        {},
        { peer: A },
        { peer: identity('bar', 'b') },
        { peer: identity('foo', 'b.c') },
        { peer: identity('foo', 'bxc') },
        { peer: identity('foo', 'aa') },
        { peer: `${A}/deeper` },
        { peer: 'spiffe://d/ns/foo/x/y/sa/a' },
        { peer: 'spiffe:///ns/foo/sa/a' },
        { peer: `${identity('bar', 'b')}|${A}` },
      ],
    ),
  },
  {
    name: 'trust-domains',
    anyTrustDomain: true,
    meshConfig: 'trustDomain: td1\ntrustDomainAliases: [old, "old.two"]\n',
    policies: policy(
      'ALLOW',
      byPath({
        '/own': source({ principals: ['td1/ns/foo/sa/a'] }),
        '/alias': source({ principals: ['old/ns/foo/sa/a'] }),
        '/local': source({ principals: ['cluster.local/ns/foo/sa/a'] }),
        '/prefix': source({ principals: ['td1/ns/foo/*'] }),
        '/prefixed': source({ principals: ['td1/ns/foo/sa/*'] }),
        '/suffix': source({ principals: ['*/ns/foo/sa/a'] }),
        '/starred': source({ principals: ['*d1/ns/foo/sa/a'] }),
        '/third': source({ notPrincipals: ['third/ns/foo/sa/a', 'td1/ns/foo/sa/a'] }),
      }),
    ),
    requests: product(
      ['/own', '/alias', '/local', '/prefix', '/prefixed', '/suffix', '/starred', '/third'],
      ['td1', 'old', 'old.two', 'oldxtwo', 'cluster.local', 'third'].map((domain) => ({
        peer: identity('foo', 'a', domain),
      })),
    ),
  },
  {
    name: 'trust-domains-field',
    anyTrustDomain: true,
    meshConfig: 'trustDomain: td1\ntrustDomainAliases: [old]\n',
    policies: policy(
      'ALLOW',
      byPath({
        '/exact': source({ trustDomains: ['td1'] }),
        '/other': source({ trustDomains: ['third.example'] }),
        '/star': source({ trustDomains: ['*.example'] }),
        '/any': source({ trustDomains: ['*'] }),
        '/not': source({ notTrustDomains: ['td1', '*d'] }),
      }),
    ),
    requests: product(
      ['/exact', '/other', '/star', '/any', '/not'],
      [
        {},
        ...['td1', 'old', 'third.example', 'thirdxexample', 'td1.evil'].map((domain) => ({
          peer: identity('foo', 'a', domain),
        })),
      ],
    ),
  },
  {
    name: 'server-names',
    policies: policy(
      'ALLOW',
      byPath({
        '/exact': when('connection.sni', ['www.example.com']),
        '/upper': when('connection.sni', ['WWW.example.com']),
        '/suffix': when('connection.sni', ['*.example.com']),
        '/prefix': when('connection.sni', ['www.*']),
        '/any': when('connection.sni', ['*']),
        '/not': when('connection.sni', ['*'], ['*.example.com', 'x']),
        '/none': when('connection.sni', undefined, ['*']),
      }),
    ),
    requests: product(
      ['/exact', '/upper', '/suffix', '/prefix', '/any', '/not', '/none'],
      [
        {},
        { peer: A },
        { peer: A, sni: 'www.example.com' },
        { peer: A, sni: 'Www.Example.COM' },
        { peer: A, sni: 'a.b.example.com' },
        { peer: A, sni: 'x' },
      ],
    ),
  },
  {
    name: 'strict-with-policies',
    policies: policies(
      JSON.stringify({
        apiVersion: 'security.istio.io/v1',
        kind: 'PeerAuthentication',
        metadata: { name: 'default', namespace: 'foo' },
        spec: {
          selector: { matchLabels: { app: 'httpbin' } },
          mtls: { mode: 'PERMISSIVE' },
          portLevelMtls: { 8080: { mode: 'STRICT' } },
        },
      }),
      policy('ALLOW', [source({ namespaces: ['foo'] })]),
    ),
    requests: [{}, { peer: A }, { peer: identity('bar', 'a') }, { peer: identity('foo', 'a', 'evil') }],
  },
]

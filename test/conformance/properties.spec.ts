/** Properties: abi.md 3.9. */
import { describe, expect, test } from 'vitest'
import { Probe, sharedProbe } from './probe/probe.ts'
import { path, REQUEST_HEADERS } from './probe/script.ts'
import { has } from '../matrix/facts.ts'

const probe = sharedProbe({
  rootId: 'my-root',
  vmId: 'my-vm',
  routes: [{ name: 'all', cluster: 'upstream' }],
  filterState: ['who', 'twice'],
  upstream: () => ({ status: 201, headers: { 'x-up': 'yes' }, body: 'answer' }),
})
const property = (...segments: string[]) => ['property', path(...segments)] as const
const number = (...segments: string[]) => ['property_number', path(...segments)] as const
const known = (...segments: string[]) => ['property_known', path(...segments)] as const

describe('of the request', () => {
  test('in its headers callback', async () => {
    await probe().request(
      {
        request_headers: [
          ...['path', 'url_path', 'host', 'scheme', 'method', 'referer', 'useragent', 'protocol', 'query'].map((name) =>
            property('request', name),
          ),
          known('request', 'id'),
          known('request', 'time'),
          known('request', 'duration'),
          number('request', 'size'),
          number('request', 'total_size'),
          property('request', 'headers', 'x-user'),
          property('request', 'headers', 'X-User'),
          property('request', 'headers', 'missing'),
          property('request', 'nonsense'),
        ],
      },
      {
        method: 'POST',
        path: '/a/b?c=d',
        authority: 'shop.test',
        headers: { 'x-user': 'bob', referer: 'r', 'user-agent': 'ua' },
        body: 'hello',
      },
    )
    await probe().expectLog([
      'request_headers 10 0',
      'property request.path -> 0 "/a/b?c=d"',
      'property request.url_path -> 0 "/a/b"',
      'property request.host -> 0 "shop.test"',
      'property request.scheme -> 0 "http"',
      'property request.method -> 0 "POST"',
      'property request.referer -> 0 "r"',
      'property request.useragent -> 0 "ua"',
      'property request.protocol -> 0 "HTTP/1.1"',
      'property request.query -> 0 "c=d"',
      'property_known request.id -> 0 some',
      'property_known request.time -> 0 some',
      'property_known request.duration -> 1',
      'property_number request.size -> 0 5',
      'property_number request.total_size -> 0 167',
      'property request.headers.x-user -> 0 "bob"',
      'property request.headers.X-User -> 0 "bob"',
      'property request.headers.missing -> 1',
      'property request.nonsense -> 1',
    ])
  })

  test('are gone once the headers went on, but for the protocol and the time, and come back for the log', async () => {
    const read = [
      property('request', 'path'),
      property('request', 'headers', 'x-user'),
      property('request', 'protocol'),
      known('request', 'time'),
      known('request', 'id'),
    ]
    await probe().request(
      { request_headers: read, request_body: read, response_headers: read, log: read },
      { method: 'POST', protocol: 'http2', headers: { 'x-user': 'bob' }, body: 'x' },
    )
    await probe().expectLog([
      'request_headers 7 0',
      'property request.path -> 0 "/"',
      'property request.headers.x-user -> 0 "bob"',
      'property request.protocol -> 0 "HTTP/2"',
      'property_known request.time -> 0 some',
      'property_known request.id -> 0 some',
      'request_body 1 1',
      'property request.path -> 1',
      'property request.headers.x-user -> 1',
      'property request.protocol -> 0 "HTTP/2"',
      'property_known request.time -> 0 some',
      'property_known request.id -> 1',
      'response_headers 4 0',
      'property request.path -> 1',
      'property request.headers.x-user -> 1',
      'property request.protocol -> 0 "HTTP/2"',
      'property_known request.time -> 0 some',
      'property_known request.id -> 1',
      'log',
      'property request.path -> 0 "/"',
      'property request.headers.x-user -> 0 "bob"',
      'property request.protocol -> 0 "HTTP/2"',
      'property_known request.time -> 0 some',
      'property_known request.id -> 0 some',
    ])
  })

  test('all headers come as pairs, in no special order', async () => {
    await probe().request(
      { request_headers: [['property_pairs', path('request', 'headers')]] },
      { headers: { 'x-a': ['1', '2'] } },
    )
    const [, line] = probe().log
    const found = /-> 0 \{(.*)\}$/
      .exec(line!)![1]!
      .split(', ')
      .map((pair) => pair.replace(/(x-request-id)=.*/, '$1'))
    expect(found.sort()).toEqual([
      ':authority=localhost',
      ':method=GET',
      ':path=/',
      ':scheme=http',
      'x-a=1,2',
      'x-forwarded-proto=http',
      'x-request-id',
    ])
  })

  test('see the filter’s own changes', async () => {
    await probe().request({
      request_headers: [
        ['replace', REQUEST_HEADERS, ':path', '/new?x'],
        property('request', 'path'),
        property('request', 'url_path'),
        property('request', 'query'),
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'replace 0 :path /new?x -> 0',
      'property request.path -> 0 "/new?x"',
      'property request.url_path -> 0 "/new"',
      'property request.query -> 0 "x"',
    ])
  })

  test('sizes and durations at the end', async () => {
    await probe().request(
      {
        log: [
          number('request', 'size'),
          known('request', 'total_size'),
          known('request', 'duration'),
          number('response', 'size'),
          known('response', 'total_size'),
          known('response', 'backend_latency'),
        ],
      },
      { method: 'POST', body: 'hello' },
    )
    await probe().expectLog([
      'log',
      'property_number request.size -> 0 5',
      'property_known request.total_size -> 0 some',
      'property_known request.duration -> 0 some',
      'property_number response.size -> 0 6',
      'property_known response.total_size -> 0 some',
      'property_known response.backend_latency -> 0 some',
    ])
  })
})

describe('of the response', () => {
  const all = [
    number('response', 'code'),
    property('response', 'code_details'),
    number('response', 'flags'),
    number('response', 'grpc_status'),
    property('response', 'headers', 'x-up'),
    property('response', 'trailers', 'x'),
    property('upstream', 'address'),
  ]

  test('before, in its headers callback, and at the end', async () => {
    await probe().request({
      request_headers: all.slice(0, -1),
      response_headers: all.slice(0, -1),
      response_body: [property('response', 'headers', 'x-up'), number('response', 'code')],
      log: all.slice(0, -1),
    })
    await probe().expectLog([
      'request_headers 6 1',
      'property_number response.code -> 1',
      'property response.code_details -> 1',
      'property_number response.flags -> 0 0',
      'property_number response.grpc_status -> 1',
      'property response.headers.x-up -> 1',
      'property response.trailers.x -> 1',
      'response_headers 4 0',
      'property_number response.code -> 0 201',
      'property response.code_details -> 0 "via_upstream"',
      'property_number response.flags -> 0 0',
      'property_number response.grpc_status -> 0 2',
      'property response.headers.x-up -> 0 "yes"',
      'property response.trailers.x -> 1',
      'response_body 6 0',
      'property response.headers.x-up -> 1',
      'property_number response.code -> 0 201',
      'response_body 0 1',
      'property response.headers.x-up -> 1',
      'property_number response.code -> 0 201',
      'log',
      'property_number response.code -> 0 201',
      'property response.code_details -> 0 "via_upstream"',
      'property_number response.flags -> 0 0',
      'property_number response.grpc_status -> 0 2',
      'property response.headers.x-up -> 0 "yes"',
      'property response.trailers.x -> 1',
    ])
  })
})

describe('of connection, source and destination', () => {
  test('in plaintext', async () => {
    await probe().request(
      {
        request_headers: [
          known('source', 'address'),
          known('source', 'port'),
          known('destination', 'address'),
          known('destination', 'port'),
          known('connection', 'id'),
          known('connection_id'),
          property('connection', 'mtls'),
          property('connection', 'requested_server_name'),
          property('connection', 'tls_version'),
          property('connection', 'uri_san_peer_certificate'),
          property('connection', 'subject_peer_certificate'),
          property('connection', 'transport_failure_reason'),
          property('connection', 'nonsense'),
        ],
      },
      { source: '127.0.0.9' },
    )
    await probe().expectLog([
      'request_headers 6 1',
      'property_known source.address -> 0 some',
      'property_known source.port -> 0 some',
      'property_known destination.address -> 0 some',
      'property_known destination.port -> 0 some',
      'property_known connection.id -> 0 some',
      'property_known connection_id -> 0 some',
      'property connection.mtls -> 0 "\\x00"',
      'property connection.requested_server_name -> 0 null 0',
      'property connection.tls_version -> 1',
      'property connection.uri_san_peer_certificate -> 1',
      'property connection.subject_peer_certificate -> 1',
      'property connection.transport_failure_reason -> 1',
      'property connection.nonsense -> 1',
    ])
  })

  test('with mutual TLS', async () => {
    const peer = 'spiffe://cluster.local/ns/foo/sa/web'
    const probe = await Probe.start(
      { tls: { identity: 'spiffe://cluster.local/ns/bar/sa/pay' } },
      {
        request_headers: [
          property('connection', 'mtls'),
          property('connection', 'requested_server_name'),
          property('connection', 'tls_version'),
          property('connection', 'uri_san_peer_certificate'),
          property('connection', 'uri_san_local_certificate'),
          property('connection', 'dns_san_peer_certificate'),
          known('connection', 'subject_peer_certificate'),
          known('connection', 'sha256_peer_certificate_digest'),
          known('connection', 'peer_certificate'),
          property('request', 'scheme'),
        ],
      },
    )
    await probe.host.request({ peer: [peer, 'web.foo'], sni: 'pay.bar' })
    await probe.expectLog([
      'request_headers 7 1',
      'property connection.mtls -> 0 "\\x01"',
      'property connection.requested_server_name -> 0 "pay.bar"',
      'property connection.tls_version -> 0 "TLSv1.3"',
      'property connection.uri_san_peer_certificate -> 0 "spiffe://cluster.local/ns/foo/sa/web"',
      'property connection.uri_san_local_certificate -> 0 "spiffe://cluster.local/ns/bar/sa/pay"',
      'property connection.dns_san_peer_certificate -> 0 "web.foo"',
      'property_known connection.subject_peer_certificate -> 0 empty',
      'property_known connection.sha256_peer_certificate_digest -> 0 some',
      `property_known connection.peer_certificate -> ${has('peerCertificate') ? '0 some' : '1'}`,
      'property request.scheme -> 0 "https"',
    ])
    await probe.host.close()
  })
})

describe('of the mesh and the filter', () => {
  test('plugin', async () => {
    await probe().request({
      request_headers: [property('plugin_name'), property('plugin_root_id'), property('plugin_vm_id')],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'property plugin_name -> 0 "probe"',
      'property plugin_root_id -> 0 "my-root"',
      'property plugin_vm_id -> 0 "my-vm"',
    ])
  })

  test('xds', async () => {
    await probe().request({
      request_headers: [
        property('xds', 'cluster_name'),
        property('xds', 'route_name'),
        property('xds', 'virtual_host_name'),
        number('xds', 'listener_direction'),
        property('xds', 'filter_chain_name'),
        property('xds', 'node', 'id'),
        property('xds', 'node', 'cluster'),
        property('xds', 'node', 'nonsense'),
        known('xds', 'route_metadata'),
        known('xds', 'cluster_metadata'),
        known('xds', 'upstream_host_metadata'),
        known('xds', 'listener_metadata'),
        property('xds', 'nonsense'),
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'property xds.cluster_name -> 0 "upstream"',
      'property xds.route_name -> 0 "all"',
      'property xds.virtual_host_name -> 0 "default"',
      'property_number xds.listener_direction -> 0 0',
      'property xds.filter_chain_name -> 0 null 0',
      'property xds.node.id -> 0 "meshscript"',
      'property xds.node.cluster -> 0 "meshscript"',
      'property xds.node.nonsense -> 1',
      'property_known xds.route_metadata -> 0 empty',
      'property_known xds.cluster_metadata -> 0 empty',
      'property_known xds.upstream_host_metadata -> 1',
      'property_known xds.listener_metadata -> 0 empty',
      'property xds.nonsense -> 1',
    ])
  })

  test('in a root context', async () => {
    await probe().request({
      request_headers: [['tick', 20]],
      tick: [
        ['tick', 0],
        property('plugin_name'),
        property('plugin_root_id'),
        property('plugin_vm_id'),
        property('xds', 'node', 'id'),
        property('request', 'path'),
        property('source', 'address'),
        property('nonsense'),
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'tick 20 -> 0',
      'tick',
      'tick 0 -> 0',
      'property plugin_name -> 0 "probe"',
      'property plugin_root_id -> 0 "my-root"',
      'property plugin_vm_id -> 0 "my-vm"',
      'property xds.node.id -> 0 "meshscript"',
      'property request.path -> 1',
      'property source.address -> 1',
      'property nonsense -> 1',
    ])
  })

  test('names that Envoy does not have any more, or never had', async () => {
    await probe().request({
      request_headers: [
        'node',
        'route_name',
        'cluster_name',
        'listener_direction',
        'listener_metadata',
        'nonsense',
        '',
      ].map((name) => property(name)),
    })
    await probe().expectLog([
      'request_headers 6 1',
      'property node -> 1',
      'property route_name -> 1',
      'property cluster_name -> 1',
      'property listener_direction -> 1',
      'property listener_metadata -> 1',
      'property nonsense -> 1',
      'property  -> 3',
    ])
  })

  test('one segment is not split at dots', async () => {
    await probe().request({
      request_headers: [property('request.path'), property('request', 'path', 'more'), ['property', 'request\0path\0']],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'property request.path -> 1',
      'property request.path.more -> 1',
      'property request.path. -> 0 "/"',
    ])
  })

  test('metadata and filter state as a whole', async () => {
    await probe().request({
      request_headers: [
        known('metadata'),
        known('metadata', 'filter_metadata'),
        property('metadata', 'filter_metadata', 'x'),
        known('filter_state'),
        known('upstream_filter_state'),
        property('filter_state', 'missing'),
        known('request'),
        known('connection'),
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'property_known metadata -> 0 empty',
      'property_known metadata.filter_metadata -> 0 some',
      'property metadata.filter_metadata.x -> 1',
      'property_known filter_state -> 3',
      'property_known upstream_filter_state -> 1',
      'property filter_state.missing -> 1',
      'property_known request -> 3',
      'property_known connection -> 3',
    ])
  })

  test('of the upstream', async () => {
    await probe().request({
      request_headers: [known('upstream', 'address')],
      response_headers: [
        known('upstream', 'address'),
        known('upstream', 'port'),
        known('upstream', 'local_address'),
        property('upstream', 'tls_version'),
        property('upstream', 'transport_failure_reason'),
        number('upstream', 'request_attempt_count'),
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'property_known upstream.address -> 1',
      'response_headers 4 0',
      'property_known upstream.address -> 0 some',
      'property_known upstream.port -> 0 some',
      'property_known upstream.local_address -> 0 some',
      'property upstream.tls_version -> 1',
      'property upstream.transport_failure_reason -> 0 null 0',
      'property_number upstream.request_attempt_count -> 0 1',
    ])
  })
})

describe('set_property', () => {
  test('is filter state that can be read back in two ways, in later callbacks too', async () => {
    const response = await probe().request({
      request_headers: [['set_property', 'who', 'bob'], property('who'), property('filter_state', 'wasm.who')],
      response_headers: [property('who'), ['set_property', 'who', 'eve'], property('who')],
      log: [property('who')],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'set_property who bob -> 0',
      'property who -> 0 "bob"',
      'property filter_state.wasm.who -> 0 "bob"',
      'response_headers 4 0',
      'property who -> 0 "bob"',
      'set_property who eve -> 0',
      'property who -> 0 "eve"',
      'log',
      'property who -> 0 "eve"',
    ])
    expect(response.filterState).toMatchObject({ who: 'eve' })
  })

  test('with a nested path is accepted, and cannot be read back', async () => {
    await probe().request({
      request_headers: [
        ['set_property', path('a', 'b'), 'x'],
        property('a', 'b'),
        property('a'),
        property('filter_state', 'wasm.a'),
        property('filter_state', 'wasm.a', 'b'),
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'set_property a.b x -> 0',
      'property a.b -> 1',
      'property a -> 1',
      'property filter_state.wasm.a -> 1',
      'property filter_state.wasm.a.b -> 1',
    ])
  })

  test('of a name that a property has', async () => {
    await probe().request({
      request_headers: [
        ['set_property', 'request', 'x'],
        property('request', 'path'),
        ['set_property', '', 'x'],
        property(''),
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'set_property request x -> 0',
      'property request.path -> 0 "/"',
      'set_property  x -> 0',
      'property  -> 3',
    ])
  })

  test('of an empty value', async () => {
    await probe().request({ request_headers: [['set_property', 'empty', ''], property('empty')] })
    await probe().expectLog(['request_headers 6 1', 'set_property empty  -> 0', 'property empty -> 0 null 0'])
  })

  test('in a root context', async () => {
    await probe().request({
      request_headers: [['tick', 20]],
      tick: [['tick', 0], ['set_property', 'who', 'bob'], property('who')],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'tick 20 -> 0',
      'tick',
      'tick 0 -> 0',
      'set_property who bob -> 1',
      'property who -> 1',
    ])
  })
})

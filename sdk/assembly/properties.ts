import { Status } from './abi/enums'
import * as host from './abi/hostcalls'
import { ByteString, slot, utf8, view } from './memory/bytes'

/**
 * What the proxy knows about the request, the connection and itself: Envoy's attributes.
 *
 * A path is written as its segments with NUL between them, `utf8('source\0address')`; `property.*` has the known ones.
 * What does not exist, or not yet, is null (or the fallback).
 */
export namespace property {
  /** Raw value of a property. */
  export function get<P>(path: P): ByteString | null {
    const p = view(path)
    const value = slot()
    const out = changetype<usize>(value)
    const status = host.get_property(p.ptr, p.length, out, out + offsetof<ByteString>('length'))
    return status == Status.Ok ? value : null
  }

  /** Integer, duration or timestamp (nanoseconds). */
  export function getInt<P>(path: P, fallback: i64 = 0): i64 {
    const value = get(path)
    return value && value.length == 8 ? load<i64>(value.ptr) : fallback
  }

  /** A property of type double. */
  export function getDouble<P>(path: P, fallback: f64 = 0): f64 {
    const value = get(path)
    return value && value.length == 8 ? load<f64>(value.ptr) : fallback
  }

  /** A property of type bool; `false` where there is none. */
  export function getBool<P>(path: P, fallback: bool = false): bool {
    const value = get(path)
    return value && value.length == 1 ? load<u8>(value.ptr) != 0 : fallback
  }

  /** Text that is taken for present; empty when it is not. */
  export function getOrEmpty<P>(path: P): ByteString {
    const value = get(path)
    return value ? value : ByteString.empty
  }

  /** `host:port` of the client as Envoy takes it (X-Forwarded-For considered). */
  export function sourceAddress(): ByteString | null {
    return get(utf8('source\0address'))
  }

  /** Port that the client connected from. */
  export function sourcePort(): i64 {
    return getInt(utf8('source\0port'))
  }

  /** Address and port that the client connected to. */
  export function destinationAddress(): ByteString | null {
    return get(utf8('destination\0address'))
  }

  /** Port that the client connected to. */
  export function destinationPort(): i64 {
    return getInt(utf8('destination\0port'))
  }

  /** Path with query. */
  export function requestPath(): ByteString | null {
    return get(utf8('request\0path'))
  }

  /** Path without query. */
  export function requestUrlPath(): ByteString | null {
    return get(utf8('request\0url_path'))
  }

  /** What is behind the `?` of the path. */
  export function requestQuery(): ByteString | null {
    return get(utf8('request\0query'))
  }

  /** Host header, or `:authority`. */
  export function requestHost(): ByteString | null {
    return get(utf8('request\0host'))
  }

  /** Method of the request. */
  export function requestMethod(): ByteString | null {
    return get(utf8('request\0method'))
  }

  /** `http` or `https`. */
  export function requestScheme(): ByteString | null {
    return get(utf8('request\0scheme'))
  }

  /** `HTTP/1.1`, `HTTP/2` … */
  export function requestProtocol(): ByteString | null {
    return get(utf8('request\0protocol'))
  }

  /** `x-request-id`. */
  export function requestId(): ByteString | null {
    return get(utf8('request\0id'))
  }

  /** User-agent header. */
  export function requestUserAgent(): ByteString | null {
    return get(utf8('request\0useragent'))
  }

  /** Referer header. */
  export function requestReferer(): ByteString | null {
    return get(utf8('request\0referer'))
  }

  /** When the first byte came: nanoseconds since 1970. */
  export function requestTime(): i64 {
    return getInt(utf8('request\0time'))
  }

  /** Nanoseconds from first to last byte; known at the end. */
  export function requestDuration(): i64 {
    return getInt(utf8('request\0duration'))
  }

  /** Bytes of the request body; known at the end. */
  export function requestSize(): i64 {
    return getInt(utf8('request\0size'))
  }

  /** Bytes of the request, headers included; known at the end. */
  export function requestTotalSize(): i64 {
    return getInt(utf8('request\0total_size'))
  }

  /** HTTP status of the response; 0 when there is none yet. */
  export function responseCode(): i64 {
    return getInt(utf8('response\0code'))
  }

  /** Why the response is what it is: `via_upstream`, `direct_response` … */
  export function responseCodeDetails(): ByteString | null {
    return get(utf8('response\0code_details'))
  }

  /** Envoy's response flags, a bit set. */
  export function responseFlags(): i64 {
    return getInt(utf8('response\0flags'))
  }

  /** gRPC status of the response; -1 when there is none. */
  export function responseGrpcStatus(): i64 {
    return getInt(utf8('response\0grpc_status'), -1)
  }

  /** Bytes of the response body; known at the end. */
  export function responseSize(): i64 {
    return getInt(utf8('response\0size'))
  }

  /** Bytes of the response, headers included; known at the end. */
  export function responseTotalSize(): i64 {
    return getInt(utf8('response\0total_size'))
  }

  /** Nanoseconds between the upstream's first byte in and out. */
  export function responseBackendLatency(): i64 {
    return getInt(utf8('response\0backend_latency'))
  }

  /** The host's number of the client's connection. */
  export function connectionId(): i64 {
    return getInt(utf8('connection\0id'))
  }

  /** True when the client has shown a certificate. */
  export function connectionMtls(): bool {
    return getBool(utf8('connection\0mtls'))
  }

  /** SNI. */
  export function connectionRequestedServerName(): ByteString | null {
    return get(utf8('connection\0requested_server_name'))
  }

  /** `TLSv1.3` and the like; null without TLS. */
  export function connectionTlsVersion(): ByteString | null {
    return get(utf8('connection\0tls_version'))
  }

  /** First URI SAN of the client's certificate: its SPIFFE id. */
  export function connectionUriSanPeerCertificate(): ByteString | null {
    return get(utf8('connection\0uri_san_peer_certificate'))
  }

  /** First DNS SAN of the client's certificate. */
  export function connectionDnsSanPeerCertificate(): ByteString | null {
    return get(utf8('connection\0dns_san_peer_certificate'))
  }

  /** Subject of the client's certificate. */
  export function connectionSubjectPeerCertificate(): ByteString | null {
    return get(utf8('connection\0subject_peer_certificate'))
  }

  /** The client's certificate, PEM. */
  export function connectionPeerCertificate(): ByteString | null {
    return get(utf8('connection\0peer_certificate'))
  }

  /** First URI SAN of the certificate that the host has shown. */
  export function connectionUriSanLocalCertificate(): ByteString | null {
    return get(utf8('connection\0uri_san_local_certificate'))
  }

  /** Address and port of the upstream host. */
  export function upstreamAddress(): ByteString | null {
    return get(utf8('upstream\0address'))
  }

  /** Port of the upstream host. */
  export function upstreamPort(): i64 {
    return getInt(utf8('upstream\0port'))
  }

  /** Why the connection to the upstream failed, e.g. what TLS found wrong. */
  export function upstreamTransportFailureReason(): ByteString | null {
    return get(utf8('upstream\0transport_failure_reason'))
  }

  /** How often the request was sent to an upstream. */
  export function upstreamRequestAttemptCount(): i64 {
    return getInt(utf8('upstream\0request_attempt_count'))
  }

  /** First URI SAN of the upstream's certificate. */
  export function upstreamUriSanPeerCertificate(): ByteString | null {
    return get(utf8('upstream\0uri_san_peer_certificate'))
  }

  /** Cluster that the request goes to. */
  export function clusterName(): ByteString | null {
    return get(utf8('xds\0cluster_name'))
  }

  /** Name of the route. */
  export function routeName(): ByteString | null {
    return get(utf8('xds\0route_name'))
  }

  /** Name of the route's virtual host. */
  export function virtualHostName(): ByteString | null {
    return get(utf8('xds\0virtual_host_name'))
  }

  /** Name of the listener's filter chain. */
  export function filterChainName(): ByteString | null {
    return get(utf8('xds\0filter_chain_name'))
  }

  /** 0 unspecified, 1 inbound, 2 outbound. */
  export function listenerDirection(): i64 {
    return getInt(utf8('xds\0listener_direction'))
  }

  /** `node.id` of the bootstrap. */
  export function nodeId(): ByteString | null {
    return get(utf8('xds\0node\0id'))
  }

  /** `name` of the plugin's configuration. */
  export function pluginName(): ByteString | null {
    return get(utf8('plugin_name'))
  }

  /** `root_id` of the plugin's configuration. */
  export function pluginRootId(): ByteString | null {
    return get(utf8('plugin_root_id'))
  }

  /** `vm_id` of the plugin's configuration. */
  export function pluginVmId(): ByteString | null {
    return get(utf8('plugin_vm_id'))
  }
}

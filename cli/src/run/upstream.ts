/** Where Envoy sends requests to. */

import { isIP } from 'node:net'
import { type ClusterSpec, type Json, typed } from '@meshscript/sdk/testing/envoy'
import { UsageError } from '../errors.ts'

export interface Upstream {
  /** As it is shown. */
  label: string
  spec: ClusterSpec
  /** The upstream expects its own name, as public services do. */
  hostRewrite?: string
}

const HTTP_OPTIONS = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions'

/** `HOST:PORT` or a URL with scheme http, https or h2c (HTTP/2 without TLS). */
export function parseUpstream(text: string, tcp: boolean): Upstream {
  const url = toUrl(text)
  const wrong = (reason: string) => new UsageError(`--upstream ${text}: ${reason}`, 'RUN002')
  if (!url) throw wrong('expected HOST:PORT or a URL')
  const schemes = tcp ? ['tcp:'] : ['http:', 'https:', 'h2c:', 'tcp:']
  if (!schemes.includes(url.protocol)) {
    throw wrong(
      tcp ? 'with --tcp, expected HOST:PORT' : `expected http, https or h2c, not ${url.protocol.slice(0, -1)}`,
    )
  }
  if ((url.pathname !== '/' && url.pathname !== '') || url.search || url.username) {
    throw wrong('expected no path, query or user: requests keep their own')
  }
  // Brackets are the URL's, not the address's.
  const host = url.hostname.replace(/^\[|\]$/g, '')
  const port = Number(url.port || { 'https:': 443, 'http:': 80, 'h2c:': 80 }[url.protocol] || 0)
  if (!port) throw wrong('the port is missing')
  const named = !isIP(host) && host !== 'localhost'
  return {
    label: text,
    spec: { endpoints: [{ host, port }], ...protocolOf(url.protocol, host) },
    // HOST:PORT is a plain forward; a URL names a service.
    ...(url.protocol !== 'tcp:' && named && { hostRewrite: url.host }),
  }
}

function toUrl(text: string): URL | undefined {
  const url = /^[a-z][a-z\d+.-]*:\/\//i.test(text) ? text : `tcp://${text}`
  return URL.canParse(url) && new URL(url).hostname ? new URL(url) : undefined
}

function protocolOf(scheme: string, host: string): Partial<ClusterSpec> {
  if (scheme === 'h2c:') return { protocol: 'http2' }
  if (scheme !== 'https:') return {}
  const context = typed('envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext', { sni: host })
  return {
    extra: {
      transport_socket: { name: 'tls', typed_config: context },
      ...httpOptions({ auto_config: {} }),
    },
  }
}

/** The embedded echo service speaks whatever the client speaks. */
export function echoUpstream(port: number, tcp: boolean): Upstream {
  const protocols = { use_downstream_protocol_config: { http_protocol_options: {}, http2_protocol_options: {} } }
  return {
    label: 'the embedded echo service',
    spec: { endpoints: [{ host: '127.0.0.1', port }], ...(!tcp && { extra: httpOptions(protocols) }) },
  }
}

const httpOptions = (options: Json): Json => ({
  typed_extension_protocol_options: { [HTTP_OPTIONS]: typed(HTTP_OPTIONS, options) },
})

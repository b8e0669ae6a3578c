/**
 * The contract of a test host. Two implementations: the Node host (`./node`), which runs the module in this process,
 * and real Envoy (`./envoy`). A spec that uses only what is here runs on both.
 */

export type HostName = 'node' | 'envoy' | 'docker'

/** Header name to value; a list is one header line per value. Names are lower-cased, as Envoy does. */
export type HeadersInit = Record<string, string | readonly string[]> | readonly (readonly [string, string])[]

/** Text is sent as UTF-8. A list is sent as that many chunks (HTTP/1.1 chunked or HTTP/2 DATA frames). */
export type BodyInit = string | Uint8Array | readonly (string | Uint8Array)[]

/** A request to send; all parts are optional. */
export interface RequestInit {
  /** Default `GET`. */
  method?: string
  /** Default `/`. */
  path?: string
  /** `:authority`; default `localhost`. */
  authority?: string
  /** Default `http`, `https` with `tls`. */
  scheme?: string
  headers?: HeadersInit
  body?: BodyInit
  /** Trailers need HTTP/2 towards Envoy; naming some selects it. */
  trailers?: HeadersInit
  /** Default `http1`. */
  protocol?: 'http1' | 'http2'
  /** The client's identity, e.g. `spiffe://cluster.local/ns/default/sa/web`; several make several SANs: URIs, and without `://` DNS names. Only where the host has `tls`. */
  peer?: string | readonly string[]
  /** The client's address, any of 127.0.0.0/8. Default 127.0.0.1. */
  source?: string
  /** Server name in the TLS hello. */
  sni?: string
  /** These bytes instead of a generated HTTP/1.1 request. Only the connection's options apply besides. The Node host reads a single request without chunks. */
  raw?: string | Uint8Array
  /** Milliseconds to wait for the complete response. Default 5000; then the promise rejects and says where the stream is held. */
  timeout?: number
}

/** Several values of a name keep their order. `get` joins them by `, `. */
export interface HeaderList extends Iterable<[string, string]> {
  /** The values of a name, joined by `, `; undefined where there is none. */
  get(name: string): string | undefined
  /** The values of a name, in wire order. */
  getAll(name: string): string[]
  /** True when there is such a header. */
  has(name: string): boolean
  /** In wire order, pseudo-headers first. */
  readonly entries: readonly (readonly [string, string])[]
  /** Name to value, or to values where a name stands several times. */
  toJSON(): Record<string, string | string[]>
}

/** A request as the upstream got it. */
export interface UpstreamRequest {
  /** Which cluster it reached; the default upstream is `upstream`. */
  cluster: string
  method: string
  path: string
  authority: string
  headers: HeaderList
  body: Buffer
  trailers: HeaderList
}

/** What the client got, and what came to pass on the way. */
export interface Response {
  status: number
  headers: HeaderList
  body: Buffer
  /** `body` as UTF-8. */
  text: string
  trailers: HeaderList
  /** From header or trailer `grpc-status`. */
  grpcStatus?: number
  grpcMessage?: string
  /** True when the stream was reset, or the connection closed, before the response was complete. */
  reset: boolean
  /** Set when the proxy answered by itself; `details` are Envoy's response code details. */
  localReply?: { details: string }
  /** First request that the default upstream saw; undefined when none arrived. */
  upstream?: UpstreamRequest
  /** Envoy's `%RESPONSE_CODE_DETAILS%`. */
  details: string
  /** Filter state written by the filters (`wasm.NAME` without the prefix), by those names that `HostOptions.filterState` lists. */
  filterState: Record<string, string>
  /** Node host only: the callbacks and hostcalls of this stream in order. */
  trace?: readonly TraceEntry[]
}

/** One crossing between host and module. */
export interface TraceEntry {
  /** Name without `proxy_`, e.g. `on_request_headers`, `get_header_map_value`. */
  name: string
  kind: 'callback' | 'hostcall'
  contextId: number
  /** Callback: its result. Hostcall: its status. */
  result: number | undefined
  /** Readable arguments. */
  args: readonly unknown[]
}

/** One answer. A number is a status without body; a string a body with status 200. */
export type HandlerResult =
  | number
  | string
  | Uint8Array
  | { status?: number; headers?: HeadersInit; body?: BodyInit; trailers?: HeadersInit; delay?: number }
  /** Closes the connection before any answer, or after the headers when `afterHeaders` is set. */
  | { reset: true; afterHeaders?: boolean }
  /** Never answers. */
  | { hang: true }

/** An HTTP service: from the request that came to its answer. */
export type HttpHandler = (request: UpstreamRequest) => HandlerResult | Promise<HandlerResult>

/** gRPC: full method name, e.g. `pkg.Service/Method`, to a function from request messages to response messages (serialized). */
export type GrpcHandler = (messages: readonly Uint8Array[], metadata: HeaderList) => GrpcResult | Promise<GrpcResult>
/** Answer of a gRPC method. */
export interface GrpcResult {
  messages?: readonly Uint8Array[]
  /** Default 0. */
  status?: number
  message?: string
  initialMetadata?: HeadersInit
  trailingMetadata?: HeadersInit
  /** Milliseconds before the answer. */
  delay?: number
  /** True: a status other than 0 comes without separate headers (trailers-only). Default true when there are no messages. */
  trailersOnly?: boolean
}

/** Made by `cluster.http`, `cluster.grpc`, `cluster.tcp`, `cluster.refused`, `cluster.hang`, `cluster.reset`. */
export type Cluster =
  | { kind: 'http'; handler: HttpHandler; protocol?: 'http1' | 'http2' }
  | { kind: 'grpc'; methods: Record<string, GrpcHandler> }
  | { kind: 'tcp'; handler: (data: Buffer) => Uint8Array | string | null | { close: true } }
  | { kind: 'refused' }

/** What becomes of a filter whose VM has failed, as Envoy names it. */
export type FailurePolicy = 'FAIL_CLOSED' | 'FAIL_OPEN' | 'FAIL_RELOAD'

/** One entry of the filter chain: `PluginConfig` of `envoy.extensions.wasm.v3` in short. */
export interface PluginOptions {
  /** Path of the module, or its bytes. */
  wasm: string | Uint8Array
  /** Plugin name. Default: the file's base name, else `filter`. */
  name?: string
  /** Default: `''`. */
  rootId?: string
  /** Object: sent as JSON. Text or bytes: as they are. Undefined: no configuration (size 0). `{struct: …}`: as a binary google.protobuf.Struct, as Envoy passes one on. */
  configuration?: unknown
  vmId?: string
  vmConfiguration?: string | Uint8Array
  environment?: Record<string, string>
  /** Default FAIL_CLOSED, as Envoy's. */
  failurePolicy?: FailurePolicy
  allowOnHeadersStopIteration?: boolean
  /** Names of allowed hostcalls and callbacks (`proxy_log` …). Undefined: all. */
  allowedCapabilities?: readonly string[]
}

/** One route: what it matches, and where it leads. */
export interface RouteSpec {
  /** Path prefix; default `/`. */
  prefix?: string
  path?: string
  /** Exact header matches that must hold. */
  headers?: Record<string, string>
  authority?: string
  cluster?: string
  /** Reads the cluster's name from this header. */
  clusterHeader?: string
  directResponse?: { status: number; body?: string }
  name?: string
}

/** Namespace to its fields. */
export type DynamicMetadata = Record<string, Record<string, unknown>>

/** A host: its filter, or chain of them, and what is around it. */
export interface HostOptions extends Partial<PluginOptions> {
  /** The chain, in order, instead of the single filter given by `wasm` and its neighbours. */
  filters?: readonly PluginOptions[]
  /** `network`: a TCP filter chain in front of cluster `upstream`. Default `http`. */
  type?: 'http' | 'network'
  /** The service behind the proxy. Default: 200 with body `ok`. For `network`: `cluster.tcp` that echoes. */
  upstream?: HttpHandler | Cluster
  clusters?: Record<string, Cluster>
  /** Default: everything to `upstream`. */
  routes?: readonly RouteSpec[]
  /** Worker threads, and in the Node host thread-local VMs. Default 1. */
  workers?: number
  /** The listener asks for client certificates (SPIFFE). Requests without `peer` fail in TLS, or go in plaintext where `permissive`. */
  tls?: {
    /** Trust domains that clients may be of; `*`: any. Default `cluster.local`. */
    trustDomain?: string | readonly string[]
    permissive?: boolean
    /** The listener's own identity. */
    identity?: string
  }
  /** Dynamic metadata of every request by namespace, as filters in front leave it. Each is a google.protobuf.Struct. */
  metadata?: DynamicMetadata
  /** Where the listener is, as `destination.address` and `destination.port` tell. Default: a free port on 127.0.0.1. */
  listen?: { address?: string; port?: number }
  /** Lowest level that filters' log lines are kept from. Default `info`. */
  logLevel?: LogLevel
  /** Names of filter state (`wasm.NAME` without the prefix) to return with each response. */
  filterState?: readonly string[]
  /** Envoy only: merged into the bootstrap / the HTTP connection manager. */
  bootstrap?: Record<string, unknown>
  connectionManager?: Record<string, unknown>
}

/** Levels of log lines, the lowest first. */
export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'critical'
/** What a filter has logged. */
export interface LogLine {
  level: LogLevel
  message: string
  /** Plugin name. */
  plugin: string
}

/** A request sent piece by piece. */
export interface ClientStream {
  /** Sends one chunk of the body and gives the proxy time to handle it. */
  write(chunk: string | Uint8Array): Promise<void>
  /** Ends the request, with a last chunk or trailers. */
  end(last?: { body?: string | Uint8Array; trailers?: HeadersInit }): Promise<void>
  /** The client goes away. */
  abort(): Promise<void>
  /** The complete response. */
  response(): Promise<Response>
}

/** A TCP connection through the filter chain. */
export interface ClientConnection {
  /** Sends bytes. */
  write(data: string | Uint8Array): Promise<void>
  /** Bytes received so far; waits until there are at least `min` (default 1), the peer closed, or the timeout. */
  read(min?: number): Promise<Buffer>
  /** Sends FIN. */
  end(): Promise<void>
  /** True once the proxy closed the connection. */
  readonly closed: boolean
  /** Resolves once the proxy has closed the connection. */
  whenClosed(): Promise<void>
}

/** Value of a metric, labels encoded in its name. A histogram gives the number of samples and their sum. */
export type MetricValue = number | { count: number; sum: number }

/** A proxy with filters, to send requests through. */
export interface Host {
  readonly name: HostName
  /** Sends a request, and waits for the complete response. */
  request(init?: RequestInit): Promise<Response>
  /** The same, with the path first. */
  request(path: string, init?: RequestInit): Promise<Response>
  /** Begins a request that is sent piece by piece. */
  stream(init?: RequestInit): Promise<ClientStream>
  /** Opens a TCP connection. */
  connect(init?: { source?: string; peer?: RequestInit['peer']; sni?: string }): Promise<ClientConnection>
  /** Node host: moves the virtual clock, running ticks and timeouts in order. Envoy: waits that long. Milliseconds, or `'1.5s'`. */
  advance(time: number | string): Promise<void>
  /** The filters' metrics, without Envoy's `wasmcustom.` prefix. */
  metrics(): Promise<Record<string, MetricValue>>
  /** The filters' log lines so far, in order. */
  readonly logs: readonly LogLine[]
  /** Requests that clusters other than the upstream saw (callouts), in order. */
  readonly callouts: readonly UpstreamRequest[]
  /** Replaces the configuration of the filter (all VMs), as an xDS update does. Rejects with the host's message, and keeps the old one, when the filter refuses it. */
  reconfigure(configuration: unknown, filter?: number): Promise<void>
  /** Ends everything that the host started. Idempotent. */
  close(): Promise<void>
}

/** A host that refuses to start (module does not load, configuration refused) rejects with this; `message` names the reason as Envoy words it where known. */
export class HostStartError extends Error {
  override name = 'HostStartError'
  constructor(
    message: string,
    readonly logs: readonly LogLine[] = [],
  ) {
    super(message)
  }
}

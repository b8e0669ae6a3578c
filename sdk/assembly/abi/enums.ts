// The numbers of the proxy-wasm ABI 0.2.1, and those that Envoy accepts beyond it.
// Constants in namespaces rather than enums where only their numbers ever matter would save nothing: asc inlines both.

/** What a hostcall answers. */
export enum Status {
  Ok = 0,
  NotFound = 1,
  BadArgument = 2,
  SerializationFailure = 3,
  ParseFailure = 4,
  BadExpression = 5,
  InvalidMemoryAccess = 6,
  Empty = 7,
  CasMismatch = 8,
  ResultMismatch = 9,
  InternalFailure = 10,
  BrokenConnection = 11,
  Unimplemented = 12,
}

/** Severity of a log line. `Critical` is the highest. */
export enum LogLevel {
  Trace = 0,
  Debug = 1,
  Info = 2,
  Warn = 3,
  Error = 4,
  Critical = 5,
}

/**
 * What a stream callback answers. `Continue` and `Pause` are the ABI's and mean the same in every callback;
 * the others are Envoy's own header and data statuses.
 *
 * `Pause` in a headers callback holds the whole stream: Envoy calls no body callback before the stream is continued,
 * unless the plugin is configured with `allow_on_headers_stop_iteration`.
 */
export enum Action {
  Continue = 0,
  Pause = 1,
  /** Headers: as `Continue` (Envoy converts it). */
  ContinueAndEndStream = 2,
  /** Headers: holds the stream and buffers its body. */
  StopAllIterationAndBuffer = 3,
  /** Headers: holds the stream, with flow control instead of buffering. */
  StopAllIterationAndWatermark = 4,
  /** Body: the same number as `Pause`; buffers what has come, the next call sees all of it. */
  StopIterationAndBuffer = 1,
  /** Body: holds with flow control. */
  StopIterationAndWatermark = 2,
  /** Body: holds and drops what has come. */
  StopIterationNoBuffer = 3,
}

/** Which buffer `get_buffer_bytes` and its kin act on. */
export enum BufferType {
  HttpRequestBody = 0,
  HttpResponseBody = 1,
  DownstreamData = 2,
  UpstreamData = 3,
  HttpCallResponseBody = 4,
  GrpcCallMessage = 5,
  VmConfiguration = 6,
  PluginConfiguration = 7,
  ForeignFunctionArguments = 8,
}

/** Which header map the map hostcalls act on. */
export enum MapType {
  RequestHeaders = 0,
  RequestTrailers = 1,
  ResponseHeaders = 2,
  ResponseTrailers = 3,
  GrpcInitialMetadata = 4,
  GrpcTrailingMetadata = 5,
  HttpCallResponseHeaders = 6,
  HttpCallResponseTrailers = 7,
}

/** Which half of a stream `continue_stream` and `close_stream` act on. */
export enum StreamType {
  HttpRequest = 0,
  HttpResponse = 1,
  Downstream = 2,
  Upstream = 3,
}

/** Who closed a TCP connection. */
export enum PeerType {
  Unknown = 0,
  Local = 1,
  Remote = 2,
}

export enum MetricType {
  Counter = 0,
  Gauge = 1,
  Histogram = 2,
}

/** gRPC's status codes; `None` in a local response means that it carries none. */
export enum GrpcStatus {
  None = -1,
  Ok = 0,
  Cancelled = 1,
  Unknown = 2,
  InvalidArgument = 3,
  DeadlineExceeded = 4,
  NotFound = 5,
  AlreadyExists = 6,
  PermissionDenied = 7,
  ResourceExhausted = 8,
  FailedPrecondition = 9,
  Aborted = 10,
  OutOfRange = 11,
  Unimplemented = 12,
  Internal = 13,
  Unavailable = 14,
  DataLoss = 15,
  Unauthenticated = 16,
}

/** Numbers of the proxy-wasm ABI, as the host uses them. */

export const Status = {
  Ok: 0,
  NotFound: 1,
  BadArgument: 2,
  SerializationFailure: 3,
  ParseFailure: 4,
  InvalidMemoryAccess: 6,
  Empty: 7,
  CasMismatch: 8,
  InternalFailure: 10,
  BrokenConnection: 11,
  Unimplemented: 12,
} as const

export const MapType = {
  RequestHeaders: 0,
  RequestTrailers: 1,
  ResponseHeaders: 2,
  ResponseTrailers: 3,
  GrpcInitialMetadata: 4,
  GrpcTrailingMetadata: 5,
  HttpCallResponseHeaders: 6,
  HttpCallResponseTrailers: 7,
} as const
export const MAP_TYPE_MAX = 7

export const BufferType = {
  RequestBody: 0,
  ResponseBody: 1,
  DownstreamData: 2,
  UpstreamData: 3,
  HttpCallResponseBody: 4,
  GrpcMessage: 5,
  VmConfiguration: 6,
  PluginConfiguration: 7,
  CallData: 8,
} as const
export const BUFFER_TYPE_MAX = 8

export const StreamType = { Request: 0, Response: 1, Downstream: 2, Upstream: 3 } as const

export const PeerType = { Unknown: 0, Local: 1, Remote: 2 } as const

/** Names by number, for traces and messages. */
export const MAP_NAMES = [
  'request_headers',
  'request_trailers',
  'response_headers',
  'response_trailers',
  'grpc_initial_metadata',
  'grpc_trailing_metadata',
  'http_call_response_headers',
  'http_call_response_trailers',
]
export const BUFFER_NAMES = [
  'request_body',
  'response_body',
  'downstream_data',
  'upstream_data',
  'http_call_response_body',
  'grpc_message',
  'vm_configuration',
  'plugin_configuration',
  'call_data',
]
export const STREAM_NAMES = ['request', 'response', 'downstream', 'upstream']
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'critical'] as const

export type AbiVersion = '0.1.0' | '0.2.0' | '0.2.1'

/** `i32`, `i64`, …; a list of them in one string, as Envoy prints it; empty: void. */
export interface Signature {
  params: string
  results: string
}

const signature = (params: string, results = ''): Signature => ({ params, results })
const ints = (count: number) => Array<string>(count).fill('i32').join(' ')

/** Callbacks by export name without `proxy_`, with what Envoy requires their signature to be. */
export const CALLBACKS: Record<string, Signature> = {
  validate_configuration: signature(ints(2), 'i32'),
  on_vm_start: signature(ints(2), 'i32'),
  on_configure: signature(ints(2), 'i32'),
  on_tick: signature(ints(1)),
  on_context_create: signature(ints(2)),
  on_new_connection: signature(ints(1), 'i32'),
  on_downstream_data: signature(ints(3), 'i32'),
  on_upstream_data: signature(ints(3), 'i32'),
  on_downstream_connection_close: signature(ints(2)),
  on_upstream_connection_close: signature(ints(2)),
  on_request_headers: signature(ints(3), 'i32'),
  on_request_body: signature(ints(3), 'i32'),
  on_request_trailers: signature(ints(2), 'i32'),
  on_request_metadata: signature(ints(2), 'i32'),
  on_response_headers: signature(ints(3), 'i32'),
  on_response_body: signature(ints(3), 'i32'),
  on_response_trailers: signature(ints(2), 'i32'),
  on_response_metadata: signature(ints(2), 'i32'),
  on_http_call_response: signature(ints(5)),
  on_grpc_receive_initial_metadata: signature(ints(3)),
  on_grpc_receive: signature(ints(3)),
  on_grpc_receive_trailing_metadata: signature(ints(3)),
  on_grpc_close: signature(ints(3)),
  on_queue_ready: signature(ints(2)),
  on_foreign_function: signature(ints(3)),
  on_done: signature(ints(1), 'i32'),
  on_log: signature(ints(1)),
  on_delete: signature(ints(1)),
}

/** Other exports that the host calls. */
export const LIFECYCLE: Record<string, Signature> = {
  _initialize: signature(''),
  _start: signature(''),
  main: signature(ints(2), 'i32'),
  __main_void: signature('', 'i32'),
  malloc: signature(ints(1), 'i32'),
  proxy_on_memory_allocate: signature(ints(1), 'i32'),
}

/** Hostcalls that are allowed while the host is in the guest's allocator. */
export const ALLOWED_IN_ALLOCATOR: ReadonlySet<string> = new Set([
  'env.emscripten_notify_memory_growth',
  'env.proxy_log',
  ...wasi('fd_write', 'clock_time_get', 'poll_oneoff'),
])

/** Hostcalls that are allowed in `_initialize`, `main` and `_start`. */
export const ALLOWED_AT_START: ReadonlySet<string> = new Set([
  'env.emscripten_notify_memory_growth',
  'env.proxy_log',
  ...wasi('fd_write', 'args_sizes_get', 'args_get', 'environ_sizes_get', 'environ_get'),
  ...wasi('clock_time_get', 'clock_res_get', 'random_get', 'poll_oneoff', 'fd_fdstat_get', 'fd_fdstat_set_flags'),
  ...wasi('fd_advise', 'fd_allocate', 'fd_datasync', 'fd_fdstat_set_rights', 'fd_filestat_get', 'fd_filestat_set_size'),
  ...wasi('fd_filestat_set_times', 'fd_pread', 'fd_prestat_dir_name', 'fd_prestat_get', 'fd_pwrite', 'fd_readdir'),
  ...wasi('fd_renumber', 'fd_sync', 'fd_tell', 'path_create_directory', 'path_filestat_get', 'path_filestat_set_times'),
  ...wasi('path_link', 'path_readlink', 'path_remove_directory', 'path_rename', 'path_symlink', 'path_unlink_file'),
  ...wasi('sock_accept', 'sock_recv', 'sock_send', 'sock_shutdown'),
])

function wasi(...names: string[]): string[] {
  return names.flatMap((name) => [`wasi_unstable.${name}`, `wasi_snapshot_preview1.${name}`])
}

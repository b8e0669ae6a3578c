/** The proxy-wasm ABI 0.2.1 as Envoy implements it: names and signatures of callbacks and hostcalls. */

import { type Signature, type ValueType } from '@meshscript/sdk/testing/module'

/** `'ii:i'`: two i32 parameters, one i32 result; `j` is i64. */
function signature(text: string): Signature {
  const [params = '', results = ''] = text.split(':')
  const types = (list: string) => [...list].map((letter): ValueType => (letter === 'j' ? 'i64' : 'i32'))
  return { params: types(params), results: types(results) }
}

function table(source: Record<string, string>): ReadonlyMap<string, Signature> {
  return new Map(
    Object.entries(source).flatMap(([text, names]) => names.split(' ').map((name) => [name, signature(text)] as const)),
  )
}

const count = (params: number) => `${'i'.repeat(params)}:i`

/** What the host calls. */
export const callbacks = table({
  'ii:':
    'proxy_on_context_create proxy_on_queue_ready proxy_on_downstream_connection_close proxy_on_upstream_connection_close envoy_on_stats_update',
  'ii:i':
    'proxy_on_vm_start proxy_on_configure proxy_validate_configuration proxy_on_request_trailers proxy_on_request_metadata proxy_on_response_trailers proxy_on_response_metadata',
  'i:': 'proxy_on_tick proxy_on_log proxy_on_delete',
  'i:i': 'proxy_on_new_connection proxy_on_done proxy_on_memory_allocate malloc',
  'iii:i':
    'proxy_on_downstream_data proxy_on_upstream_data proxy_on_request_headers proxy_on_request_body proxy_on_response_headers proxy_on_response_body',
  'iii:':
    'proxy_on_foreign_function proxy_on_grpc_receive_initial_metadata proxy_on_grpc_receive proxy_on_grpc_receive_trailing_metadata proxy_on_grpc_close envoy_on_resolve_dns',
  'iiiii:': 'proxy_on_http_call_response',
  ':': '_initialize _start',
})

/** The exports that the host calls for events; an allocator is none. */
export function eventCallbacks(exports: readonly string[]): string[] {
  return exports.filter((name) => name.startsWith('proxy_on_') && callbacks.has(name) && !name.endsWith('_allocate'))
}

export const abiMarkers = ['proxy_abi_version_0_2_1', 'proxy_abi_version_0_2_0', 'proxy_abi_version_0_1_0'] as const

/** What a module may import from `env`. */
export const hostcalls = table({
  [count(0)]: 'proxy_done',
  [count(1)]:
    'proxy_get_log_level proxy_get_current_time_nanoseconds proxy_set_tick_period_milliseconds proxy_set_effective_context proxy_continue_stream proxy_close_stream proxy_grpc_cancel proxy_grpc_close',
  [count(2)]: 'proxy_get_header_map_size proxy_get_metric pthread_equal',
  [count(3)]:
    'proxy_log proxy_get_buffer_status proxy_get_header_map_pairs proxy_set_header_map_pairs proxy_remove_header_map_value proxy_get_status proxy_register_shared_queue proxy_enqueue_shared_queue proxy_dequeue_shared_queue envoy_resolve_dns',
  [count(4)]: 'proxy_grpc_send proxy_define_metric proxy_get_property proxy_set_property',
  [count(5)]:
    'proxy_get_buffer_bytes proxy_set_buffer_bytes proxy_get_header_map_value proxy_add_header_map_value proxy_replace_header_map_value proxy_get_shared_data proxy_set_shared_data proxy_resolve_shared_queue',
  [count(6)]: 'proxy_call_foreign_function',
  [count(8)]: 'proxy_send_local_response',
  [count(9)]: 'proxy_grpc_stream',
  [count(10)]: 'proxy_http_call',
  [count(12)]: 'proxy_grpc_call',
  'ij:i': 'proxy_record_metric proxy_increment_metric',
  'i:': 'emscripten_notify_memory_growth',
})

/** Hostcalls of ABI 0.1.0 that no host offers to a module with a 0.2 marker, and what to do instead. */
export const removedHostcalls: ReadonlyMap<string, string> = new Map([
  ['proxy_clear_route_cache', 'call the foreign function clear_route_cache'],
  ['proxy_continue_request', 'call proxy_continue_stream with stream type 0'],
  ['proxy_continue_response', 'call proxy_continue_stream with stream type 1'],
  ['proxy_get_configuration', 'call proxy_get_buffer_bytes with buffer type 7'],
])

export const wasiModules = ['wasi_snapshot_preview1', 'wasi_unstable'] as const

/** WASI functions that Envoy registers, many of them as stubs. */
export const wasiFunctions: ReadonlySet<string> = new Set(
  (
    'fd_write fd_read fd_seek fd_close fd_fdstat_get fd_fdstat_set_flags fd_fdstat_set_rights environ_get environ_sizes_get ' +
    'args_get args_sizes_get clock_time_get clock_res_get fd_advise fd_allocate fd_datasync fd_filestat_set_size ' +
    'fd_filestat_set_times fd_pread fd_pwrite fd_readdir fd_renumber fd_sync fd_tell path_create_directory ' +
    'path_filestat_set_times path_link path_readlink path_remove_directory path_rename path_symlink path_unlink_file ' +
    'sock_accept sock_recv sock_send sock_shutdown random_get sched_yield poll_oneoff proc_exit path_open fd_prestat_get ' +
    'fd_prestat_dir_name path_filestat_get fd_filestat_get'
  ).split(' '),
)

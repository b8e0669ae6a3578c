// The hostcalls under the names that the old package's imports.ts gives them. Addresses that the host answers are those of
// ArrayBuffers: see `malloc`.

import { Status } from '../../abi/enums'
import * as host from '../../abi/hostcalls'
import { clear_route_cache } from './host'

export {
  add_header_map_value as proxy_add_header_map_value,
  call_foreign_function as proxy_call_foreign_function,
  close_stream as proxy_close_stream,
  continue_stream as proxy_continue_stream,
  define_metric as proxy_define_metric,
  dequeue_shared_queue as proxy_dequeue_shared_queue,
  done as proxy_done,
  enqueue_shared_queue as proxy_enqueue_shared_queue,
  get_buffer_bytes as proxy_get_buffer_bytes,
  get_buffer_status as proxy_get_buffer_status,
  get_current_time_nanoseconds as proxy_get_current_time_nanoseconds,
  get_header_map_pairs as proxy_get_header_map_pairs,
  get_header_map_size as proxy_get_header_map_size,
  get_header_map_value as proxy_get_header_map_value,
  get_metric as proxy_get_metric,
  get_property as proxy_get_property,
  get_shared_data as proxy_get_shared_data,
  get_status as proxy_get_status,
  grpc_cancel as proxy_grpc_cancel,
  grpc_close as proxy_grpc_close,
  grpc_send as proxy_grpc_send,
  http_call as proxy_http_call,
  increment_metric as proxy_increment_metric,
  log as proxy_log,
  record_metric as proxy_record_metric,
  register_shared_queue as proxy_register_shared_queue,
  remove_header_map_value as proxy_remove_header_map_value,
  replace_header_map_value as proxy_replace_header_map_value,
  resolve_shared_queue as proxy_resolve_shared_queue,
  send_local_response as proxy_send_local_response,
  // The old package misnames it; no host has what it imports under this name.
  set_buffer_bytes as proxy_set_buffer_status,
  set_effective_context as proxy_set_effective_context,
  set_header_map_pairs as proxy_set_header_map_pairs,
  set_property as proxy_set_property,
  set_shared_data as proxy_set_shared_data,
  set_tick_period_milliseconds as proxy_set_tick_period_milliseconds,
} from '../../abi/hostcalls'

export type LogLevel = usize
export type WasmResult = u32
export type MetricType = i32
export type PeerType = i32
export type HeaderMapType = i32
export type BufferType = i32
export type BufferFlags = i32
export type StreamType = i32

export function proxy_clear_route_cache(): WasmResult {
  return clear_route_cache()
}

/** Without initial metadata, for which the old package's signature has no room. */
export function proxy_grpc_call(
  service_ptr: usize,
  service_size: usize,
  service_name_ptr: usize,
  service_name_size: usize,
  method_name_ptr: usize,
  method_name_size: usize,
  request_ptr: usize,
  request_size: usize,
  timeout_milliseconds: u32,
  token_ptr: usize,
): Status {
  return host.grpc_call(
    service_ptr,
    service_size,
    service_name_ptr,
    service_name_size,
    method_name_ptr,
    method_name_size,
    0,
    0,
    request_ptr,
    request_size,
    timeout_milliseconds,
    token_ptr,
  )
}

/** Without initial metadata, for which the old package's signature has no room. */
export function proxy_grpc_stream(
  service_ptr: usize,
  service_size: usize,
  service_name_ptr: usize,
  service_name_size: usize,
  method_name_ptr: usize,
  method_name_size: usize,
  token_ptr: usize,
): Status {
  return host.grpc_stream(
    service_ptr,
    service_size,
    service_name_ptr,
    service_name_size,
    method_name_ptr,
    method_name_size,
    0,
    0,
    token_ptr,
  )
}

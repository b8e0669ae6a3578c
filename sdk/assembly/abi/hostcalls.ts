import { Status } from './enums'

// The host functions of the proxy-wasm ABI 0.2.1, in the order of the specification, and nothing else.
// All answer a `Status`. A parameter that ends in a bare `data`, `size`, `cas`, `…_id` of type usize where a result is
// meant is the address that the host writes the result to; it is left alone unless the status is `Ok`.
// asc emits an import only for what a module uses.

// @ts-ignore: decorator
@external("env", "proxy_log")
export declare function log(level: u32, data: usize, size: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_get_log_level")
export declare function get_log_level(level: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_get_current_time_nanoseconds")
export declare function get_current_time_nanoseconds(time: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_set_tick_period_milliseconds")
export declare function set_tick_period_milliseconds(period: u32): Status

// @ts-ignore: decorator
@external("env", "proxy_set_effective_context")
export declare function set_effective_context(context_id: u32): Status

// @ts-ignore: decorator
@external("env", "proxy_done")
export declare function done(): Status

// @ts-ignore: decorator
@external("env", "proxy_get_buffer_bytes")
export declare function get_buffer_bytes(buffer: u32, start: usize, max_size: usize, data: usize, size: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_get_buffer_status")
export declare function get_buffer_status(buffer: u32, size: usize, flags: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_set_buffer_bytes")
export declare function set_buffer_bytes(buffer: u32, start: usize, size: usize, data: usize, data_size: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_get_header_map_size")
export declare function get_header_map_size(map: u32, size: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_get_header_map_pairs")
export declare function get_header_map_pairs(map: u32, data: usize, size: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_set_header_map_pairs")
export declare function set_header_map_pairs(map: u32, data: usize, size: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_get_header_map_value")
export declare function get_header_map_value(map: u32, key: usize, key_size: usize, data: usize, size: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_add_header_map_value")
export declare function add_header_map_value(
  map: u32,
  key: usize,
  key_size: usize,
  value: usize,
  value_size: usize,
): Status

// @ts-ignore: decorator
@external("env", "proxy_replace_header_map_value")
export declare function replace_header_map_value(
  map: u32,
  key: usize,
  key_size: usize,
  value: usize,
  value_size: usize,
): Status

// @ts-ignore: decorator
@external("env", "proxy_remove_header_map_value")
export declare function remove_header_map_value(map: u32, key: usize, key_size: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_continue_stream")
export declare function continue_stream(stream: u32): Status

// @ts-ignore: decorator
@external("env", "proxy_close_stream")
export declare function close_stream(stream: u32): Status

// @ts-ignore: decorator
@external("env", "proxy_get_status")
export declare function get_status(code: usize, message: usize, message_size: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_send_local_response")
export declare function send_local_response(
  status: u32,
  details: usize,
  details_size: usize,
  body: usize,
  body_size: usize,
  headers: usize,
  headers_size: usize,
  grpc_status: i32,
): Status

// @ts-ignore: decorator
@external("env", "proxy_http_call")
export declare function http_call(
  upstream: usize,
  upstream_size: usize,
  headers: usize,
  headers_size: usize,
  body: usize,
  body_size: usize,
  trailers: usize,
  trailers_size: usize,
  timeout_ms: u32,
  call_id: usize,
): Status

// @ts-ignore: decorator
@external("env", "proxy_grpc_call")
export declare function grpc_call(
  service: usize,
  service_size: usize,
  service_name: usize,
  service_name_size: usize,
  method: usize,
  method_size: usize,
  initial_metadata: usize,
  initial_metadata_size: usize,
  message: usize,
  message_size: usize,
  timeout_ms: u32,
  call_id: usize,
): Status

// @ts-ignore: decorator
@external("env", "proxy_grpc_stream")
export declare function grpc_stream(
  service: usize,
  service_size: usize,
  service_name: usize,
  service_name_size: usize,
  method: usize,
  method_size: usize,
  initial_metadata: usize,
  initial_metadata_size: usize,
  call_id: usize,
): Status

// @ts-ignore: decorator
@external("env", "proxy_grpc_send")
export declare function grpc_send(call_id: u32, message: usize, message_size: usize, end_stream: u32): Status

// @ts-ignore: decorator
@external("env", "proxy_grpc_cancel")
export declare function grpc_cancel(call_id: u32): Status

// @ts-ignore: decorator
@external("env", "proxy_grpc_close")
export declare function grpc_close(call_id: u32): Status

// @ts-ignore: decorator
@external("env", "proxy_get_shared_data")
export declare function get_shared_data(key: usize, key_size: usize, data: usize, size: usize, cas: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_set_shared_data")
export declare function set_shared_data(key: usize, key_size: usize, data: usize, size: usize, cas: u32): Status

// @ts-ignore: decorator
@external("env", "proxy_register_shared_queue")
export declare function register_shared_queue(name: usize, name_size: usize, queue_id: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_resolve_shared_queue")
export declare function resolve_shared_queue(
  vm_id: usize,
  vm_id_size: usize,
  name: usize,
  name_size: usize,
  queue_id: usize,
): Status

// @ts-ignore: decorator
@external("env", "proxy_enqueue_shared_queue")
export declare function enqueue_shared_queue(queue_id: u32, data: usize, size: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_dequeue_shared_queue")
export declare function dequeue_shared_queue(queue_id: u32, data: usize, size: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_define_metric")
export declare function define_metric(type: u32, name: usize, name_size: usize, metric_id: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_record_metric")
export declare function record_metric(metric_id: u32, value: u64): Status

// @ts-ignore: decorator
@external("env", "proxy_increment_metric")
export declare function increment_metric(metric_id: u32, delta: i64): Status

// @ts-ignore: decorator
@external("env", "proxy_get_metric")
export declare function get_metric(metric_id: u32, value: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_get_property")
export declare function get_property(path: usize, path_size: usize, data: usize, size: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_set_property")
export declare function set_property(path: usize, path_size: usize, value: usize, value_size: usize): Status

// @ts-ignore: decorator
@external("env", "proxy_call_foreign_function")
export declare function call_foreign_function(
  name: usize,
  name_size: usize,
  args: usize,
  args_size: usize,
  data: usize,
  size: usize,
): Status

// WASI preview 1, what the environment variables of the VM come through.

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_sizes_get")
export declare function environ_sizes_get(count: usize, size: usize): u32

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "environ_get")
export declare function environ_get(entries: usize, data: usize): u32

// @ts-ignore: decorator
@external("wasi_snapshot_preview1", "random_get")
export declare function random_get(data: usize, size: usize): u32

// Envoy's own.

// @ts-ignore: decorator
@external("env", "envoy_resolve_dns")
export declare function envoy_resolve_dns(name: usize, name_size: usize, token: usize): Status

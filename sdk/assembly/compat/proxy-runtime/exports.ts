// The functions that the host calls. The build exports those that the filter's classes override, and no others.

import { enter, enterAndCollect } from '../../enter'
import { LogLevelValues } from './enums'
import { log } from './host'
import { malloc } from './malloc'
import { createContext, deleteContext, findBase, findRoot, findStream } from './registry'

/** Says which ABI the module speaks. Only its existence counts. */
export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: u32): usize {
  return malloc(size)
}

export function proxy_on_context_create(context_id: u32, root_context_id: u32): void {
  enterAndCollect('createContext')
  createContext(context_id, root_context_id)
}

export function proxy_on_vm_start(root_context_id: u32, configuration_size: u32): bool {
  enter('onStart')
  const root = findRoot(root_context_id)
  return root ? root.onStart(configuration_size) : true
}

export function proxy_validate_configuration(root_context_id: u32, configuration_size: u32): bool {
  enter('validateConfiguration')
  const root = findRoot(root_context_id)
  return root ? root.validateConfiguration(configuration_size) : true
}

/** Always exported, since the base class keeps the configuration. A plugin without a root context is refused here. */
export function proxy_on_configure(root_context_id: u32, configuration_size: u32): bool {
  enter('onConfigure')
  const root = findRoot(root_context_id)
  if (root) return root.onConfigure(configuration_size)
  log(LogLevelValues.critical, 'the configuration is refused: the plugin has no root context')
  return false
}

export function proxy_on_tick(root_context_id: u32): void {
  enterAndCollect('onTick')
  const root = findRoot(root_context_id)
  if (root) root.onTick()
}

export function proxy_on_queue_ready(root_context_id: u32, token: u32): void {
  enterAndCollect('onQueueReady')
  const root = findRoot(root_context_id)
  if (root) root.onQueueReady(token)
}

export function proxy_on_new_connection(context_id: u32): i32 {
  enter('onNewConnection')
  const stream = findStream(context_id)
  return stream ? stream.onNewConnection() : 0
}

// Data and bodies are read to the managed heap, and one connection may carry any amount: garbage is collected here too.

export function proxy_on_downstream_data(context_id: u32, size: u32, end_of_stream: u32): i32 {
  enterAndCollect('onDownstreamData')
  const stream = findStream(context_id)
  return stream ? stream.onDownstreamData(size, end_of_stream != 0) : 0
}

export function proxy_on_upstream_data(context_id: u32, size: u32, end_of_stream: u32): i32 {
  enterAndCollect('onUpstreamData')
  const stream = findStream(context_id)
  return stream ? stream.onUpstreamData(size, end_of_stream != 0) : 0
}

export function proxy_on_downstream_connection_close(context_id: u32, peer: u32): void {
  enter('onDownstreamConnectionClose')
  const stream = findStream(context_id)
  if (stream) stream.onDownstreamConnectionClose(peer)
}

export function proxy_on_upstream_connection_close(context_id: u32, peer: u32): void {
  enter('onUpstreamConnectionClose')
  const stream = findStream(context_id)
  if (stream) stream.onUpstreamConnectionClose(peer)
}

export function proxy_on_request_headers(context_id: u32, headers: u32, end_of_stream: u32): i32 {
  enter('onRequestHeaders')
  const stream = findStream(context_id)
  return stream ? stream.onRequestHeaders(headers, end_of_stream != 0) : 0
}

export function proxy_on_request_body(context_id: u32, body_buffer_length: u32, end_of_stream: u32): i32 {
  enterAndCollect('onRequestBody')
  const stream = findStream(context_id)
  return stream ? stream.onRequestBody(body_buffer_length, end_of_stream != 0) : 0
}

export function proxy_on_request_trailers(context_id: u32, trailers: u32): i32 {
  enter('onRequestTrailers')
  const stream = findStream(context_id)
  return stream ? stream.onRequestTrailers(trailers) : 0
}

export function proxy_on_request_metadata(context_id: u32, nelements: u32): i32 {
  enter('onRequestMetadata')
  const stream = findStream(context_id)
  return stream ? stream.onRequestMetadata(nelements) : 0
}

export function proxy_on_response_headers(context_id: u32, headers: u32, end_of_stream: u32): i32 {
  enter('onResponseHeaders')
  const stream = findStream(context_id)
  return stream ? stream.onResponseHeaders(headers, end_of_stream != 0) : 0
}

export function proxy_on_response_body(context_id: u32, body_buffer_length: u32, end_of_stream: u32): i32 {
  enterAndCollect('onResponseBody')
  const stream = findStream(context_id)
  return stream ? stream.onResponseBody(body_buffer_length, end_of_stream != 0) : 0
}

export function proxy_on_response_trailers(context_id: u32, trailers: u32): i32 {
  enter('onResponseTrailers')
  const stream = findStream(context_id)
  return stream ? stream.onResponseTrailers(trailers) : 0
}

export function proxy_on_response_metadata(context_id: u32, nelements: u32): i32 {
  enter('onResponseMetadata')
  const stream = findStream(context_id)
  return stream ? stream.onResponseMetadata(nelements) : 0
}

export function proxy_on_http_call_response(
  root_context_id: u32,
  token: u32,
  headers: u32,
  body_size: u32,
  trailers: u32,
): void {
  enterAndCollect('onHttpCallResponse')
  const root = findRoot(root_context_id)
  if (root) root.onHttpCallResponse(token, headers, body_size, trailers)
}

export function proxy_on_grpc_receive_initial_metadata(root_context_id: u32, token: u32, headers: u32): void {
  enter('on_grpc_receive_initial_metadata')
  const root = findRoot(root_context_id)
  if (root) root.on_grpc_receive_initial_metadata(token, headers)
}

/** The old package exported it as `proxy_on_grpc_trailing_metadata`, which no host calls. */
export function proxy_on_grpc_receive_trailing_metadata(root_context_id: u32, token: u32, trailers: u32): void {
  enter('on_grpc_trailing_metadata')
  const root = findRoot(root_context_id)
  if (root) root.on_grpc_trailing_metadata(token, trailers)
}

export function proxy_on_grpc_receive(root_context_id: u32, token: u32, response_size: u32): void {
  enterAndCollect('on_grpc_receive')
  const root = findRoot(root_context_id)
  if (root) root.on_grpc_receive(token, response_size)
}

export function proxy_on_grpc_close(root_context_id: u32, token: u32, status_code: u32): void {
  enter('on_grpc_close')
  const root = findRoot(root_context_id)
  if (root) root.on_grpc_close(token, status_code)
}

export function proxy_on_done(context_id: u32): bool {
  enter('onDone')
  const context = findBase(context_id)
  return context ? context.onDone() : true
}

export function proxy_on_log(context_id: u32): void {
  enter('onLog')
  const stream = findStream(context_id)
  if (stream) stream.onLog()
}

export function proxy_on_delete(context_id: u32): void {
  enter('onDelete')
  const context = findBase(context_id)
  if (context) context.onDelete()
  deleteContext(context_id)
}

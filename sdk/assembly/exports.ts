// The functions that the host calls. The entry that the build generates exports those that the filter needs, and no others:
// a callback that is not exported costs nothing.

import { Action, PeerType } from './abi/enums'
import { Configuration } from './configuration'
import { leave } from './bundle_hooks'
import { HttpContextBase } from './context'
import { takeConfigurationError } from './configuration_error'
import { enter, enterAndCollect } from './enter'
import { collectNow } from './memory/collector'
import { allocate } from './memory/arena'
import { isContinued, Phase } from './phase'
import {
  createContext,
  deleteContext,
  findContext,
  findHttp,
  findNewConnection,
  findRoot,
  findStream,
} from './registry'
import { log } from './log'

/** Says which ABI the module speaks. Only its existence counts. */
export function proxy_abi_version_0_2_1(): void {}

/** Where the host puts what hostcalls return. */
export function proxy_on_memory_allocate(size: usize): usize {
  return allocate(size)
}

export function proxy_on_context_create(id: u32, parentId: u32): void {
  enterAndCollect('createContext', Phase.Closed)
  createContext(id, parentId)
}

export function proxy_on_vm_start(rootId: u32, configurationSize: u32): bool {
  enter('onStart')
  const root = findRoot(rootId)
  return root ? root.onStart() : true
}

export function proxy_on_configure(rootId: u32, configurationSize: u32): bool {
  enter('onConfigure')
  collectNow()
  const root = findRoot(rootId)
  if (!root) return true
  const accepted = root.onConfigure(changetype<Configuration>(1))
  leave()
  const error = takeConfigurationError()
  if (error) {
    log.critical(error)
    return false
  }
  return accepted
}

export function proxy_on_tick(rootId: u32): void {
  enterAndCollect('onTick')
  const root = findRoot(rootId)
  if (root) root.onTick()
  leave()
}

export function proxy_on_queue_ready(rootId: u32, queueId: u32): void {
  enterAndCollect('onQueueReady')
  const root = findRoot(rootId)
  if (root) root.onQueueReady(queueId)
  leave()
}

export function proxy_on_foreign_function(rootId: u32, functionId: u32, argumentsSize: u32): void {
  enter('onForeignFunction')
  const root = findRoot(rootId)
  if (root) root.onForeignFunction(functionId, argumentsSize)
  leave()
}

/** Notes whether the request waits, which decides whether it can be continued. */
function leaveRequest(http: HttpContextBase, action: Action): Action {
  if (isContinued) action = Action.Continue
  http.isRequestPaused = action != Action.Continue
  leave()
  return action
}

function leaveResponse(http: HttpContextBase, action: Action): Action {
  if (isContinued) action = Action.Continue
  http.isResponsePaused = action != Action.Continue
  leave()
  return action
}

export function proxy_on_request_headers(id: u32, count: u32, endOfStream: u32): Action {
  enter('onRequestHeaders', Phase.Request)
  const http = findHttp(id)
  return http ? leaveRequest(http, http.onRequestHeaders(endOfStream != 0)) : Action.Continue
}

export function proxy_on_request_body(id: u32, size: u32, endOfStream: u32): Action {
  enter('onRequestBody', Phase.Request)
  const http = findHttp(id)
  return http ? leaveRequest(http, http.onRequestBody(size, endOfStream != 0)) : Action.Continue
}

export function proxy_on_request_trailers(id: u32, count: u32): Action {
  enter('onRequestTrailers', Phase.Request)
  const http = findHttp(id)
  return http ? leaveRequest(http, http.onRequestTrailers()) : Action.Continue
}

export function proxy_on_request_metadata(id: u32, count: u32): Action {
  enter('onRequestMetadata', Phase.Request)
  const http = findHttp(id)
  return http ? leaveRequest(http, http.onRequestMetadata()) : Action.Continue
}

export function proxy_on_response_headers(id: u32, count: u32, endOfStream: u32): Action {
  enter('onResponseHeaders', Phase.Response)
  const http = findHttp(id)
  return http ? leaveResponse(http, http.onResponseHeaders(endOfStream != 0)) : Action.Continue
}

export function proxy_on_response_body(id: u32, size: u32, endOfStream: u32): Action {
  enter('onResponseBody', Phase.Response)
  const http = findHttp(id)
  return http ? leaveResponse(http, http.onResponseBody(size, endOfStream != 0)) : Action.Continue
}

export function proxy_on_response_trailers(id: u32, count: u32): Action {
  enter('onResponseTrailers', Phase.Response)
  const http = findHttp(id)
  return http ? leaveResponse(http, http.onResponseTrailers()) : Action.Continue
}

export function proxy_on_response_metadata(id: u32, count: u32): Action {
  enter('onResponseMetadata', Phase.Response)
  const http = findHttp(id)
  return http ? leaveResponse(http, http.onResponseMetadata()) : Action.Continue
}

export function proxy_on_new_connection(id: u32): Action {
  enter('onNewConnection')
  const stream = findNewConnection(id)
  return stream ? stream.onNewConnection() : Action.Continue
}

export function proxy_on_downstream_data(id: u32, size: u32, endOfStream: u32): Action {
  enter('onDownstreamData')
  const stream = findStream(id)
  return stream ? stream.onDownstreamData(size, endOfStream != 0) : Action.Continue
}

export function proxy_on_upstream_data(id: u32, size: u32, endOfStream: u32): Action {
  enter('onUpstreamData')
  const stream = findStream(id)
  return stream ? stream.onUpstreamData(size, endOfStream != 0) : Action.Continue
}

export function proxy_on_downstream_connection_close(id: u32, peer: PeerType): void {
  enter('onDownstreamClose')
  const stream = findStream(id)
  if (stream) stream.onDownstreamClose(peer)
}

export function proxy_on_upstream_connection_close(id: u32, peer: PeerType): void {
  enter('onUpstreamClose')
  const stream = findStream(id)
  if (stream) stream.onUpstreamClose(peer)
}

export function proxy_on_log(id: u32): void {
  enter('onLog', Phase.Closed)
  const http = findHttp(id)
  if (http) return http.onLog()
  const stream = findStream(id)
  if (stream) stream.onLog()
}

export function proxy_on_done(id: u32): bool {
  enter('onDone', Phase.Closed)
  const context = findContext(id)
  return context ? context.onDone() : true
}

export function proxy_on_delete(id: u32): void {
  enter('onDelete', Phase.Closed)
  deleteContext(id)
}

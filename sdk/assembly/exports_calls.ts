// The exports of filters that make callouts.

import { GrpcStatus } from './abi/enums'
import { removeCall } from './calls'
import { leave } from './bundle_hooks'
import { enter } from './enter'
import { enterGrpcCall } from './grpc'
import { deliverHttpCall } from './http_call'

export function proxy_on_http_call_response(
  rootId: u32,
  callId: u32,
  headerCount: u32,
  bodySize: u32,
  trailerCount: u32,
): void {
  enter('onHttpCallResponse')
  deliverHttpCall(callId, headerCount)
  leave()
}

export function proxy_on_grpc_receive_initial_metadata(rootId: u32, callId: u32, count: u32): void {
  enter('onInitialMetadata')
  const call = enterGrpcCall(callId)
  if (call) call.onInitialMetadata()
  leave()
}

export function proxy_on_grpc_receive(rootId: u32, callId: u32, size: u32): void {
  enter('onMessage')
  const call = enterGrpcCall(callId)
  if (call) call.onMessage()
  leave()
}

export function proxy_on_grpc_receive_trailing_metadata(rootId: u32, callId: u32, count: u32): void {
  enter('onTrailingMetadata')
  const call = enterGrpcCall(callId)
  if (call) call.onTrailingMetadata()
  leave()
}

export function proxy_on_grpc_close(rootId: u32, callId: u32, status: GrpcStatus): void {
  enter('onClose')
  const call = enterGrpcCall(callId)
  removeCall(callId)
  if (call) call.onClose(status)
  leave()
}

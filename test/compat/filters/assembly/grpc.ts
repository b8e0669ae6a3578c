// gRPC by the hostcalls, for which 0.1.8 has signatures that no proxy has.

export * from '@solo-io/proxy-runtime/proxy'
import {
  Context,
  FilterHeadersStatusValues,
  LogLevelValues,
  RootContext,
  log,
  registerRootContext,
} from '@solo-io/proxy-runtime'
import * as imports from '@solo-io/proxy-runtime/imports'
import { BufferTypeValues, Reference, get_buffer_bytes, get_status } from '@solo-io/proxy-runtime/runtime'

class GrpcRoot extends RootContext {
  createContext(context_id: u32): Context {
    return new Grpc(context_id, this)
  }

  on_grpc_receive(token: u32, response_size: u32): void {
    const message = get_buffer_bytes(BufferTypeValues.GrpcReceiveBuffer, 0, response_size)
    log(LogLevelValues.info, 'message ' + String.UTF8.decode(message))
  }

  on_grpc_trailing_metadata(token: u32, trailers: u32): void {
    log(LogLevelValues.info, 'trailers')
  }

  on_grpc_close(token: u32, status_code: u32): void {
    const status = get_status()
    log(LogLevelValues.info, `closed ${status_code} ${status.status} ${String.UTF8.decode(status.data)}`)
  }
}

class Grpc extends Context {
  onRequestHeaders(count: u32, end_of_stream: bool): FilterHeadersStatusValues {
    const cluster = String.UTF8.encode('grpc')
    const service = String.UTF8.encode('pkg.Service')
    const chat = String.UTF8.encode('Chat')
    const ask = String.UTF8.encode('Ask')
    const message = String.UTF8.encode('hello')
    const token = new Reference<u32>()
    const call = imports.proxy_grpc_call(
      changetype<usize>(cluster),
      cluster.byteLength,
      changetype<usize>(service),
      service.byteLength,
      changetype<usize>(ask),
      ask.byteLength,
      changetype<usize>(message),
      message.byteLength,
      1000,
      token.ptr(),
    )
    const stream = imports.proxy_grpc_stream(
      changetype<usize>(cluster),
      cluster.byteLength,
      changetype<usize>(service),
      service.byteLength,
      changetype<usize>(chat),
      chat.byteLength,
      token.ptr(),
    )
    const sent = imports.proxy_grpc_send(token.data, changetype<usize>(message), message.byteLength, 1)
    log(LogLevelValues.info, `sent ${call} ${stream} ${sent}`)
    return FilterHeadersStatusValues.Continue
  }
}

registerRootContext((context_id: u32) => new GrpcRoot(context_id), 'grpc')

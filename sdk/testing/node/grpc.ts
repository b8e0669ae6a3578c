/** `proxy_grpc_call` and `proxy_grpc_stream`. */
import { Status } from './abi.ts'
import { grpcFrame } from '../grpc_frames.ts'
import { Exchange, type ExchangeEvents } from './exchange.ts'
import { HeaderMap } from './header_map.ts'
import type { Outcome } from './hostcall.ts'
import { addCallHeaders, connectError, TIMEOUT_BODY } from './http_call.ts'
import type { Pair } from './pairs.ts'
import { HTTP_TO_GRPC } from './properties.ts'
import { fieldBytes, parseMessage } from './protobuf.ts'
import type { RootContext } from './root_context.ts'

const CALL = 1
const STREAM = 2
const INTERNAL = 13
const UNAVAILABLE = 14

export interface GrpcTarget {
  /** A cluster's name, or bytes of `envoy.config.core.v3.GrpcService`. */
  service: string
  name: string
  method: string
  metadata: readonly Pair[]
}

export function grpcCall(root: RootContext, target: GrpcTarget, message: Buffer, timeout: number): Outcome {
  const opened = open(root, target, CALL)
  if (typeof opened === 'number') return opened
  const { id, cluster } = opened
  const headers = requestHeaders(cluster, target, timeout)
  addCallHeaders(headers, timeout)
  const call = new GrpcCall(root, id, cluster, headers, false)
  root.grpcCalls.set(id, call)
  call.send(message, true)
  if (timeout > 0) call.limit(timeout)
  return [id]
}

export function grpcStream(root: RootContext, target: GrpcTarget): Outcome {
  const opened = open(root, target, STREAM)
  if (typeof opened === 'number') return opened
  const { id, cluster } = opened
  const headers = requestHeaders(cluster, target)
  addCallHeaders(headers, 0)
  root.grpcCalls.set(id, new GrpcCall(root, id, cluster, headers, true))
  return [id]
}

function open(root: RootContext, { service }: GrpcTarget, type: number): { id: number; cluster: string } | number {
  const fields = parseMessage(Buffer.from(service, 'latin1'))
  if (!fields && !root.host.clusters.has(service)) return Status.ParseFailure
  const id = root.vm.nextId(`grpc ${type}`, type)
  const cluster = fields ? clusterOf(fieldBytes(fields, 1)) : service
  if (root.host.clusters.has(cluster)) return { id, cluster }
  // The caller never learns the id, and yet is told of the end.
  root.vm.defer(() => close(root, id, UNAVAILABLE, 'Cluster not available'))
  return Status.InternalFailure
}

/** From `GrpcService.EnvoyGrpc`. */
function clusterOf(envoyGrpc: Buffer): string {
  return fieldBytes(parseMessage(envoyGrpc) ?? [], 1).toString('latin1')
}

function requestHeaders(cluster: string, { name, method, metadata }: GrpcTarget, timeout?: number): HeaderMap {
  return new HeaderMap('request', [
    [':method', 'POST'],
    [':path', `/${name}/${method}`],
    [':authority', cluster],
    [':scheme', 'http'],
    ['te', 'trailers'],
    ...(timeout === undefined ? [] : ([['grpc-timeout', `${timeout}m`]] as Pair[])),
    ['content-type', 'application/grpc'],
    ...metadata,
  ])
}

/** Tells of the end of a call. */
function close(root: RootContext, id: number, status: number, message: string): void {
  if (!root.vm.has('on_grpc_close')) return
  root.statusCode = status
  root.statusMessage = message
  root.vm.defer(() => (root.statusMessage = ''))
  root.callback('on_grpc_close', id, status)
  root.vm.afterCall()
}

/** A unary call, or a stream. A unary one is told of a message or of its end, never of both. */
export class GrpcCall implements ExchangeEvents {
  readonly #root: RootContext
  readonly #id: number
  readonly #cluster: string
  readonly #request: HeaderMap
  readonly #streaming: boolean
  #frames: Buffer[] = []
  #exchange: Exchange | undefined
  #cancelTimeout = () => {}
  #localClosed = false
  #remoteClosed = false
  #cancelled = false
  #message: Buffer | undefined
  #rest = Buffer.alloc(0)

  constructor(root: RootContext, id: number, cluster: string, request: HeaderMap, streaming: boolean) {
    this.#root = root
    this.#id = id
    this.#cluster = cluster
    this.#request = request
    this.#streaming = streaming
    // Without waiting for messages: a connection that is refused is noticed at once.
    const refused = root.host.clusters.get(cluster)?.kind === 'refused'
    if (streaming && refused) this.#send()
  }

  limit(timeout: number): void {
    this.#cancelTimeout = this.#root.host.clock.after(timeout, () => {
      this.#exchange?.cancel()
      this.#finish(UNAVAILABLE, `${TIMEOUT_BODY}{response_timeout}`)
    })
  }

  /** Silently dropped after the end of this side. */
  send(message: Buffer, end: boolean): void {
    if (this.#localClosed || this.#remoteClosed) return
    this.#frames.push(grpcFrame(message))
    if (end) this.#halfClose()
  }

  cancel(): void {
    this.#cancelled = true
    this.#exchange?.cancel()
    this.#cancelTimeout()
    this.#root.grpcCalls.delete(this.#id)
  }

  /** This side's end of a stream. A unary call is cancelled. */
  close(): void {
    if (!this.#streaming) return this.cancel()
    this.#halfClose()
    if (this.#remoteClosed) this.#root.grpcCalls.delete(this.#id)
  }

  headers(map: HeaderMap, end: boolean): void {
    if (end) return this.#headersOnly(map)
    if (this.#streaming) this.#tellMetadata('on_grpc_receive_initial_metadata', map)
  }

  data(piece: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, piece])
    while (this.#rest.length >= 5) {
      const end = 5 + this.#rest.readUInt32BE(1)
      if (end > this.#rest.length) return
      const message = this.#rest.subarray(5, end)
      this.#rest = this.#rest.subarray(end)
      if (this.#streaming) this.#tellMessage(message)
      else this.#message = message
    }
  }

  trailers(map: HeaderMap): void {
    if (this.#streaming) this.#tellMetadata('on_grpc_receive_trailing_metadata', map)
    this.#end(map)
  }

  reset(reason: string, details: string): void {
    if (details === 'protocol_error') return this.#finish(INTERNAL, '')
    const text = connectError(reason)
    if (this.#streaming) {
      const trailers = new HeaderMap('response', [
        [':status', '200'],
        ['content-type', 'application/grpc'],
        ['grpc-status', String(UNAVAILABLE)],
        ['grpc-message', text],
      ])
      this.#tellMetadata('on_grpc_receive_initial_metadata', new HeaderMap('response'))
      this.#tellMetadata('on_grpc_receive_trailing_metadata', trailers)
    }
    this.#finish(UNAVAILABLE, `${text}{upstream_reset_before_response_started{${details}}}`)
  }

  #halfClose(): void {
    if (this.#localClosed) return
    this.#localClosed = true
    this.#send()
  }

  #send(): void {
    if (this.#exchange) return
    const body = Buffer.concat(this.#frames)
    this.#exchange = new Exchange(this.#root.host, { cluster: this.#cluster, headers: this.#request, body }, this)
  }

  /** All in one: an error without separate headers. */
  #headersOnly(map: HeaderMap): void {
    if (this.#streaming) {
      this.#tellMetadata('on_grpc_receive_initial_metadata', new HeaderMap('response'))
      this.#tellMetadata('on_grpc_receive_trailing_metadata', map)
    }
    this.#end(map)
  }

  #end(map: HeaderMap): void {
    const status = map.get('grpc-status')
    const http = Number(map.get(':status') ?? 200)
    const code = status !== undefined ? Number(status) : http === 200 ? 2 : (HTTP_TO_GRPC[http] ?? 2)
    const message = map.get('grpc-message') ?? ''
    if (!this.#streaming && code === 0) {
      if (!this.#message) return this.#finish(INTERNAL, '')
      this.#remoteClosed = true
      this.#root.grpcCalls.delete(this.#id)
      this.#cancelTimeout()
      return this.#tellMessage(this.#message)
    }
    this.#finish(code, message === '' ? 'via_upstream' : `${message}{via_upstream}`)
  }

  #finish(status: number, message: string): void {
    if (this.#remoteClosed || this.#cancelled) return
    this.#remoteClosed = true
    this.#cancelTimeout()
    close(this.#root, this.#id, status, message)
    if (!this.#streaming || this.#localClosed) this.#root.grpcCalls.delete(this.#id)
  }

  #tellMessage(message: Buffer): void {
    const root = this.#root
    if (this.#cancelled) return
    root.grpcMessage = message
    root.vm.defer(() => (root.grpcMessage = undefined))
    root.callback('on_grpc_receive', this.#id, message.length)
    root.vm.afterCall()
  }

  #tellMetadata(
    callback: 'on_grpc_receive_initial_metadata' | 'on_grpc_receive_trailing_metadata',
    map: HeaderMap,
  ): void {
    const root = this.#root
    if (this.#cancelled) return
    const initial = callback === 'on_grpc_receive_initial_metadata'
    if (initial) root.grpcInitialMetadata = map
    else root.grpcTrailingMetadata = map
    root.callback(callback, this.#id, map.size)
    if (initial) root.grpcInitialMetadata = undefined
    else root.grpcTrailingMetadata = undefined
  }
}

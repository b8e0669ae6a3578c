/** A TCP connection through the filters to the upstream, and back. */
import type { Cluster } from '../types.ts'
import { BufferType, PeerType, Status, StreamType } from './abi.ts'
import { Body } from './body.ts'
import { type BufferAccess, Context, EMPTY_BUFFER } from './context.ts'
import type { RootContext } from './root_context.ts'
import type { HostServices } from './services.ts'
import type { StreamInfo } from './stream_info.ts'

class TcpContext extends Context {
  readonly #root: RootContext
  readonly #connection: TcpConnection
  readonly index: number
  opened = false
  #downstream: Body | undefined
  #upstream: Body | undefined
  #closed = false
  #failed = false

  constructor(root: RootContext, connection: TcpConnection, index: number) {
    super(root.vm, root.plugin, root.host)
    this.#root = root
    this.#connection = connection
    this.index = index
  }

  override get root(): RootContext {
    return this.#root
  }
  override get info(): StreamInfo {
    return this.#connection.info
  }

  /** These answer whether it goes on. */
  open(): boolean {
    this.opened = true
    this.create()
    return this.#run('on_new_connection', [])
  }

  downstreamData(body: Body, end: boolean): boolean {
    this.#downstream = body
    const goesOn = this.#run('on_downstream_data', [body.length, Number(end)])
    if (goesOn) this.#downstream = undefined
    return goesOn
  }

  upstreamData(body: Body, end: boolean): boolean {
    if (!this.created) return true
    this.#upstream = body
    const goesOn = this.#run('on_upstream_data', [body.length, Number(end)])
    if (goesOn) this.#upstream = undefined
    if (end) this.callback('on_upstream_connection_close', PeerType.Unknown)
    return goesOn
  }

  close(peer: number): void {
    if (this.#closed || !this.created) return this.#dispose()
    this.#closed = true
    this.callback('on_downstream_connection_close', peer)
    this.callback('on_done')
    this.callback('on_log')
    this.callback('on_delete')
    this.#dispose()
  }

  #dispose(): void {
    this.vm.contexts.delete(this.id)
  }

  override buffer(type: number): BufferAccess | undefined {
    if (type === BufferType.DownstreamData) return access(this.#downstream)
    if (type === BufferType.UpstreamData) return access(this.#upstream)
    return super.buffer(type)
  }

  override continueStream(type: number): number {
    if (type !== StreamType.Downstream) return super.continueStream(type)
    this.vm.defer(() => this.#connection.continueReading(this))
    return Status.Ok
  }

  override closeStream(type: number): number {
    if (type !== StreamType.Downstream && type !== StreamType.Upstream) return super.closeStream(type)
    this.vm.defer(() => this.#connection.close(PeerType.Local))
    return Status.Ok
  }

  #run(name: 'on_new_connection' | 'on_downstream_data' | 'on_upstream_data', args: readonly number[]): boolean {
    if (this.vm.failed) return this.#fail()
    if (!this.vm.has(name)) return true
    return this.vm.call(this, name, [this.id, ...args], (result) => (this.vm.failed ? this.#fail() : result === 0))
  }

  #fail(): boolean {
    if (!this.#failed) this.#connection.close(PeerType.Local)
    this.#failed = true
    return false
  }
}

export interface TcpOptions {
  host: HostServices
  roots: readonly RootContext[]
  info: StreamInfo
  upstream: Cluster | undefined
}

export class TcpConnection {
  readonly info: StreamInfo
  readonly contexts: readonly TcpContext[]
  /** What the client got. */
  readonly received = new Body()
  /** The client sees no more bytes. */
  closed = false
  /** Called once, after the filters are gone. */
  onEnd: () => void = () => {}
  readonly #host: HostServices
  readonly #upstream: Cluster | undefined
  readonly #incoming = new Body()
  readonly #reading = new Body()
  readonly #writing = new Body()
  #end = false
  #endForwarded = false
  #connected = false
  #upstreamEnded = false
  #gone = false

  constructor({ host, roots, info, upstream }: TcpOptions) {
    this.info = info
    this.#host = host
    this.#upstream = upstream
    this.contexts = roots.map((root, index) => new TcpContext(root, this, index))
  }

  open(): void {
    this.#openFrom(0)
  }

  write(data: Buffer): void {
    this.#incoming.append(data)
    this.#read(0)
  }

  end(): void {
    if (this.#end) return
    this.#end = true
    this.#read(0)
    // Both sides are done: the upstream was the first.
    if (this.#upstreamEnded && this.#endForwarded) this.close(PeerType.Remote)
  }

  continueReading(context: TcpContext): void {
    this.#openFrom(context.index + 1)
    if (this.#connected) this.#pass(context.index + 1)
  }

  /** The connection is closed, with or without the client's doing. */
  close(peer: number): void {
    if (this.#gone) return
    this.#gone = true
    this.closed = true
    this.#host.clock.post(() => {
      for (const context of this.contexts) context.close(peer)
      this.onEnd()
    })
  }

  /** Filters are told of the connection one after the other; behind the last the upstream is connected. */
  #openFrom(index: number): void {
    for (const context of this.contexts.slice(index)) {
      if (this.#gone || (!context.opened && !context.open())) return
    }
    if (this.#connected || this.#gone) return
    if (this.#upstream?.kind !== 'tcp') return this.close(PeerType.Local)
    this.#connected = true
    this.#host.clock.post(() => this.#read(0))
  }

  /** Nothing is read before the upstream is connected. */
  #read(index: number): void {
    if (!this.#connected || this.#gone) return
    if (this.#incoming.length === 0 && !this.#end) return
    this.#reading.move(this.#incoming)
    this.#pass(index)
  }

  #pass(index: number): void {
    if (this.#reading.length === 0 && !this.#end) return
    for (const context of this.contexts.slice(index)) {
      if (!context.downstreamData(this.#reading, this.#end) || this.#gone) return
    }
    this.#forward()
  }

  #forward(): void {
    const data = this.#reading.take()
    const upstream = this.#upstream as Extract<Cluster, { kind: 'tcp' }>
    if (data.length > 0 && !this.#upstreamEnded) {
      const answer = upstream.handler(data)
      this.#host.clock.post(() => this.#answer(answer))
    }
    if (!this.#end || this.#endForwarded) return
    this.#endForwarded = true
    if (!this.#upstreamEnded) this.#host.clock.post(() => this.#back(Buffer.alloc(0), true))
  }

  #answer(answer: ReturnType<Extract<Cluster, { kind: 'tcp' }>['handler']>): void {
    if (answer === null) return
    if (typeof answer === 'object' && 'close' in answer) this.#back(Buffer.alloc(0), true)
    else this.#back(Buffer.from(answer as string), false)
  }

  /** From the upstream to the client, through the filters in reverse. */
  #back(data: Buffer, end: boolean): void {
    if (this.#gone || this.#upstreamEnded) return
    this.#upstreamEnded = end
    this.#writing.append(data)
    let goesOn = true
    for (const context of [...this.contexts].reverse()) {
      goesOn &&= context.upstreamData(this.#writing, end)
      if (this.#gone) return
    }
    if (goesOn) this.received.append(this.#writing.take())
    if (!end) return
    this.closed = true
    // The client's end closes as well, as a socket does unless it is asked for half-open connections.
    if (this.#endForwarded) this.close(PeerType.Local)
    else this.#host.clock.post(() => this.end())
  }
}

function access(body: Body | undefined): BufferAccess {
  return body ? { bytes: body.bytes, body } : EMPTY_BUFFER
}

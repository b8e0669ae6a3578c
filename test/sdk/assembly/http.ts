// One filter that shows every part of the author's API for HTTP. The path says which: /PART.

import {
  Action,
  Bytes,
  ByteString,
  clearRouteCache,
  compress,
  Configuration,
  Counter,
  currentTimeMillis,
  declareProperty,
  environment,
  Expression,
  filterState,
  foreignStatus,
  Gauge,
  grpcCall,
  grpcCallStatus,
  GrpcStatus,
  GrpcStream,
  Headers,
  Histogram,
  httpCall,
  httpCallStatus,
  HttpContext,
  LifeSpan,
  log,
  LogLevel,
  property,
  PropertyType,
  RootContext,
  setEnvoyFilterState,
  sharedData,
  SharedQueue,
  uncompress,
  utf8,
} from '@meshscript/sdk'

class Chat extends GrpcStream<Part> {
  onInitialMetadata(): void {
    log.info(`initial ${this.initialMetadata.getOrEmpty('content-type')}`)
  }

  onMessage(): void {
    log.info(`message ${this.message}`)
  }

  onTrailingMetadata(): void {
    log.info(`trailing ${this.trailingMetadata.getOrEmpty('x-end')}`)
  }

  onClose(status: GrpcStatus): void {
    log.info(`close ${status} ${this.statusMessage}`)
    this.owner.continueRequest()
  }
}

export class Root extends RootContext {
  greeting: string = ''
  ticks: u32 = 0
  requests: Counter = new Counter('parts_total', ['part', 'tenant'])
  plain: Counter = new Counter('plain_total')
  level: Gauge = new Gauge('level')
  sizes: Histogram = new Histogram('sizes', ['part'])
  queue: SharedQueue | null = null
  expression: Expression | null = null

  onStart(): bool {
    const color = environment.get('COLOR')
    if (color) log.info(`color ${color}`)
    return true
  }

  onConfigure(configuration: Configuration): bool {
    this.greeting = configuration.json().get('greeting').string('hello')
    this.queue = SharedQueue.register('parts')
    this.expression = Expression.compile("request.path + '!'")
    this.setTickPeriod(50)
    return true
  }

  onTick(): void {
    this.ticks++
  }

  onQueueReady(queueId: u32): void {
    const queue = SharedQueue.of(queueId)
    let message = queue.dequeue()
    while (message) {
      log.info(`dequeued ${message}`)
      message = queue.dequeue()
    }
  }
}

export class Part extends HttpContext<Root> {
  private part: Bytes = Bytes.from('')

  onRequestHeaders(endOfStream: bool): Action {
    const path = this.requestHeaders.getOrEmpty(':path')
    this.part = path.slice(1).persist()
    if (this.is('headers')) return this.headers(endOfStream)
    if (this.is('local')) return this.local()
    if (this.is('callout')) return this.callout()
    if (this.is('grpc')) return this.grpc()
    if (this.is('chat')) return this.chat()
    if (this.is('shared')) return this.shared()
    if (this.is('metrics')) return this.metrics()
    if (this.is('properties')) return this.properties()
    if (this.is('foreign')) return this.foreign()
    if (this.is('body')) this.requestHeaders.remove('content-length')
    if (this.is('reset')) this.resetStream()
    if (this.is('route')) {
      this.requestHeaders.set('x-route', 'other')
      clearRouteCache()
    }
    if (this.is('queue')) {
      const queue = SharedQueue.resolve('', 'parts')
      if (queue) queue.enqueue('from a stream')
    }
    if (this.is('trap')) throw new Error('as asked')
    if (this.is('bounds')) {
      const list: i32[] = []
      log.info(`${list[this.part.length]}`)
    }
    if (this.is('ticks')) this.requestHeaders.set('x-ticks', this.root.ticks > 0 ? 'some' : 'none')
    return this.is('pause') ? Action.Pause : Action.Continue
  }

  onRequestBody(size: u32, endOfStream: bool): Action {
    if (!this.is('body')) return Action.Continue
    if (!endOfStream) return Action.StopIterationAndBuffer
    const body = this.requestBody.read()
    log.info(`body of ${size}: ${body}`)
    this.requestBody.replace(body.concat('!'))
    this.requestBody.prepend('<')
    this.requestBody.append('>')
    // Headers are closed by now.
    log.info(`${this.requestHeaders.get('x-user') === null}`)
    return Action.Continue
  }

  onRequestTrailers(): Action {
    this.requestTrailers.add('x-seen', this.requestTrailers.getOrEmpty('x-sum'))
    return Action.Continue
  }

  onResponseHeaders(endOfStream: bool): Action {
    this.responseHeaders.set('x-greeting', this.root.greeting)
    if (this.is('body')) this.responseHeaders.remove('content-length')
    return Action.Continue
  }

  onResponseBody(size: u32, endOfStream: bool): Action {
    if (this.is('body') && endOfStream) this.responseBody.append(' and more')
    return Action.Continue
  }

  onResponseTrailers(): Action {
    this.responseTrailers.set('x-end', 'seen')
    return Action.Continue
  }

  onLog(): void {
    if (this.is('properties')) log.info(`logged ${property.responseCode()}`)
  }

  private is(part: string): bool {
    return this.part.equals(part)
  }

  private headers(endOfStream: bool): Action {
    const headers = this.requestHeaders
    const all = headers.all()
    log.info(`${headers.byteSize > 50} ${endOfStream} ${all.get('x-user')!}`)
    headers.add('x-many', 'one')
    headers.add('x-many', utf8('two ü'))
    headers.set('x-user', headers.getOrEmpty('x-user').toLowerCase())
    headers.remove('x-gone')
    log.info(`${headers.has('x-empty')} ${headers.getOrEmpty('x-empty').isEmpty} ${headers.get('x-none') === null}`)
    return Action.Continue
  }

  private local(): Action {
    const headers = new Headers().add('x-a', '1').add('x-a', '2')
    this.sendLocalResponse(418, 'short and stout', headers, GrpcStatus.ResourceExhausted, utf8('a_teapot'))
    return Action.Pause
  }

  private callout(): Action {
    const headers = new Headers()
      .add(':method', 'POST')
      .add(':path', '/check')
      .add(':authority', 'auth')
      .add('x-user', this.requestHeaders.getOrEmpty('x-user'))
    const target = this.requestHeaders.getOrEmpty('x-cluster')
    const isSent = httpCall(
      this,
      target,
      headers,
      1000,
      (self, response) => {
        if (response.failed) {
          self.sendLocalResponse(502, 'failed')
          return
        }
        log.info(`answer ${response.status} ${response.body.read()}`)
        self.requestHeaders.set('x-auth', response.headers.getOrEmpty('x-auth'))
        if (response.status == 200) self.continueRequest()
        else self.sendLocalResponse(403, 'denied')
      },
      utf8('who?'),
    )
    if (!isSent) this.sendLocalResponse(500, `not sent: ${httpCallStatus}`)
    return Action.Pause
  }

  private grpc(): Action {
    const target = this.requestHeaders.getOrEmpty('x-cluster')
    const isSent = grpcCall(this, target, 'pkg.Service/Method', 'question', 1000, (self, response) => {
      log.info(`grpc ${response.status} ${response.message}${response.statusMessage}`)
      self.continueRequest()
    })
    if (!isSent) this.sendLocalResponse(500, `not sent: ${grpcCallStatus}`)
    return Action.Pause
  }

  private chat(): Action {
    const chat = new Chat(this)
    if (!chat.open('grpc', 'pkg.Service/Chat', new Headers().add('x-start', '1'))) return Action.Continue
    chat.send('a')
    chat.send('b', true)
    return Action.Pause
  }

  private shared(): Action {
    sharedData.set('key', 'one')
    const value = sharedData.get('key')!
    const first = sharedData.compareAndSwap('key', value.value.concat('+'), value.cas)
    const second = sharedData.compareAndSwap('key', 'lost', value.cas)
    log.info(`${first} ${second} ${sharedData.get('key')!.value} ${sharedData.get('none') === null}`)
    return Action.Continue
  }

  private metrics(): Action {
    const root = this.root
    root.requests.with2(this.part, this.requestHeaders.getOrEmpty('x-tenant')).increment(2)
    root.plain.increment()
    root.level.set(7)
    root.level.add(-2)
    root.sizes.with('request').record(12)
    log.info(`${root.plain.value} ${root.level.value}`)
    return Action.Continue
  }

  private properties(): Action {
    log.info(`${property.requestMethod()!} ${property.requestUrlPath()!} ${property.requestProtocol()!}`)
    log.info(`${property.connectionMtls()} ${property.pluginName()!} ${property.get('no.such') === null}`)
    log.info(
      `${property.sourcePort() > 0} ${property.requestTime() / 1_000_000_000 - <i64>currentTimeMillis() / 1000 < 2}`,
    )
    filterState.set('verdict', 'seen')
    log.info(`${filterState.get('verdict')!}`)
    if (log.isEnabled(LogLevel.Debug)) log.info('debug is on')
    log.debug(`not formatted ${this.fail()}`)
    return Action.Continue
  }

  /** Must not be called where nobody reads the line. */
  private fail(): ByteString {
    throw new Error('formatted without a reader')
  }

  private foreign(): Action {
    const packed = compress('aaaaaaaaaaaaaaaaaaaaaaaa')!
    log.info(`${packed.length < 24} ${uncompress(packed)!.length}`)
    log.info(`${this.root.expression!.evaluate()!}`)
    log.info(`${setEnvoyFilterState('envoy.network.upstream_server_name', 'x', LifeSpan.Connection)}`)
    log.info(`${setEnvoyFilterState('no.such.key', 'x')} ${foreignStatus}`)
    log.info(`${declareProperty('declared', PropertyType.String, LifeSpan.Request)}`)
    return Action.Continue
  }
}

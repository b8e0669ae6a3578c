import { Action, ByteString, currentTimeMillis, GrpcStatus, Headers, HttpContext, utf8 } from '@meshscript/sdk'
import { ResponseHeaders } from '../../../common/assembly/response_headers'
import { Provider, Providers } from './provider'

enum State {
  /** The body has to come before the provider is asked. */
  WaitsForBody,
  Asked,
  /** Answered, or refused without an answer. */
  Settled,
}

/** Milliseconds without a byte of the body after which a request is refused. */
const BODY_SILENCE: u64 = 15_000

/** What a request that is asked about holds meanwhile. */
@final
class Check {
  state: State = State.Asked
  /** When the body last went on, and when the wait for it began. */
  heardAt: u64 = 0
  since: u64 = 0
  /** What the provider wants added to the response. */
  responseHeaders: ResponseHeaders | null = null

  constructor(readonly provider: Provider) {}
}

/**
 * A stream that may have to ask a provider. Where a request is to be checked, `onRequestHeaders` returns what `askProvider` returns;
 * one of `onCheckAllowed` and `onCheckRefused` is called then or later, with the request's headers open.
 */
export abstract class CheckedContext extends HttpContext {
  private startedCheck: Check | null = null

  /** The provider lets the request pass, with the headers as it wants them. False: the request was answered otherwise. */
  abstract onCheckAllowed(): bool

  /**
   * The provider refuses the request with `status`; or the check has failed, and `isError` is true. True: refuse it so. False: let it pass
   * (audit mode).
   */
  abstract onCheckRefused(status: u32, isError: bool): bool

  /** Asks whether the request may pass, whose headers callback runs. Answers what that callback returns. */
  protected askProvider(provider: Provider, providers: Providers, endOfStream: bool): Action {
    const check = new Check(provider)
    this.startedCheck = check
    if (provider.body && !endOfStream && !this.isUpgrade()) {
      check.state = State.WaitsForBody
      check.since = currentTimeMillis()
      check.heardAt = check.since
      providers.addWaiting(this)
      return Action.Pause
    }
    // Not `Pause`: where the plugin has `allow_on_headers_stop_iteration`, that would let the body's callbacks continue the headers.
    return this.ask(null, 0) ? Action.StopAllIterationAndWatermark : this.fail()
  }

  onRequestBody(size: u32, endOfStream: bool): Action {
    const check = this.startedCheck
    if (!check || check.state == State.Settled) return Action.Continue
    if (check.state == State.Asked) return Action.StopIterationAndWatermark
    const rule = check.provider.body!
    check.heardAt = currentTimeMillis()
    if (size > rule.limit && !rule.allowsPartial) return this.refuseTooLarge()
    // A part is enough only where it may be one: else what comes later would pass unseen.
    if (!endOfStream && (size < rule.limit || !rule.allowsPartial)) return Action.StopIterationAndBuffer
    return this.askWithBody(size) ? Action.StopIterationAndWatermark : this.fail()
  }

  onRequestTrailers(): Action {
    const check = this.startedCheck
    if (!check || check.state == State.Settled) return Action.Continue
    if (check.state == State.Asked) return Action.Pause
    return this.askWithBody(this.requestBody.size) ? Action.Pause : this.fail()
  }

  /** For `onResponseHeaders`, where a filter has one: adds what the provider wants added. */
  addCheckedHeaders(): void {
    const check = this.startedCheck
    if (!check) return
    const headers = check.responseHeaders
    if (headers) headers.apply(this.responseHeaders)
  }

  /** Who is asked; null where nobody is. */
  get provider(): Provider | null {
    const check = this.startedCheck
    return check ? check.provider : null
  }

  /** Whether the request still waits for its body. Makes it effective. */
  waitsForBody(): bool {
    const check = this.startedCheck
    return check !== null && check.state == State.WaitsForBody && !this.isDeleted && this.becomeEffective()
  }

  /** Whether the body stays away. */
  isOverdue(now: u64): bool {
    const check = this.startedCheck!
    return now - check.heardAt >= BODY_SILENCE || now - check.since >= check.provider.timeout
  }

  /** The provider lets the request pass. */
  onAllowed(responseHeaders: ResponseHeaders | null): void {
    if (!this.settle()) return
    this.startedCheck!.responseHeaders = responseHeaders
    if (this.onCheckAllowed()) this.continueRequest()
  }

  /** The provider refuses the request. */
  onDenied(status: u32, body: ByteString, headers: Headers): void {
    if (!this.settle()) return
    if (!this.onCheckRefused(status, false)) {
      this.continueRequest()
      return
    }
    this.sendLocalResponse(status, body, headers, GrpcStatus.None, utf8('ext_authz_denied'))
  }

  /** There was no answer, or none that can be read, or the body has not come. */
  onFailed(): void {
    this.resume(this.fail())
  }

  private fail(): Action {
    if (!this.settle()) return Action.Pause
    const provider = this.startedCheck!.provider
    if (provider.failOpen) return this.onCheckAllowed() ? Action.Continue : Action.Pause
    if (!this.onCheckRefused(provider.statusOnError, true)) return Action.Continue
    this.sendLocalResponse(provider.statusOnError, '', null, GrpcStatus.None, utf8('ext_authz_error'))
    return Action.Pause
  }

  private resume(action: Action): void {
    if (action == Action.Continue) this.continueRequest()
  }

  /** False when the request was settled before: an answer counts once. */
  private settle(): bool {
    const check = this.startedCheck
    if (!check || check.state == State.Settled) return false
    check.state = State.Settled
    return true
  }

  private ask(body: ByteString | null, size: u32): bool {
    const check = this.startedCheck!
    check.state = State.Asked
    return check.provider.ask(this, body, size)
  }

  private askWithBody(size: u32): bool {
    const limit = this.startedCheck!.provider.body!.limit
    const wanted = min(size, limit)
    const body = this.requestBody.read(0, wanted)
    // What can't be read must not pass for an empty body.
    return <u32>body.length == wanted && this.ask(body, size)
  }

  /** As Envoy does when a buffered body is too large. */
  private refuseTooLarge(): Action {
    this.settle()
    if (!this.onCheckRefused(413, true)) return Action.Continue
    this.sendLocalResponse(413, 'Payload Too Large', null, GrpcStatus.None, utf8('request_payload_too_large'))
    return Action.StopIterationNoBuffer
  }

  /** What follows an upgrade is no body, and does not end. As narrow as Envoy's: who asks for one has his body unchecked. */
  private isUpgrade(): bool {
    const headers = this.requestHeaders.all()
    const method = headers.get(utf8(':method'))
    if (method && method.equals('CONNECT')) return headers.indexOf(utf8(':protocol')) >= 0
    const upgrade = headers.get(utf8('upgrade'))
    const connection = headers.get(utf8('connection'))
    if (!upgrade || !connection || !upgrade.equalsIgnoreCase('websocket')) return false
    return connection.toLowerCase().includes('upgrade')
  }
}

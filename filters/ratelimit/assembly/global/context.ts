import { Action, GrpcResponse, HttpContext } from '@meshscript/sdk'
import { GlobalAnswer } from './answer'
import { Question } from './question'
import { GlobalService } from './service'

/** A stream that may have to ask the global service. */
export abstract class GlobalContext extends HttpContext {
  private service: GlobalService | null = null
  /** What was asked; null where nobody waits for an answer. */
  private question: Question | null = null

  /**
   * The service's answer, or that there is none. Called once, by `askGlobal` itself or later, with the request's headers open.
   * True: the request goes on. False: it was answered.
   */
  abstract onGlobalAnswer(answer: GlobalAnswer, service: GlobalService): bool

  /** Asks about the descriptors that `service` has got, in the request's headers callback. Answers what that callback returns. */
  protected askGlobal(service: GlobalService): Action {
    let answer = service.known()
    if (!answer) {
      const question = service.ask(this)
      if (question) {
        this.service = service
        this.question = question
        // Not `Pause`: where the plugin has `allow_on_headers_stop_iteration`, a body would let the headers go.
        return Action.StopAllIterationAndWatermark
      }
      service.report('the call can not be sent: is there such a cluster?')
      answer = GlobalAnswer.error()
    }
    return this.onGlobalAnswer(answer, service) ? Action.Continue : Action.Pause
  }

  /** The answer of the call. */
  onAnswer(response: GrpcResponse): void {
    const question = this.question
    const service = this.service
    if (!question || !service) return
    this.question = null
    const answer = service.read(question, response)
    if (!this.onGlobalAnswer(answer, service)) return
    answer.changeRequest(this.requestHeaders)
    this.continueRequest()
  }
}

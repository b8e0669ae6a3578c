// envoy.service.ratelimit.v3.RateLimitResponse:
//
//   overall_code 1, statuses 2…, response_headers_to_add 3…, request_headers_to_add 4…, raw_body 5
//
//   statuses: { code 1, current_limit 2 { requests_per_unit 1, unit 2 }, limit_remaining 3, duration_until_reset 4 { seconds 1, nanos 2 } }
//   headers: HeaderValue { key 1, value 2, raw_value 3 }

import { ByteString, HeaderMap } from '@meshscript/sdk'
import { isFraming, isProtected, isValidLine } from '../../../common/assembly/header_lines'
import { Fields } from '../../../common/assembly/protobuf'
import { HeaderAction, ResponseHeaders } from '../../../common/assembly/response_headers'
import { millisecondsOf } from './override'
import { Question } from './question'
import { Refusals } from './refusals'

const OK: u64 = 1
const OVER_LIMIT: u64 = 2

/** What the service says of a request, or that it says nothing. Valid in the callback that gets it. */
@final
export class GlobalAnswer {
  /** There is none, or none that can be read. */
  isError: bool = false
  isOverLimit: bool = false
  /** The service was not asked: what it has refused before still is. */
  isCached: bool = false
  /** The number that its rule has given: of the first exhausted descriptor, else of the one with the least left. -1: the service knows no limit of any. */
  rule: i32 = -1
  /** Of that descriptor: how many of how many, in milliseconds, and how many of these until there are more. A `limit` below 0 is not known. */
  limit: f64 = -1
  remaining: f64 = 0
  per: f64 = 0
  reset: f64 = 0
  /** What the service wants as the body of a refusal; empty for nothing. */
  body: ByteString = ByteString.empty
  /** What it wants added to the response, may be kept; null for nothing. */
  responseHeaders: ResponseHeaders | null = null
  private message: ByteString = ByteString.empty

  /** There is no answer. */
  static error(): GlobalAnswer {
    const answer = new GlobalAnswer()
    answer.isError = true
    return answer
  }

  /** What `refusals` has found last. */
  static cached(rule: i32, refusals: Refusals, now: f64): GlobalAnswer {
    const answer = new GlobalAnswer()
    answer.isOverLimit = true
    answer.isCached = true
    answer.rule = rule
    answer.limit = refusals.limit
    answer.per = refusals.per
    answer.reset = refusals.until - now
    return answer
  }

  /** Reads the answer to a question. Like all of protobuf, numbers may be there several times: the last counts. */
  static read(message: ByteString, question: Question): GlobalAnswer {
    const answer = new GlobalAnswer()
    answer.message = message
    const fields = new Fields(message)
    let code: u64 = 0
    let index = 0
    while (fields.next()) {
      const number = fields.number
      if (number == 1) code = fields.hasBytes ? 0 : fields.value
      else if (number == 2 && fields.hasBytes) {
        const status = new DescriptorStatus(fields.bytes)
        if (status.isMalformed) return GlobalAnswer.error()
        answer.take(status, question, index++)
      } else if (number == 3) answer.addResponseHeader(fields.bytes)
      else if (number == 5) answer.body = fields.bytes
    }
    answer.isOverLimit = code == OVER_LIMIT
    // Neither yes nor no.
    if (fields.isMalformed || (code != OK && code != OVER_LIMIT)) return GlobalAnswer.error()
    return answer
  }

  /** Adds what the service wants the request to have. */
  changeRequest(request: HeaderMap): void {
    if (this.message.isEmpty) return
    const fields = new Fields(this.message)
    while (fields.next()) {
      if (fields.number != 4) continue
      const header = new HeaderValue(fields.bytes)
      if (header.isUsable) request.add(header.name, header.value)
    }
  }

  private addResponseHeader(bytes: ByteString): void {
    const header = new HeaderValue(bytes)
    if (!header.isUsable) return
    let headers = this.responseHeaders
    if (!headers) this.responseHeaders = headers = new ResponseHeaders()
    headers.add(HeaderAction.Add, header.name, header.value)
  }

  private take(status: DescriptorStatus, question: Question, index: i32): void {
    if (index >= question.count) return
    if (status.code == OVER_LIMIT) question.refuse(index, status.reset, status.limit, status.per)
    // The first exhausted one stays.
    if (this.isOverLimit) return
    this.isOverLimit = status.code == OVER_LIMIT
    if (!this.isOverLimit && (status.limit < 0 || (this.limit >= 0 && status.remaining >= this.remaining))) return
    this.rule = question.ruleAt(index)
    this.limit = status.limit
    this.per = status.per
    this.remaining = this.isOverLimit ? 0 : status.remaining
    this.reset = status.reset
  }
}

/** What the service says of one descriptor. */
@final
class DescriptorStatus {
  code: u64 = 0
  limit: f64 = -1
  per: f64 = 0
  remaining: f64 = 0
  /** Milliseconds. */
  reset: f64 = 0
  isMalformed: bool = false

  constructor(message: ByteString) {
    const fields = new Fields(message)
    while (fields.next()) {
      if (fields.number == 1) this.code = fields.value
      else if (fields.number == 2) this.readLimit(fields.bytes)
      else if (fields.number == 3) this.remaining = <f64>fields.value
      else if (fields.number == 4) this.readReset(fields.bytes)
    }
    if (fields.isMalformed) this.isMalformed = true
  }

  private readLimit(message: ByteString): void {
    const fields = new Fields(message)
    this.limit = 0
    while (fields.next()) {
      if (fields.number == 1) this.limit = <f64>(<u32>fields.value)
      else if (fields.number == 2) this.per = millisecondsOf(fields.value)
    }
    if (fields.isMalformed) this.isMalformed = true
  }

  private readReset(message: ByteString): void {
    const fields = new Fields(message)
    while (fields.next()) {
      if (fields.number == 1) this.reset += <f64>max<i64>(<i64>fields.value, 0) * 1000
      else if (fields.number == 2) this.reset += <f64>max<i64>(<i64>fields.value, 0) / 1_000_000
    }
    if (fields.isMalformed) this.isMalformed = true
  }
}

@final
class HeaderValue {
  name: ByteString = ByteString.empty
  value: ByteString = ByteString.empty
  /** Whether it can be sent, and is none that decides where or how. */
  isUsable: bool = false

  constructor(message: ByteString) {
    const fields = new Fields(message)
    while (fields.next()) {
      if (fields.number == 1) this.name = fields.bytes.toLowerCase()
      else if (fields.number == 2 || (fields.number == 3 && !fields.bytes.isEmpty)) this.value = fields.bytes
    }
    const isWhole = !fields.isMalformed && isValidLine(this.name, this.value)
    this.isUsable = isWhole && !isProtected(this.name) && !isFraming(this.name)
  }
}

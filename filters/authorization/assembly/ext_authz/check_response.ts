// envoy.service.auth.v3.CheckResponse:
//
//   status 1 { code 1 }
//   denied_response 2 { status 1 { code 1 }, headers 2…, body 3 }
//   ok_response 3 { headers 2…, headers_to_remove 5…, response_headers_to_add 6…, query_parameters_to_set 7…, query_parameters_to_remove 8… }
//   error_response 5
//
//   headers: HeaderValueOption { header 1 { key 1, value 2, raw_value 3 }, append 2 { value 1 }, append_action 3 }

import { ByteString, HeaderMap, Headers } from '@meshscript/sdk'
import { isFraming, isProtected, isValidLine } from '../../../common/assembly/header_lines'
import { Fields } from '../../../common/assembly/protobuf'
import { HeaderAction, ResponseHeaders } from '../../../common/assembly/response_headers'
import { removeHeader } from './header_names'
import { removeParameter, setParameter } from './request'

/** What the service says. Its views are valid while the callback of the answer runs. */
@final
export class CheckResponse {
  /** Nothing of it counts then. */
  isMalformed: bool = false
  /** 0: the request may pass. */
  code: u64 = 0
  /** The service itself could not find an answer. */
  isError: bool = false
  /** Of the refusal. */
  status: u32 = 403
  body: ByteString = ByteString.empty
  denialHeaders: Headers = new Headers()
  /** What is to be added to the response; null for nothing. */
  responseHeaders: ResponseHeaders | null = null
  private changes: HeaderChange[] = []
  private removals: ByteString[] = []
  private parameters: Parameter[] = []

  constructor(message: ByteString) {
    const fields = new Fields(message)
    while (fields.next()) {
      const number = fields.number
      if (!(number == 1 || number == 2 || number == 3 || number == 5)) continue
      // A field of another type would be passed over, and a refusal with it.
      if (!fields.hasBytes) this.isMalformed = true
      else if (number == 1) this.code = this.readCode(fields.bytes, this.code)
      else if (number == 2) this.readDenial(fields.bytes)
      else if (number == 3) this.readOk(fields.bytes)
      else this.isError = true
    }
    if (fields.isMalformed) this.isMalformed = true
  }

  /** Makes the changes of a request that may pass. */
  apply(request: HeaderMap): void {
    for (let i = 0; i < this.changes.length; i++) {
      unchecked(this.changes[i]).apply(request)
    }
    for (let i = 0; i < this.removals.length; i++) removeHeader(request, unchecked(this.removals[i]))
    if (!this.parameters.length) return
    let path = request.getOrEmpty(':path')
    for (let i = 0; i < this.parameters.length; i++) {
      const parameter = unchecked(this.parameters[i])
      const value = parameter.value
      path = value ? setParameter(path, parameter.name, value) : removeParameter(path, parameter.name)
    }
    request.set(':path', path)
  }

  /** The code of a status, which like all of a message may come in several parts. */
  private readCode(status: ByteString, before: u64): u64 {
    const fields = new Fields(status)
    let code = before
    while (fields.next()) {
      if (fields.number != 1) continue
      if (fields.hasBytes) this.isMalformed = true
      code = fields.value
    }
    if (fields.isMalformed) this.isMalformed = true
    return code
  }

  private readDenial(message: ByteString): void {
    const fields = new Fields(message)
    while (fields.next()) {
      if (fields.number == 1) {
        const status = this.readCode(fields.bytes, this.status)
        this.status = status >= 200 && status <= 599 ? <u32>status : 403
      } else if (fields.number == 2) {
        const header = new HeaderChange(fields.bytes)
        const isUsable = !header.isMalformed && !isProtected(header.name) && !isFraming(header.name)
        // A refusal stays one without a header that can't be sent.
        if (isUsable) this.denialHeaders.add(header.name, header.value)
      } else if (fields.number == 3) this.body = fields.bytes
    }
    if (fields.isMalformed) this.isMalformed = true
  }

  private readOk(message: ByteString): void {
    const fields = new Fields(message)
    while (fields.next()) {
      const number = fields.number
      if (number == 2 || number == 6) this.readChange(fields.bytes, number == 6)
      else if (number == 5) this.removals.push(fields.bytes)
      else if (number == 7) this.parameters.push(readParameter(fields.bytes))
    }
    if (fields.isMalformed) this.isMalformed = true
    // All that are removed come after those that are set.
    const again = new Fields(message)
    while (again.next()) {
      if (again.number == 8) this.parameters.push(new Parameter(again.bytes, null))
    }
  }

  private readChange(bytes: ByteString, isOfResponse: bool): void {
    const change = new HeaderChange(bytes)
    if (change.isMalformed) this.isMalformed = true
    if (!isOfResponse) {
      this.changes.push(change)
      return
    }
    if (isProtected(change.name) || isFraming(change.name)) return
    let headers = this.responseHeaders
    if (!headers) {
      headers = new ResponseHeaders()
      this.responseHeaders = headers
    }
    headers.add(change.responseAction, change.name, change.value)
  }
}

/** A HeaderValueOption. */
@final
class HeaderChange {
  name: ByteString = ByteString.empty
  value: ByteString = ByteString.empty
  /** The deprecated `append`, which comes before `append_action`. */
  private append: bool = false
  private hasAppend: bool = false
  private action: u64 = 0
  isMalformed: bool = false

  constructor(message: ByteString) {
    const fields = new Fields(message)
    while (fields.next()) {
      if (fields.number == 1) this.readHeader(fields.bytes)
      else if (fields.number == 2) {
        this.hasAppend = true
        this.append = readBool(fields.bytes)
      } else if (fields.number == 3) this.action = fields.value
    }
    if (fields.isMalformed || !isValidLine(this.name, this.value)) this.isMalformed = true
  }

  get responseAction(): HeaderAction {
    if (this.hasAppend) return this.append ? HeaderAction.Add : HeaderAction.Set
    return this.action <= 3 ? <HeaderAction>(<i32>this.action) : HeaderAction.Set
  }

  /** Changes the request. Envoy 1.40 does not look at `append_action` there, and does not append to what is not there. */
  apply(request: HeaderMap): void {
    if (!this.append) {
      request.set(this.name, this.value)
      return
    }
    const headers = request.all()
    const first = headers.indexOf(this.name)
    if (first < 0) return
    request.set(this.name, headers.value(first).concat(',').concat(this.value))
    for (let i = headers.indexOf(this.name, first + 1); i >= 0; i = headers.indexOf(this.name, i + 1)) {
      request.add(this.name, headers.value(i))
    }
  }

  private readHeader(message: ByteString): void {
    const fields = new Fields(message)
    while (fields.next()) {
      if (fields.number == 1) this.name = fields.bytes.toLowerCase()
      else if (fields.number == 2 || (fields.number == 3 && !fields.bytes.isEmpty)) this.value = fields.bytes
    }
    if (fields.isMalformed) this.isMalformed = true
  }
}

/** A query parameter; without a value, it is to be removed. */
@final
class Parameter {
  constructor(
    public name: ByteString,
    public value: ByteString | null,
  ) {}
}

function readParameter(message: ByteString): Parameter {
  const fields = new Fields(message)
  const parameter = new Parameter(ByteString.empty, ByteString.empty)
  while (fields.next()) {
    if (fields.number == 1) parameter.name = fields.bytes
    else if (fields.number == 2) parameter.value = fields.bytes
  }
  return parameter
}

function readBool(message: ByteString): bool {
  const fields = new Fields(message)
  let value = false
  while (fields.next()) if (fields.number == 1) value = fields.value != 0
  return value
}

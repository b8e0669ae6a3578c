import {
  Bytes,
  ByteString,
  HeaderMap,
  Headers,
  httpCall,
  HttpCallResponse,
  JsonValue,
  Pairs,
  utf8,
} from '@meshscript/sdk'
import { isFraming, isProtected } from '../../../common/assembly/header_lines'
import { HeaderAction, ResponseHeaders } from '../../../common/assembly/response_headers'
import { CheckedContext } from './checked_context'
import { HeaderNames, removeHeader } from './header_names'
import { Provider } from './provider'
import { isPartial, joined } from './request'

/** The largest body of a refusal that is passed on. */
const MAX_BODY: u32 = 1_048_576

/** A service that is asked by an HTTP request of its own: 200 lets the request pass, what is below 500 refuses it. */
@final
export class HttpProvider extends Provider {
  private authority: Bytes
  private pathPrefix: Bytes
  private included: HeaderNames
  private additionalNames: Bytes[] = []
  private additionalValues: Bytes[] = []
  readonly toUpstream: HeaderNames
  readonly toDownstream: HeaderNames
  readonly toDownstreamOnDeny: HeaderNames

  constructor(json: JsonValue) {
    super(json)
    this.authority = json.get('authority').bytes('')
    this.pathPrefix = json.get('pathPrefix').bytes('')
    this.included = HeaderNames.read(json.get('includeRequestHeadersInCheck'))
    this.toUpstream = HeaderNames.read(json.get('headersToUpstreamOnAllow'))
    this.toDownstream = HeaderNames.read(json.get('headersToDownstreamOnAllow'))
    this.toDownstreamOnDeny = HeaderNames.read(json.get('headersToDownstreamOnDeny'))
    const prefix = this.pathPrefix.view
    if (!prefix.isEmpty && prefix.byteAt(0) != 0x2f) json.get('pathPrefix').fail('expected a path that begins with /')
    const additional = json.get('includeAdditionalHeadersInCheck').optionalObject()
    for (let i = 0; i < additional.length; i++) this.addAdditional(additional.at(i))
  }

  get changesResponses(): bool {
    return !this.toDownstream.isEmpty
  }

  ask(context: CheckedContext, body: ByteString | null, size: u32): bool {
    const request = context.requestHeaders.all()
    if (!request.length) return false
    const headers = new Headers()
    for (let i = 0; i < request.length; i++) {
      const name = request.name(i)
      // Lines of one name go as one.
      if (!this.isSent(name) || request.indexOf(name) != i) continue
      const value = joined(request, name, i)
      if (name.equals(':path')) headers.add(name, this.pathPrefix.view.concat(value))
      else if (name.equals(':authority') && this.authority.length) headers.add(name, this.authority)
      else headers.add(name, value)
    }
    headers.add('content-length', (body ? body.length : 0).toString())
    if (body) headers.add('x-envoy-auth-partial-body', isPartial(body, size))
    for (let i = 0; i < this.additionalNames.length; i++) {
      headers.add(unchecked(this.additionalNames[i]), unchecked(this.additionalValues[i]))
    }
    return httpCall(
      context,
      this.cluster,
      headers,
      this.timeout,
      (self: CheckedContext, response: HttpCallResponse): void => {
        const provider = self.provider
        if (provider instanceof HttpProvider) (<HttpProvider>provider).onAnswer(self, response)
      },
      body,
    )
  }

  private onAnswer(context: CheckedContext, response: HttpCallResponse): void {
    const status = response.failed ? 0 : response.status
    if (status < 100 || status >= 500) return context.onFailed()
    const headers = response.headers.all()
    if (status == 200) return context.onAllowed(this.change(context, headers))
    const denial = new Headers()
    for (let i = 0; i < headers.length; i++) {
      const name = headers.name(i)
      if (this.isDenialHeader(name)) denial.add(name, headers.value(i))
    }
    context.onDenied(status, response.body.read(0, MAX_BODY), denial)
  }

  /** Changes the request as the service's headers say; answers what it wants added to the response. */
  private change(context: CheckedContext, headers: Pairs): ResponseHeaders | null {
    const request = context.requestHeaders
    let response: ResponseHeaders | null = null
    for (let i = 0; i < headers.length; i++) {
      const name = headers.name(i)
      if (name.equals('x-envoy-auth-headers-to-remove')) {
        removeHeaders(request, headers.value(i))
        continue
      }
      if (isProtected(name) || isFraming(name)) continue
      if (this.toUpstream.matches(name)) request.set(name, headers.value(i))
      if (this.toDownstream.matches(name)) {
        if (!response) response = new ResponseHeaders()
        response.add(HeaderAction.Add, name, headers.value(i))
      }
    }
    return response
  }

  /** Without a list all headers of a refusal are passed on; with one, those in it and what a browser needs. */
  private isDenialHeader(name: ByteString): bool {
    if (isProtected(name) || isFraming(name) || name.equals('x-envoy-auth-headers-to-remove')) return false
    return (
      this.toDownstreamOnDeny.isEmpty ||
      this.toDownstreamOnDeny.matches(name) ||
      name.equals('www-authenticate') ||
      name.equals('location')
    )
  }

  private isSent(name: ByteString): bool {
    if (isFraming(name) || name.equals(utf8('x-envoy-auth-partial-body'))) return false
    for (let i = 0; i < this.additionalNames.length; i++) {
      if (name.equals(unchecked(this.additionalNames[i]))) return false
    }
    return (
      name.equals(':method') ||
      name.equals(':path') ||
      name.equals(':authority') ||
      name.equals('authorization') ||
      this.included.matches(name)
    )
  }

  private addAdditional(member: JsonValue): void {
    if (isProtected(member.name)) member.fail('a pseudo-header and host are sent as they are')
    const value = member.byteString()
    if (value.indexOfByte(0x25) >= 0) member.fail("Envoy's format commands (%…%) are not known here")
    this.additionalNames.push(member.name.toLowerCase().persist())
    this.additionalValues.push(value.persist())
  }
}

/** Removes the headers of a list with commas. */
function removeHeaders(request: HeaderMap, names: ByteString): void {
  for (let from = 0; from <= names.length;) {
    const comma = names.indexOfByte(0x2c, from)
    const to = comma < 0 ? names.length : comma
    removeHeader(request, names.slice(from, to).trim())
    from = to + 1
  }
}

// What browsers ask about and are told, as Envoy's filter `cors` does it.
// Source: envoyproxy/envoy, source/extensions/filters/http/cors/cors_filter.cc

import { Bytes, ByteString, HeaderMap, Headers, JsonValue, Pairs, utf8 } from '@meshscript/sdk'
import { readDuration } from '../../common/assembly/duration'
import { HeaderAttribute } from '../../common/assembly/request/attributes'
import { addMatcher, MatcherOptions } from '../../common/assembly/request/matchers'
import { CurrentRequest } from '../../common/assembly/request/request'
import { Dimension } from '../../common/assembly/rules/dimension'

const ORIGIN = new MatcherOptions(false)

@final
export class Cors {
  private origins: Dimension
  private allowsAll: bool = false
  private methods!: Bytes
  private headers!: Bytes
  private exposed!: Bytes
  /** In seconds; empty for none. */
  private maxAge!: Bytes
  private allowsCredentials: bool = false
  private answersUnmatched: bool = false

  constructor(json: JsonValue, request: CurrentRequest) {
    this.origins = new Dimension(new HeaderAttribute(request, utf8('origin').persist()))
    const origins = json.get('allowOrigins').array()
    for (let i = 0; i < origins.length; i++) addMatcher(this.origins, origins[i], ORIGIN)
    this.origins.compile()
    this.methods = list(json.get('allowMethods'))
    this.headers = list(json.get('allowHeaders'))
    this.exposed = list(json.get('exposeHeaders'))
    const maxAge = json.get('maxAge')
    this.maxAge = maxAge.exists ? Bytes.from((<i64>(readDuration(maxAge) / 1000)).toString()) : Bytes.from('')
    this.allowsCredentials = json.get('allowCredentials').bool(false)
    this.answersUnmatched = json.get('unmatchedPreflights').oneOf(['forward', 'ignore'], 0) == 1
    // As a pattern that `*` matches stands for all origins.
    this.allowsAll = this.matches(utf8('*'))
  }

  /** Whether pages of an origin may read answers. */
  allows(origin: ByteString): bool {
    return this.allowsAll || this.matches(origin)
  }

  private matches(origin: ByteString): bool {
    const origins = this.origins
    origins.matches.clear()
    origins.text(origin)
    return origins.matches.count > 0
  }

  /** Whether a request with an origin is a question that is answered here: `isAllowed` says what `allows` has answered. */
  answers(request: Pairs, isAllowed: bool): bool {
    if (!isAllowed && !this.answersUnmatched) return false
    const method = request.get(utf8(':method'))
    if (!method || !method.equals('OPTIONS')) return false
    const asked = request.get(utf8('access-control-request-method'))
    return asked !== null && asked.length > 0
  }

  /** The answer to a question, beside what `addTo` adds to each response. */
  answer(request: Pairs): Headers {
    const headers = new Headers()
    if (this.allowsCredentials) headers.add(utf8('access-control-allow-credentials'), utf8('true'))
    addAllowed(
      headers,
      utf8('access-control-allow-methods'),
      this.methods,
      request,
      utf8('access-control-request-method'),
    )
    addAllowed(
      headers,
      utf8('access-control-allow-headers'),
      this.headers,
      request,
      utf8('access-control-request-headers'),
    )
    if (this.maxAge.length) headers.add(utf8('access-control-max-age'), this.maxAge)
    return headers
  }

  /** What a page needs to read the response. `origin`: one that is allowed. */
  addTo(response: HeaderMap, origin: ByteString): void {
    response.set(utf8('access-control-allow-origin'), origin)
    if (this.allowsCredentials) response.set(utf8('access-control-allow-credentials'), utf8('true'))
    if (this.exposed.length) response.set(utf8('access-control-expose-headers'), this.exposed)
  }
}

/** `*` allows what was asked for. */
function addAllowed(headers: Headers, name: ByteString, value: Bytes, request: Pairs, asked: ByteString): void {
  if (!value.length) return
  if (!value.equals('*')) {
    headers.add(name, value)
    return
  }
  const wanted = request.get(asked)
  headers.add(name, wanted ? wanted : ByteString.empty)
}

/** The items of a list with commas between them. */
function list(json: JsonValue): Bytes {
  const items = json.optionalArray()
  let text = ByteString.empty
  for (let i = 0; i < items.length; i++) {
    if (i) text = text.concat(utf8(','))
    text = text.concat(items[i].byteString())
  }
  return text.persist()
}

import { Bytes, ByteString, HeaderMap, Headers, utf8 } from '@meshscript/sdk'
import { decimal } from '../../common/assembly/decimal'
import { Rule } from './rule'

const SECOND: f64 = 1_000_000_000

/** How clients are told what is left. */
export enum HeaderStyle {
  None,
  /** `x-ratelimit-limit`, `-remaining` and `-reset`, as Envoy writes them (draft-polli-ratelimit-headers-03). */
  Draft03,
  /** `ratelimit-policy` and `ratelimit` (draft-ietf-httpapi-ratelimit-headers-09), and `retry-after` (RFC 9110) for who is refused. */
  Rfc,
}

/** The quota of the rule that leaves a request the least. */
@final
export class QuotaHeaders {
  constructor(readonly style: HeaderStyle) {}

  get isShown(): bool {
    return this.style != HeaderStyle.None
  }

  /** For an answer of the filter's own. `wait`: nanoseconds. */
  ofRefusal(rule: Rule, left: f64, wait: f64): Headers | null {
    if (this.style == HeaderStyle.None) return null
    const headers = new Headers()
    if (this.style == HeaderStyle.Draft03) {
      headers.add('x-ratelimit-limit', draftLimit(rule))
      headers.add('x-ratelimit-remaining', whole(left))
      headers.add('x-ratelimit-reset', seconds(wait))
    } else {
      headers.add('ratelimit-policy', policy(rule))
      headers.add('ratelimit', quota(rule, left, wait))
      headers.add('retry-after', seconds(wait))
    }
    return headers
  }

  /** For the response of an upstream. */
  addTo(headers: HeaderMap, rule: Rule, left: f64, wait: f64): void {
    if (this.style == HeaderStyle.Draft03) {
      headers.set('x-ratelimit-limit', draftLimit(rule))
      headers.set('x-ratelimit-remaining', whole(left))
      headers.set('x-ratelimit-reset', seconds(wait))
    } else if (this.style == HeaderStyle.Rfc) {
      headers.set('ratelimit-policy', policy(rule))
      headers.set('ratelimit', quota(rule, left, wait))
    }
  }
}

/** `100, 100;w=60;name="all"` */
function draftLimit(rule: Rule): ByteString {
  const requests = whole(rule.requests)
  return requests
    .concat(utf8(', '))
    .concat(requests)
    .concat(utf8(';w='))
    .concat(seconds(rule.per))
    .concat(utf8(';name='))
    .concat(quoted(rule.name))
}

/** `"all";q=100;w=60` */
function policy(rule: Rule): ByteString {
  return quoted(rule.name)
    .concat(utf8(';q='))
    .concat(whole(rule.requests))
    .concat(utf8(';w='))
    .concat(seconds(rule.per))
}

/** `"all";r=99;t=1` */
function quota(rule: Rule, left: f64, wait: f64): ByteString {
  return quoted(rule.name).concat(utf8(';r=')).concat(whole(left)).concat(utf8(';t=')).concat(seconds(wait))
}

/** A string as RFC 9651 has them: what none may hold becomes `_`. */
function quoted(name: Bytes): ByteString {
  const text = utf8('"').concat(name.view).concat(utf8('"'))
  for (let i = 1; i < text.length - 1; i++) {
    const byte = text.byteAt(i)
    if (byte < 0x20 || byte > 0x7e || byte == 0x22 || byte == 0x5c) store<u8>(text.ptr + i, 0x5f)
  }
  return text
}

function whole(value: f64): ByteString {
  return decimal(<u64>value)
}

/** Rounded up: who comes back then finds what was promised. */
function seconds(nanoseconds: f64): ByteString {
  return decimal(<u64>Math.ceil(nanoseconds / SECOND))
}

// Source: envoyproxy/envoy, source/common/http/utility.cc, `newUri`.

import { Bytes, ByteString, JsonKind, JsonValue, Pairs, property, utf8 } from '@meshscript/sdk'
import { portStart } from '../../common/assembly/request/request'
import { replaceStart } from './paths'

const STATUSES = [301, 302, 303, 307, 308]

enum Port {
  /** Stays as it is. */
  Kept,
  Fixed,
  /** The one that the request came in at. */
  OfRequest,
}

/** Sends clients elsewhere. */
@final
export class Redirect {
  status: u32 = 0
  private scheme: Bytes | null = null
  private authority: Bytes | null = null
  private port: Port = Port.Kept
  private number: i64 = 0
  private path: Bytes | null = null
  private prefix: Bytes | null = null

  constructor(json: JsonValue) {
    const status = json.get('status')
    this.status = <u32>status.integer(301)
    if (!STATUSES.includes(<i32>this.status)) status.fail('expected 301, 302, 303, 307 or 308')
    this.scheme = optional(json.get('scheme'))
    this.authority = optional(json.get('authority'))
    this.path = optional(json.get('path'))
    this.prefix = optional(json.get('prefix'))
    if (this.path && this.prefix) json.fail('expected only one of "path" and "prefix"')
    this.readPort(json.get('port'))
  }

  private readPort(json: JsonValue): void {
    if (!json.exists) return
    if (json.kind == JsonKind.String) {
      if (json.oneOf(['protocolDefault', 'request']) == 1) this.port = Port.OfRequest
      return
    }
    this.port = Port.Fixed
    this.number = json.integer(-1, 1, 65535)
  }

  /** Where to. `prefixLength`: how much of the path was matched, -1 for the whole. */
  location(request: Pairs, prefixLength: i32): ByteString {
    const own = this.scheme
    const scheme = own ? own.view : orEmpty(request.get(utf8(':scheme')))
    const port = this.portFor(scheme)
    const authority = this.authority
    const host = authority ? authority.view : hostOf(request, scheme, port)
    let location = scheme.concat(utf8('://')).concat(host)
    if (port) location = location.concat(utf8(':')).concat(port.toString())
    return location.concat(this.pathOf(orEmpty(request.get(utf8(':path'))), prefixLength))
  }

  /** 0 for none, as with the usual one of the scheme. */
  private portFor(scheme: ByteString): i64 {
    const port = this.port == Port.OfRequest ? property.destinationPort() : this.number
    return (port == 80 && scheme.equals('http')) || (port == 443 && scheme.equals('https')) ? 0 : port
  }

  private pathOf(path: ByteString, prefixLength: i32): ByteString {
    const prefix = this.prefix
    if (prefix) return replaceStart(path, prefixLength, prefix.view)
    const whole = this.path
    if (!whole) return path
    // The query stays, unless there is a new one.
    const query = path.indexOfByte(0x3f)
    return query < 0 || whole.view.indexOfByte(0x3f) >= 0 ? whole.view : whole.view.concat(path.slice(query))
  }
}

/** The request's authority: without its port where there is a new one, or where it was the usual one of another scheme. */
function hostOf(request: Pairs, scheme: ByteString, port: i64): ByteString {
  const host = orEmpty(request.get(utf8(':authority')))
  const start = portStart(host)
  if (start < 0) return host
  const protocol = orEmpty(request.get(utf8('x-forwarded-proto')))
  const isUsual = scheme.equals(protocol) ? false : isUsualPort(host.slice(start + 1), protocol)
  return port || isUsual ? host.slice(0, start) : host
}

function optional(json: JsonValue): Bytes | null {
  return json.exists ? json.bytes() : null
}

function orEmpty(text: ByteString | null): ByteString {
  return text ? text : ByteString.empty
}

function isUsualPort(port: ByteString, protocol: ByteString): bool {
  return protocol.equals('https') ? port.equals('443') : protocol.equals('http') && port.equals('80')
}

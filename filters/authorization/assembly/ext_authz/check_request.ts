// envoy.service.auth.v3.CheckRequest:
//
//   attributes 1 ┬ source 1 ┬ address 1 ─ socket_address 1 ─ { address 2, port_value 3 }
//                │          └ service 2, principal 4
//                ├ destination 2, as source
//                └ request 4 ┬ time 1 { seconds 1, nanos 2 }
//                            └ http 2 { id 1, method 2, headers 3 (map), path 4, host 5, scheme 6, size 9, protocol 10, body 11, raw_body 12 }

import { ByteString, filterState, Pairs, property, ProtobufWriter, utf8 } from '@meshscript/sdk'
import { validUtf8 } from '../../../common/assembly/protobuf'
import { isPartial, joined } from './request'

/** The message that asks about the request with these headers; empty when there is no room for it. */
export function checkRequest(headers: Pairs, body: ByteString | null, isBytes: bool, size: u32): ByteString {
  const direct = filterState.getNative('meshscript.direct_remote_address')
  const service = headers.get('x-envoy-downstream-service-cluster')
  const source = peer(
    direct ? direct : property.getOrEmpty(utf8('source\0address')),
    service ? service : ByteString.empty,
    principal(
      utf8('connection\0uri_san_peer_certificate'),
      utf8('connection\0dns_san_peer_certificate'),
      utf8('connection\0subject_peer_certificate'),
    ),
  )
  const destination = peer(
    property.getOrEmpty(utf8('destination\0address')),
    ByteString.empty,
    principal(
      utf8('connection\0uri_san_local_certificate'),
      utf8('connection\0dns_san_local_certificate'),
      utf8('connection\0subject_local_certificate'),
    ),
  )
  const http = httpRequest(headers, body, isBytes, size)
  const request = new ProtobufWriter(http.length + 16, 2).bytes(1, requestTime()).bytes(2, http).finish()
  const attributes = new ProtobufWriter(source.length + destination.length + request.length, 3)
    .bytes(1, source)
    .bytes(2, destination)
    .bytes(4, request)
    .finish()
  const message = new ProtobufWriter(attributes.length, 1).bytes(1, attributes).finish()
  // The writer leaves out what it has no room for, and a service must not be asked about half a request.
  return http.isEmpty || message.length <= http.length ? ByteString.empty : message
}

function requestTime(): ByteString {
  const nanoseconds = property.requestTime()
  return new ProtobufWriter(0, 2)
    .integer(1, <u32>(nanoseconds / 1_000_000_000))
    .integer(2, <u32>(nanoseconds % 1_000_000_000))
    .finish()
}

/** `address` is with or without a port. */
function peer(address: ByteString, service: ByteString, principal: ByteString): ByteString {
  const colon = address.lastIndexOfByte(0x3a)
  const hasPort = colon >= 0 && (address.indexOfByte(0x3a) == colon || address.byteAt(colon - 1) == 0x5d)
  let host = hasPort ? address.slice(0, colon) : address
  if (host.byteAt(0) == 0x5b) host = host.slice(1, host.length - 1)
  const port = hasPort ? <u32>address.slice(colon + 1).parseInt(0) : 0
  const socket = new ProtobufWriter(host.length, 2).bytes(2, host).integer(3, port).finish()
  const wrapped = new ProtobufWriter(socket.length, 1).bytes(1, socket).finish()
  const writer = new ProtobufWriter(wrapped.length + service.length + principal.length, 3).bytes(1, wrapped)
  if (!service.isEmpty) writer.bytes(2, validUtf8(service))
  if (!principal.isEmpty) writer.bytes(4, validUtf8(principal))
  return writer.finish()
}

/** The first of these that the certificate has. */
function principal(uri: ByteString, dns: ByteString, subject: ByteString): ByteString {
  let value = property.getOrEmpty(uri)
  if (value.isEmpty) value = property.getOrEmpty(dns)
  return value.isEmpty ? property.getOrEmpty(subject) : value
}

function httpRequest(headers: Pairs, body: ByteString | null, isBytes: bool, size: u32): ByteString {
  let room = body ? body.length : 0
  for (let i = 0; i < headers.length; i++) room += headers.name(i).length + headers.value(i).length
  const id = valueOf(headers, 'x-request-id')
  const method = valueOf(headers, ':method')
  const path = valueOf(headers, ':path')
  const host = valueOf(headers, ':authority')
  const scheme = valueOf(headers, ':scheme')
  const protocol = property.requestProtocol()
  room += id.length + method.length + path.length + host.length + scheme.length + 64
  const writer = new ProtobufWriter(room, headers.length * 3 + 16).bytes(1, id).bytes(2, method)
  for (let i = 0; i < headers.length; i++) {
    const name = headers.name(i)
    // A client's own would be taken for the proxy's.
    if (headers.indexOf(name) != i || name.equals('x-envoy-auth-partial-body')) continue
    writer.bytes(3, entry(validUtf8(name), validUtf8(joined(headers, name, i))))
  }
  if (body) writer.bytes(3, entry(utf8('x-envoy-auth-partial-body'), isPartial(body, size)))
  writer.bytes(4, path).bytes(5, host).bytes(6, scheme)
  if (body) writer.integer(9, size)
  if (protocol) writer.bytes(10, protocol)
  if (body) writer.bytes(isBytes ? 12 : 11, isBytes ? body : validUtf8(body))
  return writer.finish()
}

function valueOf(headers: Pairs, name: string): ByteString {
  const value = headers.get(name)
  return value ? validUtf8(value) : ByteString.empty
}

/** One pair of a map. */
function entry(key: ByteString, value: ByteString): ByteString {
  return new ProtobufWriter(key.length + value.length, 2).bytes(1, key).bytes(2, value).finish()
}

// The attributes that rules look at. Each is read at most once per request, when a rule asks for it.

import { Bytes, ByteString, Pairs, property, utf8 } from '@meshscript/sdk'
import { Attribute, Dimension } from '../../common/assembly/rules/dimension'
import { giveList, textOf } from './metadata'
import { CurrentRequest } from './request'

/** `:path` without the query. */
@final
export class PathAttribute extends Attribute {
  constructor(private request: CurrentRequest) {
    super(utf8('path').persist(), 0)
  }

  read(dimension: Dimension): bool {
    const path = this.request.path
    if (path) dimension.text(path)
    return true
  }
}

/** Each value of a request header. */
@final
export class HeaderAttribute extends Attribute {
  constructor(
    private request: CurrentRequest,
    private name: Bytes,
  ) {
    super(utf8('header ').concat(name.view).persist(), 0)
  }

  read(dimension: Dimension): bool {
    const headers = this.request.headers
    const name = this.name.view
    for (let i = headers.indexOf(name); i >= 0; i = headers.indexOf(name, i + 1)) dimension.text(headers.value(i))
    return true
  }
}

/** The values of a request header as one text, with commas between them. */
@final
export class JoinedHeaderAttribute extends Attribute {
  constructor(
    private request: CurrentRequest,
    private name: Bytes,
  ) {
    super(utf8('joined header ').concat(name.view).persist(), 0)
  }

  read(dimension: Dimension): bool {
    const value = joinedHeader(this.request.headers, this.name.view)
    if (value) dimension.text(value)
    return true
  }
}

/** The values of a header with commas between them; null when it is not there. */
export function joinedHeader(headers: Pairs, name: ByteString): ByteString | null {
  let i = headers.indexOf(name)
  if (i < 0) return null
  let value = headers.value(i)
  for (i = headers.indexOf(name, i + 1); i >= 0; i = headers.indexOf(name, i + 1)) {
    value = value.concat(utf8(',')).concat(headers.value(i))
  }
  return value
}

/** `:authority` in lower case. */
@final
export class HostAttribute extends Attribute {
  constructor(private request: CurrentRequest) {
    super(utf8('host').persist(), 0)
  }

  read(dimension: Dimension): bool {
    const host = this.request.headers.get(utf8(':authority'))
    if (host) dimension.text(host.toLowerCase())
    return true
  }
}

/** The identities in the peer's certificate. */
@final
export class PeerAttribute extends Attribute {
  /** `slot`: number of the index that asks. */
  constructor(
    private request: CurrentRequest,
    private slot: i32,
  ) {
    super(utf8('peer').persist(), 1)
  }

  read(dimension: Dimension): bool {
    const peer = this.request.peer
    if (!peer) return true
    // What a certificate matches never changes.
    const known = unchecked(peer.matches[this.slot])
    if (known) {
      for (let i = 0; i < known.length; i++) dimension.matches.add(unchecked(known[i]))
      return true
    }
    if (peer.sans.length > 0) dimension.anything()
    for (let i = 0; i < peer.sans.length; i++) {
      const san = unchecked(peer.sans[i]).view
      if (san.startsWith('spiffe://')) dimension.text(san.slice(9), san)
      else dimension.regexText(san)
    }
    const found = dimension.matches
    unchecked((peer.matches[this.slot] = StaticArray.slice(found.ids, 0, found.count)))
    return true
  }
}

export enum AddressKind {
  /** The peer of the connection. */
  Direct,
  /** The client as X-Forwarded-For names it. */
  Remote,
  Destination,
}

@final
export class AddressAttribute extends Attribute {
  constructor(
    private request: CurrentRequest,
    private kind: AddressKind,
  ) {
    super(utf8('address ').concat(kind.toString()).persist(), 1)
  }

  read(dimension: Dimension): bool {
    let address: ByteString | null
    if (this.kind == AddressKind.Direct) address = this.request.directAddress
    else if (this.kind == AddressKind.Remote) address = this.request.remoteAddress
    else address = this.request.destinationAddress
    return address !== null && dimension.address(address)
  }
}

/** The port of the listener. */
@final
export class PortAttribute extends Attribute {
  constructor() {
    super(utf8('port').persist(), 1)
  }

  read(dimension: Dimension): bool {
    const port = property.destinationPort()
    dimension.number(<i32>port)
    return port > 0
  }
}

/** The server name in the TLS hello. */
@final
export class ServerNameAttribute extends Attribute {
  constructor() {
    super(utf8('server name').persist(), 1)
  }

  read(dimension: Dimension): bool {
    const name = property.get(utf8('connection\0requested_server_name'))
    if (name && !name.isEmpty) dimension.text(name)
    return true
  }
}

/** What to take of a value of the metadata. */
export enum ValueKind {
  Text,
  List,
  TextOrList,
}

/** A value of the dynamic metadata: where it is a list, each of its texts. */
@final
export class MetadataAttribute extends Attribute {
  constructor(
    private request: CurrentRequest,
    private path: Bytes[],
    private kind: ValueKind,
  ) {
    super(keyOf(path, kind), 1)
  }

  read(dimension: Dimension): bool {
    const value = this.request.metadata.find(this.path)
    if (!value) return true
    const text = textOf(value)
    if (text && this.kind != ValueKind.List) dimension.text(text)
    else if (!text && this.kind != ValueKind.Text) giveList(value, dimension)
    return true
  }
}

function keyOf(path: Bytes[], kind: ValueKind): Bytes {
  let key = utf8('metadata ').concat(kind.toString())
  for (let i = 0; i < path.length; i++) key = key.concat(utf8('\0')).concat(path[i].view)
  return key.persist()
}

/** Issuer and subject of the token, with a NUL between them. */
@final
export class RequestPrincipalAttribute extends Attribute {
  constructor(
    private request: CurrentRequest,
    private issuer: Bytes[],
    private subject: Bytes[],
  ) {
    super(utf8('request principal').persist(), 1)
  }

  read(dimension: Dimension): bool {
    const issuer = this.request.metadata.find(this.issuer)
    const subject = this.request.metadata.find(this.subject)
    if (!issuer || !subject) return true
    const first = textOf(issuer)
    const second = textOf(subject)
    if (!first || !second) return true
    // Two claims that can't be told apart any more.
    if (first.indexOfByte(0) >= 0 || second.indexOfByte(0) >= 0) return false
    dimension.text(first.concat(utf8('\0')).concat(second))
    return true
  }
}

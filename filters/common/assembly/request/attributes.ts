// The attributes that rules look at. Each is read at most once per request, when a rule asks for it.

import { Bytes, ByteString, Pairs, property, utf8 } from '@meshscript/sdk'
import { Attribute, Dimension } from '../rules/dimension'
import { giveList, textOf } from './metadata'
import { Peer, PEER_SLOTS } from './peer'
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

/** `:path` without the query, its ASCII letters lowered. */
@final
export class LowerCasePathAttribute extends Attribute {
  constructor(private request: CurrentRequest) {
    super(utf8('lower-case path').persist(), 0)
  }

  read(dimension: Dimension): bool {
    const path = this.request.path
    if (path) dimension.text(path.toLowerCase())
    return true
  }
}

/** The value of the first query parameter of a name, as it stands in the path: nothing is decoded, as Envoy's routes see it. */
@final
export class QueryParamAttribute extends Attribute {
  constructor(
    private request: CurrentRequest,
    private name: Bytes,
  ) {
    super(utf8('query parameter ').concat(name.view).persist(), 0)
  }

  read(dimension: Dimension): bool {
    const value = this.request.queryParam(this.name.view)
    if (value) dimension.text(value)
    return true
  }
}

/** Each value of a request header. */
@final
export class HeaderAttribute extends Attribute {
  constructor(
    private request: CurrentRequest,
    readonly name: Bytes,
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

/** Each value of a request header; empty text where it is missing. */
@final
export class HeaderOrEmptyAttribute extends Attribute {
  constructor(
    private request: CurrentRequest,
    private name: Bytes,
  ) {
    super(utf8('header or empty ').concat(name.view).persist(), 0)
  }

  read(dimension: Dimension): bool {
    const headers = this.request.headers
    const name = this.name.view
    let i = headers.indexOf(name)
    if (i < 0) dimension.text(ByteString.empty)
    for (; i >= 0; i = headers.indexOf(name, i + 1)) dimension.text(headers.value(i))
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

/** `:authority` in lower case and without its port. */
@final
export class HostWithoutPortAttribute extends Attribute {
  constructor(private request: CurrentRequest) {
    super(utf8('host without port').persist(), 0)
  }

  read(dimension: Dimension): bool {
    const host = this.request.host
    if (host) dimension.text(host)
    return true
  }
}

/** `:scheme`. */
@final
export class SchemeAttribute extends Attribute {
  constructor(private request: CurrentRequest) {
    super(utf8('scheme').persist(), 0)
  }

  read(dimension: Dimension): bool {
    const scheme = this.request.headers.get(utf8(':scheme'))
    if (scheme) dimension.text(scheme)
    return true
  }
}

/** What a peer's names match among the patterns of one dimension; it never changes. */
@final
class PeerMatches {
  constructor(
    readonly peer: Peer,
    readonly ids: StaticArray<i32>,
  ) {}
}

/** The identities in the peer's certificate. */
@final
export class PeerAttribute extends Attribute {
  /** By the peer's slot. */
  private known: StaticArray<PeerMatches | null> = new StaticArray<PeerMatches | null>(PEER_SLOTS)

  constructor(private request: CurrentRequest) {
    super(utf8('peer').persist(), 1)
  }

  read(dimension: Dimension): bool {
    const peer = this.request.peer
    if (!peer) return true
    const known = unchecked(this.known[peer.slot])
    if (known && known.peer === peer) {
      const ids = known.ids
      for (let i = 0; i < ids.length; i++) dimension.matches.add(unchecked(ids[i]))
      return true
    }
    if (peer.sans.length > 0) dimension.anything()
    for (let i = 0; i < peer.sans.length; i++) {
      const san = unchecked(peer.sans[i]).view
      if (san.startsWith('spiffe://')) dimension.text(san.slice(9), san)
      else dimension.regexText(san)
    }
    if (!peer.isReadable) return true
    const found = dimension.matches
    unchecked((this.known[peer.slot] = new PeerMatches(peer, StaticArray.slice(found.ids, 0, found.count))))
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

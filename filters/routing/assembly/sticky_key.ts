import { Bytes, ByteString, JsonValue, utf8 } from '@meshscript/sdk'
import { textOf } from '../../common/assembly/request/metadata'
import { CurrentRequest } from '../../common/assembly/request/request'
import { claimPath } from '../../common/assembly/routes/match'

enum Source {
  Header,
  Cookie,
  Claim,
  Principal,
}

/** By what requests are told apart that shall keep their destination. */
@final
export class StickyKey {
  constructor(
    private source: Source,
    private name: Bytes,
    private claim: Bytes[],
  ) {}

  /** Null where the choice is random. */
  static read(json: JsonValue): StickyKey | null {
    if (!json.exists) return null
    const object = json.object()
    const value = object.at(0)
    const none: Bytes[] = []
    if (object.length == 1) {
      if (value.name.equals('header')) {
        const name = value.bytes()
        if (!name.length || !name.view.toLowerCase().equals(name))
          value.fail('expected the name of a header, in lower case')
        return new StickyKey(Source.Header, name, none)
      }
      if (value.name.equals('cookie')) return new StickyKey(Source.Cookie, value.bytes(), none)
      if (value.name.equals('claim')) return new StickyKey(Source.Claim, Bytes.from(''), claimPath(value))
      if (value.name.equals('principal') && value.bool()) return new StickyKey(Source.Principal, Bytes.from(''), none)
    }
    json.fail('expected one of {"header": …}, {"cookie": …}, {"claim": […]} or {"principal": true}')
    return null
  }

  /** The request's key; null when it has none. */
  of(request: CurrentRequest): ByteString | null {
    let key: ByteString | null = null
    if (this.source == Source.Header) key = request.headers.get(this.name)
    else if (this.source == Source.Cookie) key = cookie(request, this.name.view)
    else if (this.source == Source.Claim) {
      const value = request.metadata.find(this.claim)
      key = value ? textOf(value) : null
    } else {
      const peer = request.peer
      if (peer && peer.sans.length) key = peer.sans[0].view
    }
    return key && key.length ? key : null
  }
}

/** The value of the first cookie of a name. */
function cookie(request: CurrentRequest, name: ByteString): ByteString | null {
  const headers = request.headers
  // HTTP/2 clients may send a line for each cookie.
  for (let i = headers.indexOf(utf8('cookie')); i >= 0; i = headers.indexOf(utf8('cookie'), i + 1)) {
    const line = headers.value(i)
    for (let from = 0; from < line.length;) {
      let end = line.indexOfByte(0x3b, from)
      if (end < 0) end = line.length
      const pair = line.slice(from, end).trim()
      if (pair.startsWith(name) && pair.byteAt(name.length) == 0x3d) {
        const value = pair.slice(name.length + 1)
        const isQuoted = value.length > 1 && value.byteAt(0) == 0x22 && value.byteAt(value.length - 1) == 0x22
        return isQuoted ? value.slice(1, value.length - 1) : value
      }
      from = end + 1
    }
  }
  return null
}

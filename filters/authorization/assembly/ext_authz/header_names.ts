import { Bytes, ByteString, HeaderMap, JsonValue, utf8 } from '@meshscript/sdk'

/** A list of header names: exact, by prefix or by suffix. */
@final
export class HeaderNames {
  private exact: Bytes[] = []
  private prefixes: Bytes[] = []
  private suffixes: Bytes[] = []

  /** No names when the list is not there. */
  static read(json: JsonValue): HeaderNames {
    const names = new HeaderNames()
    const items = json.optionalArray()
    for (let i = 0; i < items.length; i++) names.add(items[i])
    return names
  }

  get isEmpty(): bool {
    return !this.exact.length && !this.prefixes.length && !this.suffixes.length
  }

  /** `name` is in lower case. */
  matches(name: ByteString): bool {
    for (let i = 0; i < this.exact.length; i++) if (name.equals(unchecked(this.exact[i]))) return true
    for (let i = 0; i < this.prefixes.length; i++) if (name.startsWith(unchecked(this.prefixes[i]))) return true
    for (let i = 0; i < this.suffixes.length; i++) if (name.endsWith(unchecked(this.suffixes[i]))) return true
    return false
  }

  private add(matcher: JsonValue): void {
    let list = this.exact
    let text = matcher.get('exact')
    if (!text.exists) {
      list = this.prefixes
      text = matcher.get('prefix')
    }
    if (!text.exists) {
      list = this.suffixes
      text = matcher.get('suffix')
    }
    if (!text.exists) return matcher.fail('expected {"exact": …}, {"prefix": …} or {"suffix": …}')
    list.push(headerName(text).persist())
  }
}

/** The name of a header, or a part of one, which Envoy has in lower case. */
function headerName(json: JsonValue): ByteString {
  const name = json.byteString()
  if (name.isEmpty || !name.toLowerCase().equals(name)) json.fail('expected the name of a header, in lower case')
  return name
}

/** Whether a name is of the request's own line, so that a request without it would be none. */
export function isProtected(name: ByteString): bool {
  return name.byteAt(0) == 0x3a || name.equalsIgnoreCase('host')
}

/** Removes a header that a provider names, as far as that may be. */
export function removeHeader(headers: HeaderMap, name: ByteString): void {
  if (!name.isEmpty && !isProtected(name)) headers.remove(name)
}

/** Whether lines of this name say how a body is sent, which nobody but the proxy decides. */
export function isFraming(name: ByteString): bool {
  return name.equals('content-length') || name.equals('transfer-encoding') || name.equals('connection')
}

/** Whether a line can be sent: what an HTTP codec has let pass can; what came in a gRPC message need not. */
export function isValidLine(name: ByteString, value: ByteString): bool {
  if (name.isEmpty) return false
  for (let i = 0; i < name.length; i++) {
    const byte = name.byteAt(i)
    // Letters, digits and the marks of RFC 9110's token, and the colon of pseudo-headers.
    const isLetter = (byte | 0x20) >= 0x61 && (byte | 0x20) <= 0x7a
    const isDigit = byte >= 0x30 && byte <= 0x39
    if (isLetter || isDigit || (byte == 0x3a && i == 0 && name.length > 1)) continue
    if (utf8("!#$%&'*+-.^_`|~").indexOfByte(<u8>byte) < 0 || byte >= 0x80) return false
  }
  for (let i = 0; i < value.length; i++) {
    const byte = value.byteAt(i)
    if (byte == 0 || byte == 0x0a || byte == 0x0d) return false
  }
  return true
}

import { ByteString, utf8 } from '@meshscript/sdk'

// Which headers a service that is asked about a request may have changed.

/** Whether a name is of the request's own line, so that a request without it would be none. */
export function isProtected(name: ByteString): bool {
  return name.byteAt(0) == 0x3a || name.equalsIgnoreCase('host')
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

// The URI and DNS SANs of a certificate. Envoy's properties have only the first of each, and any of them may be a principal of a policy.

import { Bytes, ByteString } from '@meshscript/sdk'

/** DER tags. */
const SEQUENCE: u32 = 0x30
const OBJECT_IDENTIFIER: u32 = 0x06
const OCTET_STRING: u32 = 0x04
const EXTENSIONS: u32 = 0xa3
const DNS: u32 = 0x82
const URI: u32 = 0x86

/** What is left to read of a DER value. */
// @ts-ignore: decorator
@final
class Reader {
  /** Tag of the element that `next` found. */
  tag: u32 = 0

  constructor(
    public at: usize,
    public end: usize,
  ) {}

  /** The contents of the next element; null at the end and where the encoding is broken. */
  next(): Reader | null {
    if (this.at + 2 > this.end) return null
    this.tag = load<u8>(this.at)
    let length: usize = load<u8>(this.at, 1)
    let start = this.at + 2
    if (length > 127) {
      // Long form; certificates are far below the 64 KiB that two bytes can say.
      const bytes = length & 127
      if (bytes == 0 || bytes > 2 || start + bytes > this.end) return null
      length = 0
      for (let i: usize = 0; i < bytes; i++) length = (length << 8) | load<u8>(start + i)
      start += bytes
    }
    if (start + length > this.end) return null
    this.at = start + length
    return new Reader(start, start + length)
  }

  /** The contents of the next element with this tag, others being passed over. */
  find(tag: u32): Reader | null {
    let element = this.next()
    while (element && this.tag != tag) element = this.next()
    return element
  }
}

/** The URI and DNS SANs of a certificate in PEM, URL-encoded or not. Null when it can't be read. */
export function readSans(pem: ByteString): Bytes[] | null {
  const der = new StaticArray<u8>(pem.length)
  const size = decodePem(pem, changetype<usize>(der))
  const start = changetype<usize>(der)
  const certificate = new Reader(start, start + size).find(SEQUENCE)
  const body = certificate ? certificate.next() : null
  if (!body) return null
  const sans: Bytes[] = []
  const wrapped = body.find(EXTENSIONS)
  const extensions = wrapped ? wrapped.next() : null
  if (!extensions) return sans // a certificate without extensions
  let extension = extensions.next()
  while (extension) {
    const id = extension.find(OBJECT_IDENTIFIER)
    // 2.5.29.17, subjectAltName
    if (id && id.end - id.at == 3 && load<u16>(id.at) == 0x1d55 && load<u8>(id.at, 2) == 0x11) {
      const value = extension.find(OCTET_STRING)
      const names = value ? value.next() : null
      if (!names) return null
      let name = names.next()
      while (name) {
        if (names.tag == URI || names.tag == DNS) sans.push(ByteString.at(name.at, <i32>(name.end - name.at)).persist())
        name = names.next()
      }
    }
    extension = extensions.next()
  }
  return sans
}

/** Decodes the first certificate of a PEM to `out`; answers the number of bytes. */
function decodePem(pem: ByteString, out: usize): usize {
  let at = pem.indexOf('CERTIFICATE-----')
  if (at < 0) return 0
  let size: usize = 0
  let bits: u32 = 0
  let count = 0
  for (at += 16; at < pem.length; at++) {
    let byte = <u32>load<u8>(pem.ptr + at)
    if (byte == 0x25 && at + 2 < pem.length) {
      byte = (hexDigit(pem.byteAt(at + 1)) << 4) | hexDigit(pem.byteAt(at + 2))
      at += 2
    }
    if (byte == 0x2d) break // the dashes of the END line
    const digit = base64Digit(byte)
    if (digit > 63) continue // line ends and padding
    bits = (bits << 6) | digit
    count += 6
    if (count >= 8) {
      count -= 8
      store<u8>(out + size++, bits >> count)
    }
  }
  return size
}

function hexDigit(byte: u32): u32 {
  return byte <= 0x39 ? byte & 15 : (byte + 9) & 15
}

function base64Digit(byte: u32): u32 {
  if (byte - 0x41 < 26) return byte - 0x41
  if (byte - 0x61 < 26) return byte - 0x61 + 26
  if (byte - 0x30 < 10) return byte - 0x30 + 52
  if (byte == 0x2b) return 62
  if (byte == 0x2f) return 63
  return 64
}

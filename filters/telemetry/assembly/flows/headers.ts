import { Bytes, ByteString, HeaderMap, JsonValue, utf8 } from '@meshscript/sdk'
import { Writer } from '../export/writer'

const MAX_HEADERS: i32 = 32
/** A longer value is cut there. */
const MAX_VALUE: i32 = 256
/** Headers with one of these in their name are never shown. */
const SECRETS: string[] = ['auth', 'cookie', 'token', 'secret', 'passw', 'api-key', 'apikey', 'credential', 'session']
/** What others write for a value that is not shown. */
const REDACTED: string = 'HUBBLE_REDACTED'

@final
class ShownHeader {
  constructor(
    public name: Bytes,
    /** `{"key":"X-Request-Id","value":` */
    public start: Bytes,
    public isSecret: bool,
  ) {}
}

/** The request headers that records have: those that the configuration names. */
@final
export class ShownHeaders {
  private items: ShownHeader[] = []

  constructor(json: JsonValue) {
    const names = json.optionalArray()
    if (names.length > MAX_HEADERS) json.fail(`expected at most ${MAX_HEADERS} headers`)
    for (let i = 0; i < names.length; i++) this.add(names[i])
  }

  private add(json: JsonValue): void {
    const name = json.byteString()
    if (!isHeaderName(name)) json.fail('expected the name of a header in lower case')
    const start = utf8('{"key":"').concat(canonical(name)).concat(utf8('","value":'))
    // In the order of their names, as Hubble has them.
    let place = this.items.length
    while (place > 0 && isBefore(name, this.items[place - 1].name.view)) place--
    const item = new ShownHeader(name.persist(), start.persist(), isSecret(name))
    this.items.push(item)
    for (let i = this.items.length - 1; i > place; i--) this.items[i] = this.items[i - 1]
    this.items[place] = item
  }

  /** Writes those that the request has: `,"headers":[…]`. */
  write(line: Writer, headers: HeaderMap): void {
    const items = this.items
    let count = 0
    for (let i = 0; i < items.length; i++) {
      const item = unchecked(items[i])
      const value = headers.get(item.name.view)
      if (!value) continue
      line.raw(count++ ? utf8(',') : utf8(',"headers":[')).raw(item.start.view)
      line.string(item.isSecret ? utf8('').concat(REDACTED) : value, MAX_VALUE).byte(0x7d)
    }
    if (count) line.byte(0x5d)
  }
}

function isSecret(name: ByteString): bool {
  for (let i = 0; i < SECRETS.length; i++) if (name.includes(SECRETS[i])) return true
  return false
}

function isHeaderName(name: ByteString): bool {
  for (let i = 0; i < name.length; i++) {
    const byte = name.byteAt(i)
    const isWord = (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte == 0x2d || byte == 0x5f
    if (!isWord) return false
  }
  return name.length > 0 && name.length <= 128
}

/** `x-request-id` → `X-Request-Id`, as Go, and so Hubble, writes names. */
function canonical(name: ByteString): ByteString {
  const copy = name.toLowerCase()
  for (let i = 0; i < copy.length; i++) {
    const byte = copy.byteAt(i)
    if (byte >= 0x61 && byte <= 0x7a && (!i || copy.byteAt(i - 1) == 0x2d)) store<u8>(copy.ptr + i, <u8>(byte - 0x20))
  }
  return copy
}

function isBefore(name: ByteString, other: ByteString): bool {
  const order = memory.compare(name.ptr, other.ptr, min(name.length, other.length))
  return order ? order < 0 : name.length < other.length
}

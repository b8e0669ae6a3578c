import { ByteString, property, utf8 } from '@meshscript/sdk'

/** Set for a host that is as real Envoy: some calls in the wrong phase crash that, whatever the SDK does. */
export let isPolite: bool = false

export function bePolite(): void {
  isPolite = true
}

/** How many callbacks there were: a host that always gives the same bytes is not to get the same always. */
let count: u32 = 0

/** Bytes that decide what a callback does. Behind the last one others follow that depend on them. */
export class Input {
  private at: i32 = 0
  private state: u32

  constructor(private bytes: ByteString) {
    this.state = (bytes.hash() + ++count * 0x9e3779b1) | 1
  }

  /** A hostile host answers the property `fuzz.input`; any other has at least a path. */
  static read(): Input {
    const bytes = property.get(utf8('fuzz\0input'))
    return new Input(bytes ? bytes : property.getOrEmpty(utf8('request\0path')).slice(0, 8))
  }

  byte(): u32 {
    if (this.at < this.bytes.length) return this.bytes.byteAt(this.at++)
    this.state ^= this.state << 13
    this.state ^= this.state >>> 17
    this.state ^= this.state << 5
    return (this.state >>> 11) & 255
  }

  below(limit: u32): u32 {
    return (this.byte() | (this.byte() << 8)) % limit
  }

  flag(): bool {
    return (this.byte() & 1) != 0
  }

  /** Any integer, mostly one at an edge. */
  integer(): i32 {
    switch (this.below(6)) {
      case 0:
        return -1
      case 1:
        return i32.MAX_VALUE
      case 2:
        return i32.MIN_VALUE
      case 3:
        return this.below(65536)
      case 4:
        return (this.byte() << 24) | (this.byte() << 16) | (this.byte() << 8) | this.byte()
      default:
        return this.below(16)
    }
  }

  /** Milliseconds that a call may take. A call without end is kept without end. */
  timeout(): u32 {
    return isPolite ? 1 + this.below(1000) : this.integer()
  }

  /** A name that hosts know, or bytes of the input. */
  text(): ByteString {
    switch (this.below(12)) {
      case 0:
        return utf8(':path')
      case 1:
        return utf8('x-user')
      case 2:
        return utf8('content-length')
      case 3:
        return ByteString.empty
      case 4:
        return utf8('upstream')
      case 5:
        return utf8('request\0headers\0x-user')
      case 6:
        return utf8('größe;.;=.=')
      default: {
        const from = this.below(32)
        return this.bytes.slice(from, from + this.below(64))
      }
    }
  }
}

import { ByteString, utf8 } from '@meshscript/sdk'

const MAX_VARIABLES: i32 = 5
const MAX_NAME: i32 = 16

/**
 * The regular expression that Envoy's `uri_template_matcher` makes of a path template; null when Envoy refuses the template.
 * `*` is one segment, `**` any number of them, `{name}` and `{name=a/*}` are the same with a name. Istio's `{*}` and `{**}` are taken, too.
 * Valid until the next call.
 */
export function templateToRegex(template: ByteString): ByteString | null {
  return reader.read(template)
}

@final
class TemplateReader {
  private text: ByteString = ByteString.empty
  private out: StaticArray<u8> = new StaticArray<u8>(256)
  private size: i32 = 0
  private at: i32 = 0
  private variables: i32 = 0
  private names: StaticArray<i32> = new StaticArray<i32>(MAX_VARIABLES * 2)
  private sawTextGlob: bool = false

  read(text: ByteString): ByteString | null {
    this.text = text
    this.size = 0
    this.at = 0
    this.variables = 0
    this.sawTextGlob = false
    if (this.byte() != 0x2f) return null
    this.put(0x2f)
    this.at++
    while (this.at < this.text.length) {
      const done = this.segment()
      if (done < 0) return null
      if (done) break
    }
    return ByteString.at(changetype<usize>(this.out), this.size)
  }

  private byte(offset: i32 = 0): i32 {
    return this.text.byteAt(this.at + offset)
  }

  private put(byte: i32): void {
    const at = this.extend(1)
    store<u8>(at, byte)
  }

  private putAll(text: ByteString): void {
    const at = this.extend(text.length)
    memory.copy(at, text.ptr, text.length)
  }

  /** Makes what is written longer; answers where the new part is. */
  private extend(length: i32): usize {
    const size = this.size
    this.size = size + length
    if (this.size > this.out.length) {
      const longer = new StaticArray<u8>(max(this.size, this.out.length * 2))
      memory.copy(changetype<usize>(longer), changetype<usize>(this.out), size)
      this.out = longer
    }
    return changetype<usize>(this.out) + size
  }

  /** Reads a segment and what ends it. Answers 0, 1 when it was the last, -1 when it is invalid. */
  private segment(): i32 {
    const c = this.byte()
    if (!(c == 0x2a ? this.operator() : c == 0x7b ? this.braces() : this.literal(this.text.length))) return -1
    if (this.at == this.text.length) return 1
    if (this.byte() == 0x2f) {
      this.put(0x2f)
      this.at++
      return this.at == this.text.length ? 1 : 0
    }
    // What follows an operator without a slash is a suffix, which must be the end.
    return this.literal(this.text.length) && this.at == this.text.length ? 1 : -1
  }

  private operator(): bool {
    const isText = this.byte(1) == 0x2a
    this.at += isText ? 2 : 1
    return this.glob(isText)
  }

  private glob(isText: bool): bool {
    if (this.sawTextGlob) return false
    this.sawTextGlob = isText
    // Since Envoy 1.31.8 a star in a path is taken, too.
    this.putAll(utf8("[a-zA-Z0-9-._~%!$&'()+,;:@=*"))
    if (isText) this.put(0x2f)
    this.put(0x5d)
    this.put(isText ? 0x2a : 0x2b)
    return true
  }

  /** {name}, {name=pattern}, and Istio's {*} and {**}. */
  private braces(): bool {
    const end = this.text.indexOfByte(0x7d, this.at)
    if (end < 0) return false
    this.at++
    if (this.byte() == 0x2a) {
      if (!this.operator() || this.at != end) return false
      this.at++
      return true
    }
    const start = this.at
    while (isNameByte(this.byte())) this.at++
    if (!this.name(start) || (this.at < end && this.byte() != 0x3d)) return false
    if (this.at == end) {
      if (!this.glob(false)) return false
    } else {
      this.at++
      if (!this.pattern(end)) return false
    }
    this.put(0x29)
    this.at++
    return true
  }

  private name(start: i32): bool {
    const length = this.at - start
    const first = this.text.byteAt(start)
    if (length < 1 || length > MAX_NAME || first == 0x5f || <u32>(first - 0x30) < 10) return false
    const name = this.text.slice(start, this.at)
    for (let i = 0; i < this.variables; i++) {
      if (this.text.slice(this.names[i * 2], this.names[i * 2 + 1]).equals(name)) return false
    }
    if (this.variables == MAX_VARIABLES) return false
    this.names[this.variables * 2] = start
    this.names[this.variables * 2 + 1] = this.at
    this.variables++
    this.putAll(utf8('(?P<'))
    this.putAll(name)
    this.put(0x3e)
    return true
  }

  /** The segments that a variable stands for, up to `end`. */
  private pattern(end: i32): bool {
    while (this.at < end) {
      if (!(this.byte() == 0x2a ? this.operator() : this.literal(end))) return false
      if (this.at == end) return true
      if (this.byte() != 0x2f) return false
      this.put(0x2f)
      this.at++
    }
    // Empty, or a slash at its end.
    return false
  }

  /** At least one byte of a path, up to a slash or `end`. */
  private literal(end: i32): bool {
    const start = this.at
    for (; this.at < end && this.byte() != 0x2f; this.at++) {
      const c = this.byte()
      if (!isLiteralByte(c)) return false
      if (c == 0x24 || c == 0x28 || c == 0x29 || c == 0x2b || c == 0x2e) this.put(0x5c)
      this.put(c)
    }
    return this.at > start
  }
}

/** One for all: there may be thousands of templates. */
const reader = new TemplateReader()

function isNameByte(c: i32): bool {
  return <u32>((c | 0x20) - 0x61) < 26 || <u32>(c - 0x30) < 10 || c == 0x5f
}

/** Letters, digits and -._~%!$&'()+,;:@= */
function isLiteralByte(c: i32): bool {
  if (isNameByte(c)) return true
  switch (c) {
    case 0x21:
    case 0x24:
    case 0x25:
    case 0x26:
    case 0x27:
    case 0x28:
    case 0x29:
    case 0x2b:
    case 0x2c:
    case 0x2d:
    case 0x2e:
    case 0x3a:
    case 0x3b:
    case 0x3d:
    case 0x40:
    case 0x7e:
      return true
    default:
      return false
  }
}

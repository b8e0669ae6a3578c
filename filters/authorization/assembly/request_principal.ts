// Issuer and subject of a token, compared as one text.

import { Bytes, ByteString, JsonValue, utf8 } from '@meshscript/sdk'
import { Parser } from '../../common/assembly/regex/parser'
import { Assertion, Item, STRIDE } from '../../common/assembly/regex/postfix_code'
import { addRegex } from '../../common/assembly/request/matchers'
import { textOf } from '../../common/assembly/request/metadata'
import { CurrentRequest } from '../../common/assembly/request/request'
import { Attribute, Dimension } from '../../common/assembly/rules/dimension'
import { PatternKind } from '../../common/assembly/rules/text_patterns'

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

/** `{"issuer": MATCHER, "subject": MATCHER}` on a text of both with a NUL between them. */
export function addRequestPrincipal(dimension: Dimension, value: JsonValue): i32 {
  const issuer = Part.read(value.get('issuer'))
  const subject = Part.read(value.get('subject'))
  const text = issuer.text.concat(utf8('\0')).concat(subject.text)
  const isExact = issuer.kind == PartKind.Exact
  if (isExact && subject.kind == PartKind.Exact) return dimension.addText(PatternKind.Exact, text)
  if (isExact && subject.kind == PartKind.Prefix) return dimension.addText(PatternKind.Prefix, text)
  if (issuer.kind == PartKind.Suffix && subject.kind == PartKind.Exact)
    return dimension.addText(PatternKind.Suffix, text)
  return addRegex(dimension, value, issuer.regex.concat(utf8('\\x00')).concat(subject.regex))
}

enum PartKind {
  Exact,
  Prefix,
  Suffix,
  Present,
  Regex,
}

/** A matcher of one of two texts that are matched as one. */
@final
class Part {
  kind: PartKind = PartKind.Present
  text: ByteString = ByteString.empty

  static read(json: JsonValue): Part {
    const part = new Part()
    if (!json.exists) return part
    const object = json.object()
    if (object.length != 1) {
      json.fail('expected one matcher')
      return part
    }
    const value = object.at(0)
    const name = value.name
    if (name.equals('exact')) part.kind = PartKind.Exact
    else if (name.equals('prefix')) part.kind = PartKind.Prefix
    else if (name.equals('suffix')) part.kind = PartKind.Suffix
    else if (name.equals('regex')) part.kind = PartKind.Regex
    else if (!name.equals('present')) value.fail('expected "exact", "prefix", "suffix", "present" or "regex"')
    if (part.kind != PartKind.Present) part.text = value.byteString()
    else if (!value.bool()) value.fail('expected true')
    if (part.kind == PartKind.Regex) checkPart(value, part.text)
    if ((part.kind == PartKind.Prefix || part.kind == PartKind.Suffix) && part.text.isEmpty) {
      value.fail('expected text; {"present": true} matches any')
    }
    return part
  }

  /** The same as a regular expression. */
  get regex(): ByteString {
    const any = utf8('[^\\x00]')
    if (this.kind == PartKind.Present) return any.concat(utf8('+'))
    if (this.kind == PartKind.Regex) return utf8('(?:').concat(this.text).concat(utf8(')'))
    const quoted = quote(this.text)
    if (this.kind == PartKind.Prefix) return quoted.concat(any).concat(utf8('*'))
    if (this.kind == PartKind.Suffix) return any.concat(utf8('*')).concat(quoted)
    return quoted
  }
}

/** Kept, since nothing is collected while a configuration is read. */
let parser: Parser | null = null

/** A part becomes a group of a larger expression: by itself it must be one, and must not ask where the text begins or ends. */
function checkPart(value: JsonValue, regex: ByteString): void {
  let known = parser
  if (!known) parser = known = new Parser()
  if (!known.parse(regex)) return value.fail(known.error)
  const ends = Assertion.BeginText | Assertion.EndText | Assertion.BeginLine | Assertion.EndLine
  for (let item = 0; item < known.items.length; item += STRIDE) {
    if (known.items.at(item) != Item.Assertion || !(known.items.at(item + 1) & ends)) continue
    return value.fail('expected no ^, $, \\A and \\z: it must match the whole claim anyway')
  }
}

/** The text as a regular expression that matches just it. */
function quote(text: ByteString): ByteString {
  let quoted = ByteString.empty
  let start = 0
  for (let i = 0; i < text.length; i++) {
    const byte = text.byteAt(i)
    // Bytes of longer characters stay together.
    if (byte > 127 || isWordByte(<u32>byte)) continue
    quoted = quoted.concat(text.slice(start, i)).concat(utf8('\\'))
    start = i
  }
  return quoted.concat(text.slice(start))
}

function isWordByte(byte: u32): bool {
  return (byte | 0x20) - 0x61 < 26 || byte - 0x30 < 10 || byte == 0x5f
}

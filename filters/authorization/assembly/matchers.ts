// The matchers of the configuration, as patterns of a dimension.

import { ByteString, JsonKind, JsonValue, REQUIRED, utf8 } from '@meshscript/sdk'
import { templateToRegex } from '../../common/assembly/path_template'
import { Assertion, Item, Parser, STRIDE } from '../../common/assembly/regex/parser'
import { Dimension } from '../../common/assembly/rules/dimension'
import { PatternKind } from '../../common/assembly/rules/text_patterns'

/** What else than `exact`, `prefix`, `suffix`, `present` and `regex` a field takes, and how it takes them. */
export class MatcherOptions {
  constructor(
    /** `present` is not matched by empty text. */
    readonly isPresentNotEmpty: bool,
    /** Text is compared in lower case. */
    readonly ignoresCase: bool = false,
    /** `template` is allowed. */
    readonly takesTemplates: bool = false,
  ) {}
}

/** Number of the pattern; 0 where the matcher is wrong, which is then reported. */
export function addMatcher(dimension: Dimension, matcher: JsonValue, options: MatcherOptions): i32 {
  const object = matcher.object()
  if (object.length != 1) return refuse(matcher, options)
  const value = object.at(0)
  const name = value.name
  if (name.equals('present')) {
    if (!value.bool()) return refuse(matcher, options)
    return dimension.addPresent(options.isPresentNotEmpty)
  }
  if (name.equals('exact')) return addText(dimension, PatternKind.Exact, value, options)
  if (name.equals('prefix')) return addText(dimension, PatternKind.Prefix, value, options)
  if (name.equals('suffix')) return addText(dimension, PatternKind.Suffix, value, options)
  if (name.equals('regex')) {
    const regex = value.byteString()
    return addRegex(dimension, value, options.ignoresCase ? utf8('(?i)').concat(regex) : regex)
  }
  if (!name.equals('template') || !options.takesTemplates) return refuse(matcher, options)
  const regex = templateToRegex(value.byteString())
  if (regex) return addRegex(dimension, value, regex.view)
  value.fail('expected a path template, e.g. /shops/{*}/orders/{**}')
  return 0
}

function addText(dimension: Dimension, kind: PatternKind, value: JsonValue, options: MatcherOptions): i32 {
  const text = value.byteString()
  if (kind != PatternKind.Exact && text.isEmpty) value.fail('expected text; {"present": true} matches any')
  return dimension.addText(kind, options.ignoresCase ? text.toLowerCase() : text)
}

export function addRegex(dimension: Dimension, value: JsonValue, regex: ByteString): i32 {
  const pattern = dimension.addRegex(regex)
  if (pattern >= 0) return pattern
  value.fail(dimension.regexError)
  return 0
}

function refuse(matcher: JsonValue, options: MatcherOptions): i32 {
  matcher.fail(
    options.takesTemplates
      ? 'expected one of {"exact": …}, {"prefix": …}, {"suffix": …}, {"present": true}, {"regex": …} or {"template": …}'
      : 'expected one of {"exact": …}, {"prefix": …}, {"suffix": …}, {"present": true} or {"regex": …}',
  )
  return 0
}

/** A block of addresses: `10.0.0.0/8`, `::1`. */
export function addBlock(dimension: Dimension, value: JsonValue): i32 {
  const pattern = dimension.addBlock(value.byteString())
  if (pattern >= 0) return pattern
  value.fail('expected an IP address or a block of them, e.g. 10.0.0.0/8')
  return 0
}

/** A port, or `{"from": …, "to": …}`. */
export function addPort(dimension: Dimension, value: JsonValue): i32 {
  if (value.kind != JsonKind.Object) {
    const port = <i32>value.integer(REQUIRED, 0, 65535)
    return dimension.addRange(port, port)
  }
  const from = <i32>value.get('from').integer(REQUIRED, 0, 65535)
  const to = value.get('to')
  const last = <i32>to.integer(REQUIRED, 0, 65535)
  if (last < from) to.fail('expected a port that is not below "from"')
  return dimension.addRange(from, last)
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

// The matchers of the configuration, as patterns of a dimension.

import { ByteString, JsonKind, JsonValue, REQUIRED, utf8 } from '@meshscript/sdk'
import { templateToRegex } from '../path_template'
import { Dimension } from '../rules/dimension'
import { PatternKind } from '../rules/text_patterns'

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
  if (regex) return addRegex(dimension, value, regex)
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

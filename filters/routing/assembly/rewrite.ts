import { Bytes, ByteString, JsonValue } from '@meshscript/sdk'
import { RegexReplacer } from '../../common/assembly/regex/replacer'
import { lengthWithoutQuery, replaceStart } from './paths'

/** What path and authority become before the request goes on. */
@final
export class Rewrite {
  readonly authority: Bytes | null
  private path: Bytes | null
  private prefix: Bytes | null
  private regex: RegexReplacer | null = null

  constructor(json: JsonValue) {
    const authority = json.get('authority')
    const path = json.get('path')
    const prefix = json.get('prefix')
    const regex = json.get('regex')
    this.authority = authority.exists ? authority.bytes() : null
    this.path = path.exists ? path.bytes() : null
    this.prefix = prefix.exists ? prefix.bytes() : null
    if (i32(path.exists) + i32(prefix.exists) + i32(regex.exists) > 1) {
      json.fail('expected only one of "path", "prefix" and "regex"')
    }
    if (path.exists && !this.path!.length) path.fail('expected a path')
    if (regex.exists) this.regex = readRegex(regex)
  }

  /** The new path; null where it stays. `prefixLength`: how much of it was matched, -1 for the whole. */
  pathOf(path: ByteString, prefixLength: i32): ByteString | null {
    const whole = this.path
    if (whole) return replaceStart(path, -1, whole.view)
    const prefix = this.prefix
    // As in Envoy, an empty one is none.
    if (prefix) return prefix.length ? replaceStart(path, prefixLength, prefix.view) : null
    const regex = this.regex
    if (!regex) return null
    const end = lengthWithoutQuery(path)
    const replaced = regex.replace(path.slice(0, end))
    return end == path.length ? replaced : replaced.concat(path.slice(end))
  }
}

function readRegex(json: JsonValue): RegexReplacer {
  const match = json.get('match')
  const substitution = json.get('substitution')
  const replacer = new RegexReplacer()
  if (!replacer.compile(match.byteString(), substitution.byteString())) {
    if (replacer.isOfSubstitution) substitution.fail(replacer.error)
    else match.fail(replacer.error)
  }
  return replacer
}

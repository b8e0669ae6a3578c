import { ByteString, JsonValue } from '@meshscript/sdk'
import { portStart } from '../request/request'
import { Ints } from '../regex/ints'
import { Matches } from '../rules/matches'
import { PatternKind, TextPatterns } from '../rules/text_patterns'

/** No domain matches. */
export const NO_HOST: i32 = -1

/**
 * Which virtual host a name belongs to. As in Envoy an exact domain comes first, then the longest `*.suffix`, the longest `prefix.*`, and at last `*`.
 * The cost grows with the length of the name, not with the number of domains.
 */
@final
export class Domains {
  /** The host of `*`. */
  private fallback: i32 = NO_HOST
  private patterns: TextPatterns = new TextPatterns()
  /** Of each pattern its kind, its length and its host. */
  private entries: Ints = new Ints(48)
  private found: Matches = new Matches(0)

  /** True where every name belongs to one host, so that there is no need to look at it. */
  get isTrivial(): bool {
    return this.entries.length == 0
  }

  /** Adds a domain of a host. */
  add(json: JsonValue, host: i32): void {
    const domain = json.byteString().toLowerCase()
    if (!domain.length) return json.fail('expected a name, *.suffix, prefix.* or *')
    if (domain.equals('*')) {
      if (this.fallback != NO_HOST) json.fail('another virtual host has this domain')
      this.fallback = host
      return
    }
    if (portStart(domain) >= 0) json.fail('expected a name without a port: it plays no part')
    const isSuffix = domain.byteAt(0) == 0x2a
    const isPrefix = !isSuffix && domain.byteAt(domain.length - 1) == 0x2a
    const text = domain.slice(i32(isSuffix), domain.length - i32(isPrefix))
    if (text.indexOfByte(0x2a) >= 0) return json.fail('expected * at one end only')
    const kind = isSuffix ? PatternKind.Suffix : isPrefix ? PatternKind.Prefix : PatternKind.Exact
    const next = this.entries.length / 3
    if (this.patterns.add(kind, text, next) != next) return json.fail('another virtual host has this domain')
    this.entries.push(kind)
    this.entries.push(text.length)
    this.entries.push(host)
  }

  /** Call it once, after the last domain. */
  compile(): void {
    this.found = new Matches(this.entries.length / 3)
  }

  /** The host of a name in lower case and without a port; `NO_HOST` when there is none. */
  find(name: ByteString | null): i32 {
    if (!name || this.isTrivial) return this.fallback
    const found = this.found
    found.clear()
    this.patterns.find(name, found)
    const entries = this.entries
    let host = this.fallback
    let best = -1
    for (let i = 0; i < found.count; i++) {
      const entry = unchecked(found.ids[i]) * 3
      const kind = entries.at(entry)
      const length = entries.at(entry + 1)
      if (kind == PatternKind.Exact) return entries.at(entry + 2)
      // A wildcard stands for at least one character.
      if (length == name.length) continue
      const rank = (kind == PatternKind.Suffix ? 1 << 30 : 0) + length
      if (rank <= best) continue
      best = rank
      host = entries.at(entry + 2)
    }
    return host
  }
}

import { Bytes, ByteString, JsonValue, utf8 } from '@meshscript/sdk'
import {
  HeaderAttribute,
  HeaderOrEmptyAttribute,
  LowerCasePathAttribute,
  MetadataAttribute,
  PathAttribute,
  PeerAttribute,
  QueryParamAttribute,
  ValueKind,
} from '../request/attributes'
import { HeaderDirectory } from '../request/header_directory'
import { addMatcher, MatcherOptions } from '../request/matchers'
import { CurrentRequest } from '../request/request'
import { Attribute, Dimension } from '../rules/dimension'
import { IndexedRule, RuleIndex } from '../rules/rule_index'
import { PatternKind } from '../rules/text_patterns'

const ANY_TEXT = new MatcherOptions(false)
const NOT_EMPTY = new MatcherOptions(true)
const PATH = new MatcherOptions(false, false, true)
const LOWER_CASE_PATH = new MatcherOptions(false, true)

/** What of the request a dimension of a match looks at. Those before `Header` are there once, the others once for each name. */
enum Part {
  Path,
  LowerCasePath,
  Principal,
  Header,
  HeaderOrEmpty,
  QueryParam,
}

/**
 * Reads the `match` of routes and rules into an index: a list of entries of which one must hold, with all its fields. Without a list everything matches.
 *
 * ```ts
 * const matches = new MatchReader<MyRule>(currentRequest(), index)
 * for (let i = 0; i < routes.length; i++) matches.add(routes[i].get('match'), new MyRule(i))
 * index.compile()
 * ```
 */
export class MatchReader<R extends IndexedRule> {
  /** Of the entry that was added last: how many bytes of a path it asks for by `prefix` or `segments`; 1 without a condition on the path; -1 for the whole path. */
  prefixLength: i32 = 1
  private parts: Part[] = []
  private names: Bytes[] = []
  private dimensions: Dimension[] = []

  constructor(
    private request: CurrentRequest,
    private index: RuleIndex<R>,
  ) {
    index.directory = new HeaderDirectory(request)
  }

  /** Adds all entries of a list, or everything where there is none. */
  add(json: JsonValue, rule: R): void {
    if (!json.exists) return this.addEverything(rule)
    const entries = json.array()
    if (!entries.length) json.fail('expected at least one entry; leave the field out where everything matches')
    for (let i = 0; i < entries.length; i++) this.addEntry(entries[i], rule)
  }

  /** Every request matches. */
  addEverything(rule: R): void {
    this.prefixLength = 1
    this.index.beginAlternative(rule)
  }

  /** Adds one entry of a list. */
  addEntry(json: JsonValue, rule: R): void {
    this.index.beginAlternative(rule)
    let count = this.addPath(json.get('path'), json.get('ignoreCase'))
    count += this.addPseudoHeader(json.get('method'), utf8(':method'))
    count += this.addPseudoHeader(json.get('scheme'), utf8(':scheme'))
    count += this.addPseudoHeader(json.get('authority'), utf8(':authority'))
    count += this.addHeaders(json.get('headers'))
    count += this.addWithoutHeaders(json.get('withoutHeaders'))
    count += this.addQueryParams(json.get('queryParams'))
    count += this.addClaims(json.get('claims'))
    const principal = json.get('principal')
    if (principal.exists) this.addCondition(this.dimension(Part.Principal, ByteString.empty), principal, NOT_EMPTY)
    if (count || principal.exists) return
    json.object()
    json.fail('expected a field to compare; leave "match" out where everything matches')
  }

  private addPath(json: JsonValue, ignoreCase: JsonValue): i32 {
    const ignoresCase = ignoreCase.bool(false)
    this.prefixLength = 1
    if (!json.exists) {
      if (ignoresCase) ignoreCase.fail('expected "path" beside it')
      return 0
    }
    const dimension = this.dimension(ignoresCase ? Part.LowerCasePath : Part.Path, ByteString.empty)
    const object = json.object()
    const value = object.at(0)
    const name = value.name
    this.prefixLength = name.equals('prefix') && object.length == 1 ? value.byteString().length : -1
    if (name.equals('segments') && object.length == 1) {
      this.addSegments(dimension, value, ignoresCase)
      return 1
    }
    if (ignoresCase && (name.equals('regex') || name.equals('template'))) {
      ignoreCase.fail('only exact text, prefixes, suffixes and segments are compared so; write (?i) into a regex')
    }
    this.addCondition(dimension, json, ignoresCase ? LOWER_CASE_PATH : PATH)
    return 1
  }

  /** `/foo`: that path, and all below it. */
  private addSegments(dimension: Dimension, json: JsonValue, ignoresCase: bool): void {
    let path = json.byteString()
    if (path.byteAt(0) != 0x2f) return json.fail('expected a path, e.g. /shop')
    if (path.byteAt(path.length - 1) == 0x2f) path = path.slice(0, path.length - 1)
    if (ignoresCase) path = path.toLowerCase()
    this.prefixLength = max(path.length, 1)
    if (path.length) this.index.addPattern(dimension.addText(PatternKind.Exact, path))
    this.index.addPattern(dimension.addText(PatternKind.Prefix, path.concat(utf8('/'))))
    this.index.addCondition(dimension)
  }

  private addPseudoHeader(json: JsonValue, name: ByteString): i32 {
    if (!json.exists) return 0
    this.addCondition(this.dimension(Part.Header, name), json, ANY_TEXT)
    return 1
  }

  private addHeaders(json: JsonValue): i32 {
    const headers = json.optionalObject()
    for (let i = 0; i < headers.length; i++) {
      this.addCondition(this.dimension(Part.Header, headerName(headers[i])), headers[i], ANY_TEXT)
    }
    return headers.length
  }

  /** A header that is missing counts as one without text, unless it is that it must be. */
  private addWithoutHeaders(json: JsonValue): i32 {
    const headers = json.optionalObject()
    for (let i = 0; i < headers.length; i++) {
      const isPresence = headers[i].object().at(0).name.equals('present')
      const part = isPresence ? Part.Header : Part.HeaderOrEmpty
      this.addCondition(this.dimension(part, headerName(headers[i])), headers[i], ANY_TEXT, true)
    }
    return headers.length
  }

  private addQueryParams(json: JsonValue): i32 {
    const params = json.optionalObject()
    for (let i = 0; i < params.length; i++) {
      this.addCondition(this.dimension(Part.QueryParam, params[i].name), params[i], ANY_TEXT)
    }
    return params.length
  }

  private addClaims(json: JsonValue): i32 {
    const claims = json.optionalArray()
    if (json.exists && !claims.length) json.fail('expected at least one claim')
    for (let i = 0; i < claims.length; i++) {
      const dimension = this.index.dimension(claimAttribute(this.request, claims[i].get('claim')))
      this.addCondition(dimension, claims[i].get('value'), NOT_EMPTY)
    }
    return claims.length
  }

  private addCondition(dimension: Dimension, json: JsonValue, options: MatcherOptions, isNegated: bool = false): void {
    this.index.addPattern(addMatcher(dimension, json, options))
    this.index.addCondition(dimension, isNegated)
  }

  /** The dimension of a part, kept: nothing is collected while a configuration is read. */
  private dimension(part: Part, name: ByteString): Dimension {
    for (let i = 0; i < this.parts.length; i++) {
      if (this.parts[i] == part && this.names[i].equals(name)) return this.dimensions[i]
    }
    const kept = name.persist()
    const dimension = this.index.dimension(this.attribute(part, kept))
    this.parts.push(part)
    this.names.push(kept)
    this.dimensions.push(dimension)
    return dimension
  }

  private attribute(part: Part, name: Bytes): Attribute {
    const request = this.request
    if (part == Part.Path) return new PathAttribute(request)
    if (part == Part.LowerCasePath) return new LowerCasePathAttribute(request)
    if (part == Part.Principal) return new PeerAttribute(request)
    if (part == Part.Header) return new HeaderAttribute(request, name)
    if (part == Part.HeaderOrEmpty) return new HeaderOrEmptyAttribute(request, name)
    return new QueryParamAttribute(request, name)
  }
}

/** The claim at a path of names, of the token that Envoy's jwt_authn has verified. */
export function claimAttribute(request: CurrentRequest, json: JsonValue): Attribute {
  return new MetadataAttribute(request, claimPath(json), ValueKind.TextOrList)
}

/** Where the metadata has a claim: a list of names. */
export function claimPath(json: JsonValue): Bytes[] {
  const path = [utf8('envoy.filters.http.jwt_authn').persist(), utf8('payload').persist()]
  const names = json.array()
  if (!names.length) json.fail('expected at least one name')
  for (let i = 0; i < names.length; i++) path.push(names[i].bytes())
  return path
}

/** The name of a member that stands for a header. */
function headerName(json: JsonValue): ByteString {
  const name = json.name
  // Envoy has names in lower case, so that any other would match nothing.
  if (!name.length || !name.toLowerCase().equals(name)) json.fail('expected the name of a header, in lower case')
  return name
}

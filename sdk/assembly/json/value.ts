import { hasConfigurationError } from '../configuration_error'
import { epoch } from '../memory/arena'
import { Bytes, ByteString, utf8, view } from '../memory/bytes'
import {
  beginError,
  endError,
  write,
  writeExcerpt,
  writeExpected,
  writeGot,
  writeKind,
  writeNumber,
  writeQuoted,
} from './error'
import { findMember } from './members'
import { JsonKind, JsonNode } from './node'
import { Fault, fault, toInteger, toNumber } from './number'
import { close, open, touch } from './opening'
import { reportUnknown } from './unknown'

/** In the place of a default: the value must be there. `port.integer(REQUIRED, 1, 65535)` */
// @ts-ignore: decorator
@inline export const REQUIRED: i64 = i64.MIN_VALUE

/**
 * A value of a JSON document: `configuration.json()` and what is in it.
 *
 *     onConfigure(configuration: Configuration): bool {
 *       const json = configuration.json()
 *       this.limit = <u32>json.get('limit').integer(10, 1, 1000)
 *       const rules = json.get('rules').array()
 *       for (let i = 0; i < rules.length; i++) this.paths.push(rules[i].get('path').bytes())
 *       return json.refuseUnknown()
 *     }
 *
 * Values are never null, and reading never fails: where the document is wrong, the first error is reported, with its place
 * and path (`configuration:4:12: rules[3].path: expected string, got number`), which makes the host refuse the configuration.
 * From then on getters answer 0, false or nothing, and no more arrays and objects are read.
 *
 * A value is valid while `onConfigure` runs, or until what it is in is released. What is to be kept are numbers, `string()` and `bytes()`.
 */
// An address that stands for a node: the methods here are all that a filter sees of it.
// @ts-ignore: decorator
@unmanaged
@final
export class JsonValue {
  [key: number]: JsonValue

  /** The value of a node of a document. */
  // @ts-ignore: decorator
  @inline
  static of(node: JsonNode): JsonValue {
    return changetype<JsonValue>(node)
  }

  private get node(): JsonNode {
    const node = changetype<JsonNode>(this)
    if (isDefined(MESHSCRIPT_DEBUG)) {
      if (node.epoch != epoch)
        throw new Error('a JsonValue is used after onConfigure, or after release: keep what it holds instead')
    }
    return node
  }

  /** What the value is. */
  get kind(): JsonKind {
    return this.node.kind
  }

  /** False for a member or an item that is not there. */
  get exists(): bool {
    return this.node.kind != JsonKind.Missing
  }

  /** True for `null`. The getters take that for a value of the wrong kind, not for a missing one. */
  get isNull(): bool {
    return this.node.kind == JsonKind.Null
  }

  /** True when there was an error, here or elsewhere in the configuration. */
  get hasError(): bool {
    return hasConfigurationError()
  }

  /** The name, of a member of an object; else empty. Valid as long as the value. */
  get name(): ByteString {
    return this.node.name
  }

  /** Number of items or members; 0 of what is no array or object. */
  get length(): i32 {
    const node = this.node
    return open(node) ? node.length : 0
  }

  /** The member with this name; a missing value when there is none. An error when this is no object. */
  get<T>(name: T): JsonValue {
    return JsonValue.of(getMember(this.node, view(name)))
  }

  /** The item of an array, or the member of an object in the document's order; a missing value outside. */
  at(index: i32): JsonValue {
    return JsonValue.of(getItem(this.node, index))
  }

  // @ts-ignore: decorator
  @operator('[]')
  private __get(index: i32): JsonValue {
    return this.at(index)
  }

  /** This array, which must be there: for its `length` and items. */
  array(): JsonValue {
    return this.container(JsonKind.Array, false)
  }

  /** This array, or no items when it is missing. */
  optionalArray(): JsonValue {
    return this.container(JsonKind.Array, true)
  }

  /** This object, which must be there: for its `length` and members, each with its `name`. */
  object(): JsonValue {
    return this.container(JsonKind.Object, false)
  }

  /** This object, or no members when it is missing. */
  optionalObject(): JsonValue {
    return this.container(JsonKind.Object, true)
  }

  private container(kind: JsonKind, isOptional: bool): JsonValue {
    return this.is(kind, isOptional) ? this : JsonValue.of(JsonNode.create(this.node))
  }

  /** `true` or `false`. With a default it may be missing. */
  bool<T = i32>(fallback: T = <T>-1): bool {
    if (this.is(JsonKind.Boolean, <i32>fallback >= 0)) return this.node.length != 0
    return this.isAbsent && <i32>fallback > 0
  }

  /** The nearest double. With a default it may be missing; one that no double can hold (`1e999`) is an error. */
  number(fallback: f64 = NaN): f64 {
    const node = this.node
    if (!this.is(JsonKind.Number, fallback == fallback)) return this.isAbsent ? fallback : 0
    const value = toNumber(node.ptr, node.ptr + node.length)
    if (abs(value) != Infinity) return value
    if (beginError(node)) {
      writeExpected()
      write(utf8('a number that fits into 64 bits'))
      got(node)
    }
    return 0
  }

  /**
   * An integer from `min` to `max`, exact over all 64 bits. `1e3` and `2.0` are integers too.
   *
   * @param fallback What it is when missing; `REQUIRED` (or nothing) when it must be there.
   */
  integer(fallback: i64 = REQUIRED, min: i64 = i64.MIN_VALUE, max: i64 = i64.MAX_VALUE): i64 {
    const node = this.node
    if (!this.is(JsonKind.Number, fallback != REQUIRED)) return this.isAbsent ? fallback : 0
    const value = toInteger(node.ptr, node.ptr + node.length)
    const isLow = fault == Fault.TooSmall || value < min
    if (fault == Fault.None && !isLow && value <= max) return value
    if (beginError(node)) {
      writeExpected()
      write(utf8('integer'))
      if (fault != Fault.NotAnInteger) {
        write(isLow ? utf8(' of at least ') : utf8(' of at most '))
        writeNumber(isLow ? min : max)
      }
      got(node)
    }
    return 0
  }

  /** A copy of a string's UTF-8 bytes, to be kept. With a default (a `string` or bytes) it may be missing. */
  bytes<T = ByteString | null>(fallback: T = changetype<T>(0)): Bytes {
    return this.byteString(fallback).persist()
  }

  /** A string's UTF-8 bytes, valid while `onConfigure` runs. With a default it may be missing. */
  byteString<T = ByteString | null>(fallback: T = changetype<T>(0)): ByteString {
    const other = changetype<ByteString | null>(view(fallback))
    if (this.is(JsonKind.String, other !== null)) return this.node.bytes
    return other && this.isAbsent ? other : ByteString.empty
  }

  /** A string in UTF-16. With a default it may be missing. */
  string(fallback: string | null = null): string {
    if (this.is(JsonKind.String, fallback !== null)) return this.node.bytes.toString()
    return fallback && this.isAbsent ? fallback : ''
  }

  /**
   * Which of the given strings it is: the index. `json.get('mode').oneOf(['enforce', 'audit'])`
   *
   * @param fallback The index when it is missing; -1 (or nothing) when it must be there.
   */
  oneOf(names: string[], fallback: i32 = -1): i32 {
    const node = this.node
    if (!this.is(JsonKind.String, fallback >= 0)) return this.isAbsent ? fallback : 0
    for (let i = 0; i < names.length; i++) {
      if (node.bytes.equals(unchecked(names[i]))) return i
    }
    if (beginError(node)) {
      writeExpected()
      for (let i = 0; i < names.length; i++) {
        if (i) write(i + 1 < names.length ? utf8(', ') : utf8(' or '))
        writeQuoted(view(unchecked(names[i])))
      }
      got(node)
    }
    return 0
  }

  /** Reports an error of the filter's own at this place: `rules[3].path: must begin with /`. */
  fail<T>(message: T): void {
    if (beginError(this.node)) {
      write(view(message))
      endError()
    }
  }

  /**
   * Reports the first member that nobody asked for, in this value and what is in it; a misspelt name is one.
   * Looks into those objects only that `get` was used on. False when there is an error, this or an earlier one.
   */
  refuseUnknown(): bool {
    reportUnknown(this.node)
    return !hasConfigurationError()
  }

  /**
   * Frees what was read of this array or object, so that a large configuration needs little memory: `rule.release()`,
   * once a rule is read. First reports unknown members in it, as `refuseUnknown` does; that of a parent does not look
   * into it again.
   *
   * Values and `byteString()`s that were read in it are no longer valid, nor is anything else that the host has handed
   * over since. Between reading in it and this, ask nothing of its parents, or the memory is not freed.
   */
  release(): void {
    if (this.refuseUnknown()) close(this.node)
  }

  /** True where a getter answers its default: not after an error. */
  private get isAbsent(): bool {
    return this.node.kind == JsonKind.Missing && !hasConfigurationError()
  }

  private is(kind: JsonKind, isOptional: bool): bool {
    return isOfKind(this.node, kind, isOptional)
  }
}

/** True for a value of this kind. Reports one of another kind, and a missing one unless it is optional. */
function isOfKind(node: JsonNode, kind: JsonKind, isOptional: bool): bool {
  if (node.kind == kind) return true
  if (node.kind == JsonKind.Missing) {
    if (!isOptional) reportMissing(node)
  } else if (beginError(node)) {
    writeExpected()
    writeKind(kind)
    writeGot()
    writeKind(node.kind)
    endError()
  }
  return false
}

function reportMissing(node: JsonNode): void {
  // Of `a.b`, where there is no `a`, it is `a` that is missing.
  let parent = node.parent
  while (parent && parent.kind == JsonKind.Missing) {
    node = parent
    parent = node.parent
  }
  if (!parent || !beginError(parent)) return
  if (parent.kind == JsonKind.Array) {
    write(utf8('missing item '))
    writeNumber(node.key)
  } else {
    write(utf8('missing field '))
    writeQuoted(node.name)
  }
  endError()
}

/** Ends a message with the value's own text. */
function got(node: JsonNode): void {
  writeGot()
  if (node.kind == JsonKind.String) writeQuoted(node.bytes)
  else writeExcerpt(node.bytes)
  endError()
}

function getMember(node: JsonNode, name: ByteString): JsonNode {
  if (isOfKind(node, JsonKind.Object, true)) {
    node.isOpened = true
    const member = open(node) ? findMember(node, name) : null
    if (member) {
      member.isAsked = true
      return member
    }
  }
  touch(node)
  const missing = JsonNode.create(node)
  missing.namePtr = name.ptr
  missing.nameLength = name.length
  missing.next = node.first
  node.first = missing
  return missing
}

function getItem(node: JsonNode, index: i32): JsonNode {
  if (open(node) && <u32>index < <u32>node.length) {
    const item = node.item(index)
    item.isAsked = true
    return item
  }
  const missing = JsonNode.create(node)
  missing.key = index
  return missing
}

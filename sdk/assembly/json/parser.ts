// JSON text (RFC 8259, UTF-8) to nodes. Never traps: what is wrong is reported as a configuration error.
//
// The document is checked as a whole before anything is made of it. A node is made for an item when its array or object
// is opened, so that a large document needs little memory. To check an array or object is to scan it, without nodes;
// where that fails, its items are read again, with nodes, so that the error can be told with its path.

import { reportConfigurationError } from '../configuration_error'
import { allocate, mark, rewind } from '../memory/arena'
import { ByteString, utf8 } from '../memory/bytes'
import { beginErrorAt, endError, write, writeExpected, writeGot, writeQuoted } from './error'
import { indexItems } from './members'
import { JsonKind, JsonNode, outOfMemory } from './node'
import { forget, open } from './opening'
import { isStruct } from './struct'
import { isSurrogate, readHex4, sequenceLength, unescape, writeCodePoint } from './unicode'

/** How many arrays and objects may be in one another. The stack holds many more. */
// @ts-ignore: decorator
@inline const MAX_DEPTH: i32 = 64

/** Names that a scan remembers: of one object, which it compares with each other, and at all. */
// @ts-ignore: decorator
@inline const MAX_OWN_NAMES: usize = 64
// @ts-ignore: decorator
@inline const MAX_NAMES: usize = 512

/** What is read next, and the end of the text. */
let at: usize = 0
let end: usize = 0
/** What is read was checked before. */
let isChecked: bool = false
/** Errors are not reported: what fails is read again. */
let isScanning: bool = false

/** The node of every value that is scanned. */
const scanned = changetype<JsonNode>(memory.data(64, 8))
/** Hashes of the names in the objects around what is scanned. */
const names: usize = memory.data(2048, 4)
let namesEnd: usize = names
/** Before the string that a scan has decoded last; 0 when there is none. */
let decoded: usize = 0

/** The root of the document. Of one with an error, which is then reported, a missing value. No text at all means `{}`. */
export function parseDocument(text: ByteString): JsonNode {
  if (!text.length) text = utf8('{}')
  const root = JsonNode.create(null)
  root.nameStart = root.start = at = text.ptr
  end = at + text.length
  isChecked = false
  if (isStruct(at, end)) {
    reportConfigurationError(
      utf8('the configuration is a binary google.protobuf.Struct: wrap its JSON in google.protobuf.StringValue'),
    )
  } else if (readValue(root, 0)) {
    skipBlanks()
    if (at == end) {
      if (root.isContainer) open(root)
      return root
    }
    expected(root, utf8('the end'))
  }
  const failed = JsonNode.create(null)
  failed.nameStart = failed.start = text.ptr
  return failed
}

/** Reads the items of an array or object that was checked. False when there is no room for them. */
export function readOpened(node: JsonNode): bool {
  isChecked = true
  at = node.start + 1
  // Of a text that was checked, nothing asks for its end.
  end = usize.MAX_VALUE
  return readItems(node, 0)
}

/** Reads the value whose node is given; an array or object is only checked. False when there is an error. */
function readValue(node: JsonNode, depth: i32): bool {
  skipBlanks()
  if (node.isSpare) return false
  node.start = at
  const byte = peek()
  if (byte == 0x7b || byte == 0x5b) {
    if (depth == MAX_DEPTH) return failAt(node, at, utf8('nested too deeply'))
    node.kind = byte == 0x7b ? JsonKind.Object : JsonKind.Array
    if (isChecked) {
      skip()
      return true
    }
    at++
    return isScanning ? scanItems(byte, depth + 1) : checkItems(node, depth + 1)
  }
  if (byte == 0x22) {
    node.kind = JsonKind.String
    return readString(node, node.bytes)
  }
  if (byte == 0x2d || isDigit(byte)) {
    node.kind = JsonKind.Number
    return readNumber(node)
  }
  if (end - at >= 4) {
    const word = load<u32>(at)
    if (word == 0x6c6c756e) {
      node.kind = JsonKind.Null
      at += 4
      return true
    }
    if (word == 0x65757274) {
      node.kind = JsonKind.Boolean
      node.length = 1
      at += 4
      return true
    }
    if (word == 0x736c6166 && end - at > 4 && load<u8>(at, 4) == 0x65) {
      node.kind = JsonKind.Boolean
      at += 5
      return true
    }
  }
  return expected(node, utf8('a value'))
}

/** Goes behind an array or object that was checked. */
function skip(): void {
  let depth = 0
  do {
    // Square brackets differ from curly ones in this bit.
    const byte = load<u8>(at++)
    if (byte == 0x22) skipString()
    else if ((byte | 0x20) == 0x7b) depth++
    else if ((byte | 0x20) == 0x7d) depth--
  } while (depth)
}

function skipString(): void {
  let byte: u32
  while ((byte = load<u8>(at++)) != 0x22) if (byte == 0x5c) at++
}

/** Checks what is between the brackets, and the closing one. */
function checkItems(node: JsonNode, depth: i32): bool {
  isScanning = true
  namesEnd = names
  const isSound = scanItems(load<u8>(node.start), depth)
  isScanning = false
  forgetDecoded()
  if (isSound) return true
  // There is an error, or more than a scan can tell.
  at = node.start + 1
  const start = mark()
  if (!start) return outOfMemory()
  if (!readItems(node, depth)) return false
  rewind(start)
  forget(node)
  return true
}

/** As `readItems`, without nodes. Also false when it can't tell whether there is an error. */
function scanItems(opening: u32, depth: i32): bool {
  const closing = opening + 2
  const own = namesEnd
  skipBlanks()
  if (peek() != closing) {
    while (true) {
      if (opening == 0x7b && !scanName(own)) return false
      if (!readValue(scanned, depth)) return false
      forgetDecoded()
      skipBlanks()
      if (peek() != 0x2c) break
      at++
    }
  }
  if (peek() != closing) return false
  namesEnd = own
  at++
  return true
}

/** Reads a name, of an object whose names begin at `own`. */
function scanName(own: usize): bool {
  if (!readName(scanned, scanned)) return false
  forgetDecoded()
  const hash = scanned.key
  const stop = namesEnd
  if (stop == names + (MAX_NAMES << 2) || stop == own + (MAX_OWN_NAMES << 2)) return false
  for (let other = own; other < stop; other += 4) if (load<u32>(other) == hash) return false
  store<u32>(stop, hash)
  namesEnd = stop + 4
  return true
}

function forgetDecoded(): void {
  if (!decoded) return
  rewind(decoded)
  decoded = 0
}

/** Reads what is between the brackets, and the closing one. */
function readItems(node: JsonNode, depth: i32): bool {
  const isObject = node.kind == JsonKind.Object
  const closing: u32 = isObject ? 0x7d : 0x5d
  let last: JsonNode | null = null
  skipBlanks()
  if (peek() != closing) {
    while (true) {
      const item = JsonNode.create(node)
      if (item.isSpare) return false
      item.key = node.length
      if (isObject && !readName(node, item)) return false
      if (last) last.next = item
      else node.first = item
      last = item
      if (!readValue(item, depth)) return false
      node.length++
      skipBlanks()
      if (peek() != 0x2c) break
      at++
    }
  }
  if (peek() != closing) return expected(node, isObject ? utf8('"," or "}"') : utf8('"," or "]"'))
  at++
  return layOut(node)
}

/** Reads `"name" :`. */
function readName(node: JsonNode, item: JsonNode): bool {
  skipBlanks()
  if (peek() != 0x22) return expected(node, utf8('a name in quotes'))
  item.nameStart = at
  if (!readString(node, item.name)) return false
  item.key = item.name.hash()
  skipBlanks()
  if (peek() != 0x3a) return expected(item, utf8('":"'))
  at++
  return true
}

function layOut(node: JsonNode): bool {
  const duplicate = indexItems(node)
  if (duplicate) return failAt(duplicate, duplicate.nameStart, utf8('duplicate field'))
  return node.ptr != 0 || outOfMemory()
}

/** Reads a string, whose decoded bytes `text` becomes a view of: of the document itself where nothing is escaped. */
function readString(node: JsonNode, text: ByteString): bool {
  const start = ++at
  let isEscaped = false
  while (true) {
    const byte = peek()
    if (byte == 0x22) break
    if (byte < 0x20) {
      return at < end
        ? failAt(node, at, utf8('control character in a string'))
        : failAt(node, start - 1, utf8('string without an end'))
    }
    if (byte == 0x5c) {
      // What the escape says is looked at when it is decoded.
      isEscaped = true
      at++
      if (peek() == 0x22 || peek() == 0x5c) at++
      continue
    }
    const length = sequenceLength(at, end)
    if (!length) return failAt(node, at, utf8('invalid UTF-8'))
    at += length
  }
  text.ptr = start
  text.length = <i32>(at - start)
  at++
  return !isEscaped || decode(node, text)
}

/** Decodes escapes into a copy, which is never longer than the text. */
function decode(node: JsonNode, text: ByteString): bool {
  if (isScanning) decoded = mark()
  const copy = allocate(text.length)
  if (!copy) return outOfMemory()
  const stop = text.ptr + text.length
  let to = copy
  for (let from = text.ptr; from < stop;) {
    let code = <i32>load<u8>(from++)
    if (code != 0x5c) {
      store<u8>(to++, code)
      continue
    }
    const start = from - 1
    code = unescape(load<u8>(from++))
    if (code == 0x75) {
      code = readHex4(from, stop)
      from += 4
      // Of a surrogate pair, the other half. Behind the string's end is a quote, so nothing is read that is not there.
      if ((code & 0xfffffc00) == 0xd800 && load<u8>(from) == 0x5c && load<u8>(from, 1) == 0x75) {
        const low = readHex4(from + 2, stop) - 0xdc00
        if (<u32>low < 0x400) {
          code = 0x10000 + ((code - 0xd800) << 10) + low
          from += 6
        }
      }
      if (isSurrogate(code)) code = -1
    }
    if (code < 0) return failAt(node, start, utf8('invalid escape'))
    to = writeCodePoint(to, code)
  }
  text.ptr = copy
  text.length = <i32>(to - copy)
  return true
}

function readNumber(node: JsonNode): bool {
  if (peek() == 0x2d) at++
  if (peek() == 0x30) {
    at++
  } else if (!readDigits(node)) {
    return false
  }
  if (peek() == 0x2e) {
    at++
    if (!readDigits(node)) return false
  }
  if ((peek() | 0x20) == 0x65) {
    at++
    if (peek() == 0x2b || peek() == 0x2d) at++
    if (!readDigits(node)) return false
  }
  node.ptr = node.start
  node.length = <i32>(at - node.start)
  return true
}

function readDigits(node: JsonNode): bool {
  if (!isDigit(peek())) return expected(node, utf8('a digit'))
  while (isDigit(peek())) at++
  return true
}

function skipBlanks(): void {
  while (peek() == 0x20 || peek() - 0x09 < 2 || peek() == 0x0d) at++
}

/** The next byte; 0 at the end, which is no character that JSON has. */
function peek(): u32 {
  return at < end ? <u32>load<u8>(at) : 0
}

function isDigit(byte: u32): bool {
  return byte - 0x30 < 10
}

/** Reports what was expected, and the character that is there instead. */
function expected(node: JsonNode, what: ByteString): bool {
  if (isScanning || !beginErrorAt(node, at)) return false
  writeExpected()
  write(what)
  writeGot()
  if (at == end) write(utf8('the end'))
  else {
    const length = <i32>sequenceLength(at, end)
    if (length) writeQuoted(ByteString.at(at, length))
    else write(utf8('invalid UTF-8'))
  }
  endError()
  return false
}

function failAt(node: JsonNode, position: usize, message: ByteString): bool {
  if (!isScanning && beginErrorAt(node, position)) {
    write(message)
    endError()
  }
  return false
}

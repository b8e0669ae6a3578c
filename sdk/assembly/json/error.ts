// Messages about a configuration: `configuration:LINE:COLUMN: rules[3].path: expected string, got number`.
// The place is worked out only here, when there is something to say.

import { hasConfigurationError, reportConfigurationError } from '../configuration_error'
import { ByteString, utf8 } from '../memory/bytes'
import { JsonKind, JsonNode } from './node'

// @ts-ignore: decorator
@inline const SIZE: usize = 1024
/** Of a name or a value, what a message shows at most. */
// @ts-ignore: decorator
@inline const EXCERPT: i32 = 64
/** Room that a path leaves for what comes after it. */
// @ts-ignore: decorator
@inline const RESERVE: usize = 400

const buffer: usize = memory.data(1024)
let out: usize = 0
let limit: usize = 0

/** Begins a message about a value, at its own place. False when there was an error before, which is the one to report. */
export function beginError(node: JsonNode): bool {
  // A missing value has no place: the object that misses it has.
  let at: JsonNode | null = node
  while (at && !at.start) at = at.parent
  return at !== null && beginErrorAt(node, at.start)
}

/** As `beginError`, at a place in the text. */
export function beginErrorAt(node: JsonNode, position: usize): bool {
  if (hasConfigurationError()) return false
  let root = node
  while (root.parent) root = root.parent!
  out = buffer
  limit = buffer + SIZE - RESERVE
  write(utf8('configuration:'))
  writePosition(root.nameStart, position)
  if (node.parent) {
    write(utf8(': '))
    writePath(node)
  }
  limit = buffer + SIZE
  write(utf8(': '))
  return true
}

/** Reports the message that was begun and written. */
export function endError(): void {
  const message = ByteString.at(buffer, <i32>(out - buffer))
  message.epoch = 0
  reportConfigurationError(message)
}

/** Adds text to the message. What does not fit is cut off. */
export function write(text: ByteString): void {
  for (let i = 0; i < text.length; i++) writeByte(text.byteAt(i))
}

export function writeNumber(value: i64): void {
  let rest = <u64>value
  if (value < 0) {
    writeByte(0x2d)
    rest = 0 - rest
  }
  let unit: u64 = 1
  while (rest / unit > 9) unit *= 10
  for (; unit; unit /= 10) writeByte(0x30 + <i32>((rest / unit) % 10))
}

export function writeExpected(): void {
  write(utf8('expected '))
}

export function writeGot(): void {
  write(utf8(', got '))
}

export function writeKind(kind: JsonKind): void {
  const names = utf8('missing null boolean number string array object ')
  let i = 0
  for (; kind; i++) if (names.byteAt(i) == 0x20) kind--
  for (; names.byteAt(i) != 0x20; i++) writeByte(names.byteAt(i))
}

/** Adds a piece of the configuration: on one line, and not all of it when it is long. */
export function writeExcerpt(text: ByteString): void {
  for (let i = 0; i < text.length; i++) {
    const byte = text.byteAt(i)
    if (i >= EXCERPT && (byte & 0xc0) != 0x80) return write(utf8('…'))
    writeByte(byte < 0x20 || byte == 0x7f ? 0x3f : byte)
  }
}

export function writeQuoted(text: ByteString): void {
  writeByte(0x22)
  writeExcerpt(text)
  writeByte(0x22)
}

function writeByte(byte: i32): void {
  // A character that may not fit ends the message, so that none is cut in two.
  if (byte >= 0xc0 && out + 4 > limit) limit = out
  if (out < limit) store<u8>(out++, byte)
}

/** Line and column, both from 1. A column is a character, however many bytes it has. */
function writePosition(start: usize, position: usize): void {
  let line = 1
  let column = 1
  for (let at = start; at < position; at++) {
    const byte = load<u8>(at)
    if (byte == 0x0a) {
      line++
      column = 1
    } else if ((byte & 0xc0) != 0x80) {
      column++
    }
  }
  writeNumber(line)
  writeByte(0x3a)
  writeNumber(column)
}

function writePath(node: JsonNode): void {
  const parent = node.parent!
  if (parent.parent) writePath(parent)
  if (parent.kind == JsonKind.Array) {
    writeByte(0x5b)
    writeNumber(node.key)
    writeByte(0x5d)
  } else if (isPlain(node.name)) {
    if (parent.parent) writeByte(0x2e)
    write(node.name)
  } else {
    writeByte(0x5b)
    writeQuoted(node.name)
    writeByte(0x5d)
  }
}

/** True for names that read well in a path as they are. */
function isPlain(name: ByteString): bool {
  for (let i = 0; i < name.length; i++) {
    const byte = <u32>name.byteAt(i)
    if ((byte | 0x20) - 0x61 > 25 && byte - 0x30 > 9 && byte != 0x5f && byte != 0x2d) return false
  }
  return name.length > 0 && name.length <= EXCERPT
}

import { ByteString, utf8 } from '@meshscript/sdk'
import { Writer } from '../export/writer'
import { RequestRecord } from './record'
import { writeTime } from './time'

/** Bytes of a value that lines have, in both formats. */
export const MAX_VALUE: i32 = 8192

const SPACE: u8 = 0x20
const QUOTE: u8 = 0x22

/** Istio's default format, without the line feed. */
export function writeText(line: Writer, record: RequestRecord): void {
  line.byte(0x5b)
  writeTime(line, record.startTime)
  line.byte(0x5d).byte(SPACE)
  line.byte(QUOTE)
  plain(line, record.method)
  line.byte(SPACE)
  plain(line, record.path)
  line.byte(SPACE)
  plain(line, record.protocol)
  line.byte(QUOTE).byte(SPACE).int(record.responseCode).byte(SPACE).raw(record.responseFlags).byte(SPACE)
  word(line, record.responseCodeDetails)
  line.byte(SPACE)
  plain(line, record.connectionTerminationDetails)
  line.byte(SPACE).byte(QUOTE)
  word(line, record.upstreamTransportFailureReason)
  line.byte(QUOTE).byte(SPACE).int(record.bytesReceived).byte(SPACE).int(record.bytesSent).byte(SPACE)
  if (record.duration >= 0) line.int(record.duration)
  else line.byte(0x2d)
  line.byte(SPACE)
  plain(line, record.upstreamServiceTime)
  quoted(line, record.forwardedFor)
  quoted(line, record.userAgent)
  quoted(line, record.requestId)
  quoted(line, record.authority)
  quoted(line, record.upstreamHost)
  spaced(line, record.upstreamCluster)
  spaced(line, record.upstreamLocalAddress)
  spaced(line, record.downstreamLocalAddress)
  spaced(line, record.downstreamRemoteAddress)
  spaced(line, record.requestedServerName)
  spaced(line, record.routeName)
}

function spaced(line: Writer, value: ByteString | null): void {
  line.byte(SPACE)
  plain(line, value)
}

function quoted(line: Writer, value: ByteString | null): void {
  line.byte(SPACE).byte(QUOTE)
  plain(line, value)
  line.byte(QUOTE)
}

/** As it is, quotes too; `-` where there is none. What would end the line, or do something to a terminal, is written as `\x0a`. */
function plain(line: Writer, value: ByteString | null): void {
  if (!value) {
    line.byte(0x2d)
    return
  }
  const length = min(value.length, MAX_VALUE)
  let from = 0
  for (let i = 0; i < length; i++) {
    const byte = load<u8>(value.ptr + i)
    if (!isControl(byte)) continue
    line
      .raw(value.slice(from, i))
      .raw(utf8('\\x'))
      .byte(digit(byte >> 4))
      .byte(digit(byte & 15))
    from = i + 1
  }
  line.raw(value.slice(from, length))
}

/** The same for a value that has `_` in place of spaces. */
function word(line: Writer, value: ByteString | null): void {
  plain(line, withoutSpaces(value))
}

/** As Envoy writes details and reasons. */
export function withoutSpaces(value: ByteString | null): ByteString | null {
  if (!value) return null
  for (let i = 0; i < value.length; i++) if (isSpace(load<u8>(value.ptr + i))) return replaceSpaces(value)
  return value
}

function replaceSpaces(value: ByteString): ByteString {
  const copy = value.slice(0, MAX_VALUE).concat(ByteString.empty)
  for (let i = 0; i < copy.length; i++) if (isSpace(load<u8>(copy.ptr + i))) store<u8>(copy.ptr + i, 0x5f)
  return copy
}

// @ts-ignore: decorator
@inline
function isSpace(byte: u8): bool {
  return byte == SPACE || (byte >= 0x09 && byte <= 0x0d)
}

/** Of a hexadecimal number. */
export function digit(value: u8): u8 {
  return value < 10 ? 0x30 + value : 0x57 + value
}

// @ts-ignore: decorator
@inline
function isControl(byte: u8): bool {
  return (byte < SPACE && byte != 0x09) || byte == 0x7f
}

import { ByteString, utf8 } from '@meshscript/sdk'
import { sequenceLength, Writer } from '../export/writer'
import { RequestRecord } from './record'
import { digit, MAX_VALUE, withoutSpaces } from './text'
import { writeTime } from './time'

/** Istio's JSON format, with the members in Envoy's order: by name. */
export function writeJson(line: Writer, record: RequestRecord): void {
  text(line, utf8('{"authority":'), record.authority)
  number(line, utf8(',"bytes_received":'), record.bytesReceived)
  number(line, utf8(',"bytes_sent":'), record.bytesSent)
  text(line, utf8(',"connection_termination_details":'), record.connectionTerminationDetails)
  text(line, utf8(',"downstream_local_address":'), record.downstreamLocalAddress)
  text(line, utf8(',"downstream_remote_address":'), record.downstreamRemoteAddress)
  if (record.duration >= 0) number(line, utf8(',"duration":'), record.duration)
  else text(line, utf8(',"duration":'), null)
  text(line, utf8(',"method":'), record.method)
  text(line, utf8(',"path":'), record.path)
  text(line, utf8(',"protocol":'), record.protocol)
  text(line, utf8(',"request_id":'), record.requestId)
  text(line, utf8(',"requested_server_name":'), record.requestedServerName)
  number(line, utf8(',"response_code":'), record.responseCode)
  text(line, utf8(',"response_code_details":'), withoutSpaces(record.responseCodeDetails))
  text(line, utf8(',"response_flags":'), record.responseFlags)
  text(line, utf8(',"route_name":'), record.routeName)
  line.raw(utf8(',"start_time":"'))
  writeTime(line, record.startTime)
  line.byte(0x22)
  text(line, utf8(',"upstream_cluster":'), record.upstreamCluster)
  text(line, utf8(',"upstream_host":'), record.upstreamHost)
  text(line, utf8(',"upstream_local_address":'), record.upstreamLocalAddress)
  text(line, utf8(',"upstream_service_time":'), record.upstreamServiceTime)
  text(line, utf8(',"upstream_transport_failure_reason":'), withoutSpaces(record.upstreamTransportFailureReason))
  text(line, utf8(',"user_agent":'), record.userAgent)
  text(line, utf8(',"x_forwarded_for":'), record.forwardedFor)
  line.byte(0x7d)
}

function text(line: Writer, name: ByteString, value: ByteString | null): void {
  line.raw(name)
  if (!value) {
    line.raw(utf8('null'))
    return
  }
  line.byte(0x22)
  const kept = cut(value)
  if (isPlain(kept)) line.raw(kept)
  else escaped(line, kept)
  line.byte(0x22)
}

/** Not longer than a value may be, without a part of a character at the end. */
function cut(value: ByteString): ByteString {
  if (value.length <= MAX_VALUE) return value
  let end = MAX_VALUE
  while (end > MAX_VALUE - 3 && (value.byteAt(end) & 0xc0) == 0x80) end--
  return value.slice(0, end)
}

function isPlain(value: ByteString): bool {
  for (let i = 0; i < value.length; i++) {
    const byte = load<u8>(value.ptr + i)
    if (byte < 0x20 || byte > 0x7e || byte == 0x22 || byte == 0x5c) return false
  }
  return true
}

function isUtf8(value: ByteString): bool {
  const end = value.ptr + value.length
  for (let at = value.ptr; at < end;) {
    const size = load<u8>(at) < 0x80 ? 1 : sequenceLength(at, end)
    if (!size) return false
    at += size
  }
  return true
}

/** As Envoy: bytes of what is no UTF-8 are taken for characters of Latin-1. */
function escaped(line: Writer, value: ByteString): void {
  const isText = isUtf8(value)
  for (let i = 0; i < value.length; i++) {
    const byte = load<u8>(value.ptr + i)
    const letter = shortEscape(byte)
    if (letter) line.byte(0x5c).byte(letter)
    else if (byte < 0x20 || (byte >= 0x80 && !isText))
      line
        .raw(utf8('\\u00'))
        .byte(digit(byte >> 4))
        .byte(digit(byte & 15))
    else line.byte(byte)
  }
}

/** What stands behind the backslash; 0 where there is no short form. */
function shortEscape(byte: u8): u8 {
  switch (byte) {
    case 0x08:
      return 0x62
    case 0x09:
      return 0x74
    case 0x0a:
      return 0x6e
    case 0x0c:
      return 0x66
    case 0x0d:
      return 0x72
    case 0x22:
    case 0x5c:
      return byte
    default:
      return 0
  }
}

function number(line: Writer, name: ByteString, value: i64): void {
  line.raw(name).int(value)
}

// Lines about requests that are refused, would be, or were not as a rule wants them: enough to see who is turned away and why, and never so many
// that a flood of refusals becomes a flood of lines.

import { Bytes, ByteString, currentTime, log, LogLevel, property, utf8 } from '@meshscript/sdk'
import { CurrentRequest } from './request/request'

/** Lines per second and VM. */
const MAX_LINES: u32 = 10
const SECOND: u64 = 1_000_000_000
/** Bytes of one value in a line. */
const MAX_VALUE: i32 = 256

/** One second's lines, and how many were left out since the last one. One object serves a plugin. */
@final
export class DecisionLog {
  private second: u64 = 0
  private lines: u32 = 0
  private omitted: u64 = 0

  constructor(
    /** What it is that has decided, e.g. `policy`. */
    private subject: Bytes = Bytes.from('policy'),
  ) {}

  /** A request was refused: `verdict` is `denied`. In audit mode it was let pass all the same: `audited`. */
  refused(verdict: ByteString, decider: ByteString, request: CurrentRequest): void {
    if (!this.isDue()) return
    const line = new Line()
    line.text(verdict)
    this.write(LogLevel.Warn, line, decider, request)
  }

  /** A header was not as a rule wants it (`onMismatch: LOG`). Its value is not told: it may be a secret. */
  mismatched(header: ByteString, decider: ByteString, request: CurrentRequest): void {
    if (!this.isDue()) return
    const line = new Line()
    line.text(utf8('mismatched header='))
    line.value(header)
    this.write(LogLevel.Info, line, decider, request)
  }

  /** Whether there is room for a line in this second; else it is counted. */
  private isDue(): bool {
    const now = currentTime()
    // A clock that was set back begins a new second too.
    if (now - this.second >= SECOND) {
      this.second = now
      this.lines = 0
    }
    if (this.lines < MAX_LINES) {
      this.lines++
      return true
    }
    this.omitted++
    return false
  }

  private write(level: LogLevel, line: Line, decider: ByteString, request: CurrentRequest): void {
    line.text(utf8(' '))
    line.text(this.subject.view)
    line.text(utf8('='))
    line.value(decider)
    const method = request.headers.get(utf8(':method'))
    if (method) {
      line.text(utf8(' method='))
      line.value(method)
    }
    // Without the query, which may hold tokens.
    const path = request.path
    if (path) {
      line.text(utf8(' path='))
      line.value(path)
    }
    const peer = property.connectionUriSanPeerCertificate()
    if (peer && !peer.isEmpty) {
      line.text(utf8(' peer='))
      line.value(peer)
    }
    if (this.omitted) {
      line.text(utf8(' omitted='))
      line.number(this.omitted)
      this.omitted = 0
    }
    log.write(level, line.view)
  }
}

/** Room for one line: a few short words, and five values of which each byte may take four. */
// @ts-ignore: decorator
@inline const LINE_SIZE: i32 = 5 * (4 * MAX_VALUE + 8) + 128

const buffer = memory.data(LINE_SIZE)

/** The line that is written. Lines share one buffer, as one is written at a time. */
@final
class Line {
  private at: usize = buffer

  get view(): ByteString {
    return ByteString.at(buffer, <i32>(this.at - buffer))
  }

  /** Text of our own. */
  text(text: ByteString): void {
    if (this.at + text.length > buffer + LINE_SIZE) return
    memory.copy(this.at, text.ptr, text.length)
    this.at += text.length
  }

  /** Text that a client may have chosen: cut, and escaped so that it can neither end the line nor pass for another field of it. */
  value(value: ByteString): void {
    const length = min(value.length, MAX_VALUE)
    if (this.at + 4 * length + 3 > buffer + LINE_SIZE) return
    for (let i = 0; i < length; i++) {
      const byte = <u32>value.byteAt(i)
      if (byte > 0x20 && byte < 0x7f && byte != 0x5c) {
        store<u8>(this.at++, byte)
        continue
      }
      store<u8>(this.at, 0x5c)
      store<u8>(this.at + 1, 0x78)
      store<u8>(this.at + 2, hexadecimal(byte >> 4))
      store<u8>(this.at + 3, hexadecimal(byte & 15))
      this.at += 4
    }
    if (value.length > MAX_VALUE) this.text(utf8('…'))
  }

  number(value: u64): void {
    let divisor: u64 = 1
    while (value / divisor >= 10) divisor *= 10
    for (; divisor; divisor /= 10) store<u8>(this.at++, 0x30 + <u8>((value / divisor) % 10))
  }
}

function hexadecimal(digit: u32): u8 {
  return <u8>(digit < 10 ? 0x30 + digit : 0x57 + digit)
}

import { ByteString, utf8 } from '@meshscript/sdk'
import { Writer } from '../export/writer'

/** A longer URL is cut there. */
const MAX_AUTHORITY: i32 = 256
const MAX_PATH: i32 = 2048

/** The URL of a request, without what may be secret in it. */
@final
export class Url {
  private scheme: ByteString = ByteString.empty
  private authority: ByteString = ByteString.empty
  private path: ByteString = ByteString.empty

  /** `hasQuery`: it is no secret. */
  constructor(private hasQuery: bool) {}

  /** Reads one; its parts are empty where the request has none. */
  read(scheme: ByteString, authority: ByteString, path: ByteString): void {
    this.scheme = scheme.isEmpty ? utf8('http') : scheme
    // Without user and password.
    this.authority = authority.slice(authority.lastIndexOfByte(0x40) + 1)
    this.path = this.hasQuery ? path : path.slice(0, queryStart(path))
  }

  /** Writes it without quotes: `http://cart.shop/items`; nothing of a request that had no authority. */
  write(line: Writer): void {
    if (this.authority.isEmpty) return
    line.escaped(this.scheme, 16).raw(utf8('://')).escaped(this.authority, MAX_AUTHORITY)
    // Those of OPTIONS * and CONNECT begin with none.
    if (!this.path.isEmpty && this.path.byteAt(0) != 0x2f) line.byte(0x2f)
    line.escaped(this.path, MAX_PATH)
  }
}

/** Where the query or a fragment begins. */
function queryStart(path: ByteString): i32 {
  for (let i = 0; i < path.length; i++) {
    const byte = path.byteAt(i)
    if (byte == 0x3f || byte == 0x23) return i
  }
  return path.length
}

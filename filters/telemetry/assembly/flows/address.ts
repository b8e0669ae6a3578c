import { ByteString } from '@meshscript/sdk'

/** An address with its port, as Envoy writes it: `10.0.0.1:80`, `[::1]:80`. Of others, as of a Unix domain socket, `ip` is empty. */
@final
export class Address {
  ip: ByteString = ByteString.empty
  port: ByteString = ByteString.empty
  isV6: bool = false

  /** Reads one. */
  read(text: ByteString | null): void {
    this.ip = ByteString.empty
    this.port = ByteString.empty
    this.isV6 = false
    if (!text) return
    const colon = text.lastIndexOfByte(0x3a)
    if (colon <= 0 || !isNumber(text, colon + 1)) return
    this.isV6 = text.byteAt(0) == 0x5b
    if (this.isV6 && text.byteAt(colon - 1) != 0x5d) return
    this.ip = this.isV6 ? text.slice(1, colon - 1) : text.slice(0, colon)
    this.port = text.slice(colon + 1)
  }
}

/** Whether all from there on, five at most, are digits. */
function isNumber(text: ByteString, from: i32): bool {
  for (let i = from; i < text.length; i++) if (<u32>(text.byteAt(i) - 0x30) > 9) return false
  return from < text.length && text.length - from <= 5
}

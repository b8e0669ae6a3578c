import { ByteString } from '@meshscript/sdk'
import { random } from '../../common/assembly/random'
import { storeHex } from './hex'

const text = memory.data(36)
const digits = memory.data(32)

/** A random UUID (version 4), valid until the next one. */
export function uuid(): ByteString {
  const high = (random().bits() & 0xffff_ffff_ffff_0fff) | 0x4000
  const low = (random().bits() & 0x3fff_ffff_ffff_ffff) | 0x8000_0000_0000_0000
  storeHex(storeHex(digits, high), low)
  memory.copy(text, digits, 8)
  store<u8>(text + 8, 0x2d)
  memory.copy(text + 9, digits + 8, 4)
  store<u8>(text + 13, 0x2d)
  memory.copy(text + 14, digits + 12, 4)
  store<u8>(text + 18, 0x2d)
  memory.copy(text + 19, digits + 16, 4)
  store<u8>(text + 23, 0x2d)
  memory.copy(text + 24, digits + 20, 12)
  return ByteString.at(text, 36)
}

// Dynamic metadata, as other filters leave it: serialized protobuf, read where it lies.
//   Metadata { map<string, Struct> filter_metadata = 1 }, Struct { map<string, Value> fields = 1 },
//   Value { oneof { … string string_value = 3; Struct struct_value = 5; ListValue list_value = 6 } }, ListValue { repeated Value values = 1 }
// A map is a repeated message with key 1 and value 2, of which the last one with a key counts.

import { Bytes, ByteString, property, protobufBytes, utf8 } from '@meshscript/sdk'
import { Dimension } from '../rules/dimension'

const STRING: u32 = 3
const STRUCT: u32 = 5
const LIST: u32 = 6

/** The metadata of the request. */
@final
export class DynamicMetadata {
  private isRead: bool = false
  private message: ByteString | null = null

  forget(): void {
    this.isRead = false
    this.message = null
  }

  /** The value at a path: the name of a filter, then of fields. A serialized `Value`; null when there is none. */
  find(path: Bytes[]): ByteString | null {
    if (!this.isRead) {
      this.isRead = true
      this.message = property.get(utf8('metadata'))
    }
    const message = this.message
    if (!message || path.length < 2) return null
    let struct = entry(message, unchecked(path[0]).view)
    let value: ByteString | null = null
    for (let i = 1; i < path.length; i++) {
      if (!struct) return null
      value = entry(struct, unchecked(path[i]).view)
      struct = value ? protobufBytes(value, STRUCT) : null
    }
    return value
  }
}

/** The text of a value that is one. */
export function textOf(value: ByteString): ByteString | null {
  return protobufBytes(value, STRING)
}

/** Gives the texts of a value that is a list to a dimension. */
export function giveList(value: ByteString, dimension: Dimension): void {
  const list = protobufBytes(value, LIST)
  if (!list) return
  const items = new Fields(list)
  while (items.next()) {
    const text = textOf(items.bytes)
    if (text) dimension.text(text)
  }
}

/** The value of a key in a message whose only field is a map. */
function entry(map: ByteString, key: ByteString): ByteString | null {
  let found: ByteString | null = null
  const entries = new Fields(map)
  while (entries.next()) {
    const name = protobufBytes(entries.bytes, 1)
    if (name ? name.equals(key) : key.isEmpty) found = protobufBytes(entries.bytes, 2)
  }
  return found
}

/** Goes through the fields with number 1 of a message that has no others. */
@final
class Fields {
  bytes: ByteString = ByteString.empty
  private at: usize
  private end: usize

  constructor(message: ByteString) {
    this.at = message.ptr
    this.end = message.ptr + message.length
  }

  /** False at the end, and where the message is not as it should be. */
  next(): bool {
    if (this.at >= this.end || load<u8>(this.at++) != 0x0a) return false
    let size: u32 = 0
    for (let shift: u32 = 0; shift < 32 && this.at < this.end; shift += 7) {
      const byte = <u32>load<u8>(this.at++)
      size |= (byte & 0x7f) << shift
      if (byte < 128) break
    }
    if (<usize>size > this.end - this.at) return false
    this.bytes = ByteString.at(this.at, size)
    this.at += size
    return true
  }
}

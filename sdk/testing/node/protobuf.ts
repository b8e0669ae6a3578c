/** As much of protobuf's encoding as the host needs. */

export interface ProtoField {
  number: number
  /** Varint, or bytes. */
  value: bigint | Buffer
}

/** Undefined for what is not a message. */
export function parseMessage(bytes: Buffer): ProtoField[] | undefined {
  const fields: ProtoField[] = []
  let at = 0
  const varint = (): bigint | undefined => {
    let result = 0n
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = bytes[at++]
      if (byte === undefined) return undefined
      result |= BigInt(byte & 0x7f) << shift
      if (byte < 0x80) return result
    }
    return undefined
  }
  while (at < bytes.length) {
    const tag = varint()
    if (tag === undefined || tag >> 3n === 0n) return undefined
    const wire = Number(tag & 7n)
    let value: bigint | Buffer | undefined
    if (wire === 0) value = varint()
    else if (wire === 1 || wire === 2 || wire === 5) {
      const size = wire === 2 ? varint() : wire === 1 ? 8n : 4n
      if (size === undefined || BigInt(bytes.length - at) < size) return undefined
      value = bytes.subarray(at, (at += Number(size)))
    }
    if (value === undefined) return undefined
    fields.push({ number: Number(tag >> 3n), value })
  }
  return fields
}

/** Fields that are false, zero or empty are left out, as proto3 has it. */
export function encodeMessage(fields: readonly (readonly [number, string | Uint8Array | number | boolean | bigint])[]) {
  const parts: Buffer[] = []
  for (const [number, value] of fields) {
    if (typeof value === 'string' || value instanceof Uint8Array) {
      const data = typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value)
      if (data.length > 0) parts.push(encodeVarint((number << 3) | 2), encodeVarint(data.length), data)
    } else if (BigInt(value) !== 0n) parts.push(encodeVarint(number << 3), encodeVarint(BigInt(value)))
  }
  return Buffer.concat(parts)
}

function encodeVarint(value: number | bigint): Buffer {
  const bytes: number[] = []
  let rest = BigInt.asUintN(64, BigInt(value))
  do {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    bytes.push(rest > 0n ? low | 0x80 : low)
  } while (rest > 0n)
  return Buffer.from(bytes)
}

/** A message's field, the last one if it is there several times. */
export function fieldBytes(fields: readonly ProtoField[], number: number): Buffer {
  const found = fields.findLast((field) => field.number === number)?.value
  return Buffer.isBuffer(found) ? found : Buffer.alloc(0)
}

export function fieldNumber(fields: readonly ProtoField[], number: number): number {
  const found = fields.findLast((field) => field.number === number)?.value
  return typeof found === 'bigint' ? Number(found) : 0
}

/** JSON as a binary google.protobuf.Struct. */
export function encodeStruct(object: Record<string, unknown>): Buffer {
  return encodeFields(
    Object.entries(object).map(([key, value]) => [
      1,
      encodeFields([
        [1, Buffer.from(key)],
        [2, encodeValue(value)],
      ]),
    ]),
  )
}

/** Fields that are there even when they are empty, as keys and values of maps are. */
export function encodeFields(fields: readonly (readonly [number, Buffer])[]): Buffer {
  return Buffer.concat(
    fields.flatMap(([number, data]) => [encodeVarint((number << 3) | 2), encodeVarint(data.length), data]),
  )
}

function encodeValue(value: unknown): Buffer {
  if (value === null || value === undefined) return Buffer.from([0x08, 0])
  if (typeof value === 'number') {
    const bytes = Buffer.alloc(9)
    bytes[0] = 0x11
    bytes.writeDoubleLE(value, 1)
    return bytes
  }
  if (typeof value === 'boolean') return Buffer.from([0x20, value ? 1 : 0])
  if (typeof value === 'string') return encodeFields([[3, Buffer.from(value)]])
  if (Array.isArray(value)) return encodeFields([[6, encodeFields(value.map((item) => [1, encodeValue(item)]))]])
  return encodeFields([[5, encodeStruct(value as Record<string, unknown>)]])
}

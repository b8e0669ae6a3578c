/** Header maps as bytes: count, lengths, then names and values, each behind it a NUL. */

export type Pair = [name: string, value: string]

/** The host's limits for what comes from a guest. */
const MAX_BYTES = 1 << 20
const MAX_COUNT = 1024

export function serializePairs(pairs: readonly (readonly [string, string])[]): Buffer {
  let size = 4
  for (const [name, value] of pairs) size += 8 + name.length + 1 + value.length + 1
  const buffer = Buffer.allocUnsafe(size)
  buffer.writeUInt32LE(pairs.length, 0)
  let lengths = 4
  let at = 4 + 8 * pairs.length
  for (const [name, value] of pairs) {
    buffer.writeUInt32LE(name.length, lengths)
    buffer.writeUInt32LE(value.length, lengths + 4)
    lengths += 8
    at += buffer.write(name, at, 'latin1')
    buffer[at++] = 0
    at += buffer.write(value, at, 'latin1')
    buffer[at++] = 0
  }
  return buffer
}

/** Anything malformed is an empty map: the guest gets no error. */
export function parsePairs(bytes: Buffer): Pair[] {
  const size = bytes.length
  if (size < 4 || size > MAX_BYTES) return []
  const count = bytes.readUInt32LE(0)
  let at = 4 + 8 * count
  if (count > MAX_COUNT || at > size) return []
  const pairs: Pair[] = []
  /** One name or value; undefined where it does not fit or has no NUL behind it. */
  const text = (length: number): string | undefined => {
    const end = at + length
    if (end + 1 > size || bytes[end] !== 0) return undefined
    const value = bytes.toString('latin1', at, end)
    at = end + 1
    return value
  }
  for (let i = 0; i < count; i++) {
    const name = text(bytes.readUInt32LE(4 + 8 * i))
    const value = name === undefined ? undefined : text(bytes.readUInt32LE(8 + 8 * i))
    if (name === undefined || value === undefined) return []
    pairs.push([name, value])
  }
  return at === size ? pairs : []
}

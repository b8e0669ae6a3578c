/** Values of attributes and expressions, and the bytes in which a guest gets them. */
import type { HeaderMap } from './header_map.ts'
import { serializePairs } from './pairs.ts'

/** Strings are bytes, a character each; a bigint is an integer, a duration or a time in nanoseconds. */
export type CelValue = string | bigint | number | boolean | null | CelMap | CelList | CelMessage

/** What can be indexed by name. */
export abstract class CelMap {
  abstract get(key: string): CelValue | undefined
  abstract entries(): (readonly [string, CelValue])[]
}

export class CelRecord extends CelMap {
  readonly #values: ReadonlyMap<string, CelValue>

  constructor(values: Iterable<readonly [string, CelValue]>) {
    super()
    this.#values = new Map(values)
  }
  override get(key: string): CelValue | undefined {
    return this.#values.get(key)
  }
  override entries(): (readonly [string, CelValue])[] {
    return [...this.#values]
  }
}

/** Headers: several lines of a name are one value, joined by commas. */
export class CelHeaders extends CelMap {
  readonly #map: HeaderMap | undefined

  constructor(map: HeaderMap | undefined) {
    super()
    this.#map = map
  }
  override get(key: string): CelValue | undefined {
    return this.#map?.joined(key)
  }
  override entries(): (readonly [string, CelValue])[] {
    const names = new Set(this.#map?.entries.map(([name]) => name))
    return [...names].map((name) => [name, this.#map!.joined(name)!])
  }
}

/** A family of attributes, e.g. `request`: each is computed when it is asked for, and the whole has no bytes. */
export class CelGroup extends CelMap {
  readonly #find: (name: string) => CelValue | undefined

  constructor(find: (name: string) => CelValue | undefined) {
    super()
    this.#find = find
  }
  override get(key: string): CelValue | undefined {
    return this.#find(key)
  }
  override entries(): (readonly [string, CelValue])[] {
    throw new Error('a family of attributes cannot be listed')
  }
}

export class CelList {
  readonly items: readonly CelValue[]

  constructor(items: readonly CelValue[]) {
    this.items = items
  }
}

/** A protobuf message: its bytes, and the fields that can be read. */
export class CelMessage {
  readonly bytes: Buffer
  readonly #fields: Record<string, CelValue>

  constructor(bytes: Buffer, fields: Record<string, CelValue> = {}) {
    this.bytes = bytes
    this.#fields = fields
  }
  get(field: string): CelValue | undefined {
    return Object.hasOwn(this.#fields, field) ? this.#fields[field] : undefined
  }
}

/** Undefined for what has no bytes: null and families of attributes. */
export function serializeCel(value: CelValue): Buffer | string | undefined {
  if (typeof value === 'string') return value
  if (value === null || value instanceof CelGroup) return undefined
  if (typeof value === 'boolean') return value ? '\x01' : '\x00'
  if (value instanceof CelMessage) return value.bytes
  if (value instanceof CelMap) return serializeEntries(value.entries())
  if (value instanceof CelList) return serializeEntries(value.items.map((item) => [item, '']))
  const buffer = Buffer.alloc(8)
  if (typeof value === 'bigint') buffer.writeBigUInt64LE(BigInt.asUintN(64, value))
  else buffer.writeDoubleLE(value)
  return buffer
}

function serializeEntries(entries: readonly (readonly [CelValue, CelValue])[]): Buffer | undefined {
  const pairs: [string, string][] = []
  for (const [key, value] of entries) {
    const first = serializeCel(key)
    const second = serializeCel(value)
    if (first === undefined || second === undefined) return undefined
    pairs.push([asText(first), asText(second)])
  }
  return serializePairs(pairs)
}

const asText = (bytes: Buffer | string) => (typeof bytes === 'string' ? bytes : bytes.toString('latin1'))

/** A value from JSON, as protobuf's Struct has it: numbers are doubles. Text becomes UTF-8. */
export function celFromJson(value: unknown): CelValue {
  if (typeof value === 'string') return Buffer.from(value, 'utf8').toString('latin1')
  if (typeof value === 'number' || typeof value === 'boolean' || typeof value === 'bigint') return value
  if (value instanceof Uint8Array) return Buffer.from(value).toString('latin1')
  if (Array.isArray(value)) return new CelList(value.map(celFromJson))
  if (value && typeof value === 'object') {
    return new CelRecord(Object.entries(value).map(([key, item]) => [key, celFromJson(item)] as const))
  }
  return null
}

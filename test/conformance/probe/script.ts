/** What the probe filter shall do, and how it is told. */

/** A host function of the probe (`./assembly/operations.ts`) with its arguments. A leading `~` keeps it out of the log. */
export type Operation = readonly [name: string, ...args: (string | number | bigint | Uint8Array)[]]

/**
 * Operations by callback. `NAME#N` is for the Nth call of the callback in one context only.
 * A callback that is not here leaves no line and answers as a filter without it.
 */
export type Script = Readonly<Record<string, readonly Operation[]>>

const MAGIC = 'PRB1'

/** The script as the probe's configuration. */
export function encodeScript(script: Script): Buffer {
  const operations = Object.entries(script).flatMap(([callback, list]) =>
    // A callback without operations is still to be written down.
    (list.length > 0 ? list : [['~nothing'] as const]).map((operation) => [callback, ...operation]),
  )
  const chunks = [Buffer.from(MAGIC), u32(operations.length)]
  for (const parts of operations) {
    chunks.push(u32(parts.length))
    for (const part of parts) {
      const bytes = part instanceof Uint8Array ? part : Buffer.from(String(part))
      chunks.push(u32(bytes.length), Buffer.from(bytes))
    }
  }
  return Buffer.concat(chunks)
}

/** A block of pairs as the ABI has them. None: no bytes. */
export function pairs(entries: Readonly<Record<string, string>> | readonly (readonly [string, string])[]): Buffer {
  const list = (Array.isArray(entries) ? entries : Object.entries(entries)) as readonly (readonly [string, string])[]
  if (list.length === 0) return Buffer.alloc(0)
  const texts = list.map((pair) => pair.map((text) => Buffer.from(text)))
  const sizes = texts.flatMap((pair) => pair.map((text) => u32(text.length)))
  const data = texts.flatMap((pair) => pair.map((text) => Buffer.concat([text, Buffer.alloc(1)])))
  return Buffer.concat([u32(list.length), ...sizes, ...data])
}

/** A path of a property: segments divided by NUL. */
export const path = (...segments: string[]) => segments.join('\0')

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}

/** Status codes of the ABI, as they stand in the log. */
export const OK = 0
export const NOT_FOUND = 1
export const BAD_ARGUMENT = 2

/** Header maps. */
export const REQUEST_HEADERS = 0
export const REQUEST_TRAILERS = 1
export const RESPONSE_HEADERS = 2
export const RESPONSE_TRAILERS = 3
export const GRPC_INITIAL = 4
export const GRPC_TRAILING = 5
export const CALL_HEADERS = 6
export const CALL_TRAILERS = 7

/** Buffers. */
export const REQUEST_BODY = 0
export const RESPONSE_BODY = 1
export const DOWNSTREAM_DATA = 2
export const UPSTREAM_DATA = 3
export const CALL_BODY = 4
export const GRPC_MESSAGE = 5
export const VM_CONFIGURATION = 6
export const PLUGIN_CONFIGURATION = 7

/** Streams. */
export const REQUEST = 0
export const RESPONSE = 1
export const DOWNSTREAM = 2
export const UPSTREAM = 3

/** Everything that there is, for sizes. */
export const ALL = 0xffffffff
/** No gRPC status. */
export const NO_GRPC = -1

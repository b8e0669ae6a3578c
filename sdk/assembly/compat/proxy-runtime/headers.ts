// Header maps: as functions, as `stream_context`, and as lists of pairs.

import * as host from '../../abi/hostcalls'
import { allocate } from '../../memory/arena'
import { ByteString, encode } from '../../memory/bytes'
import { HeaderMapTypeValues, WasmResultValues } from './enums'
import { check, OUT, OUT_SIZE, takeBufferIf } from './results'

export class HeaderPair {
  constructor(
    public key: ArrayBuffer,
    public value: ArrayBuffer,
  ) {}

  toString(): string {
    return `${String.UTF8.decode(this.key)}:${String.UTF8.decode(this.value)}`
  }
}

export type Headers = Array<HeaderPair>

/** The ABI's encoding: count, sizes, then each name and value with a NUL behind it. */
export function encodeHeaders(headers: Headers): ByteString {
  if (!headers.length) return ByteString.empty
  let size = 4
  for (let i = 0; i < headers.length; i++) size += headers[i].key.byteLength + headers[i].value.byteLength + 10
  const start = allocate(size)
  if (!start) return ByteString.empty
  store<u32>(start, headers.length)
  let sizes = start + 4
  let at = sizes + 8 * headers.length
  for (let i = 0; i < headers.length; i++) {
    const key = headers[i].key
    const value = headers[i].value
    store<u32>(sizes, key.byteLength)
    store<u32>(sizes, value.byteLength, 4)
    sizes += 8
    at = writePart(writePart(at, key), value)
  }
  return ByteString.at(start, size)
}

function writePart(at: usize, part: ArrayBuffer): usize {
  memory.copy(at, changetype<usize>(part), part.byteLength)
  store<u8>(at + part.byteLength, 0)
  return at + part.byteLength + 1
}

function decodeHeaders(bytes: ArrayBuffer): Headers {
  const headers: Headers = []
  if (bytes.byteLength < 4) return headers
  const start = changetype<usize>(bytes)
  const count = load<i32>(start)
  let at = 4 + 8 * count
  for (let i = 0; i < count; i++) {
    const keyEnd = at + load<i32>(start + 8 * i, 4)
    const valueEnd = keyEnd + 1 + load<i32>(start + 8 * i, 8)
    headers.push(new HeaderPair(bytes.slice(at, keyEnd), bytes.slice(keyEnd + 1, valueEnd)))
    at = valueEnd + 1
  }
  return headers
}

export function add_header_map_value(typ: HeaderMapTypeValues, key: ArrayBuffer, value: ArrayBuffer): WasmResultValues {
  return host.add_header_map_value(
    typ,
    changetype<usize>(key),
    key.byteLength,
    changetype<usize>(value),
    value.byteLength,
  )
}

export function add_header_map_value_string(typ: HeaderMapTypeValues, key: string, value: string): WasmResultValues {
  const k = encode(key)
  const v = encode(value)
  return host.add_header_map_value(typ, k.ptr, k.length, v.ptr, v.length)
}

/** No bytes when there is no such header. */
export function get_header_map_value(typ: HeaderMapTypeValues, key: ArrayBuffer): ArrayBuffer {
  return takeBufferIf(host.get_header_map_value(typ, changetype<usize>(key), key.byteLength, OUT, OUT_SIZE))
}

export function replace_header_map_value(typ: HeaderMapTypeValues, key: ArrayBuffer, value: ArrayBuffer): void {
  check(
    'proxy_replace_header_map_value',
    host.replace_header_map_value(
      typ,
      changetype<usize>(key),
      key.byteLength,
      changetype<usize>(value),
      value.byteLength,
    ),
  )
}

export function replace_header_map_value_string(typ: HeaderMapTypeValues, key: string, value: string): void {
  const k = encode(key)
  const v = encode(value)
  check('proxy_replace_header_map_value', host.replace_header_map_value(typ, k.ptr, k.length, v.ptr, v.length))
}

export function remove_header_map_value(typ: HeaderMapTypeValues, key: ArrayBuffer): void {
  check('proxy_remove_header_map_value', host.remove_header_map_value(typ, changetype<usize>(key), key.byteLength))
}

export function remove_header_map_value_string(typ: HeaderMapTypeValues, key: string): void {
  const k = encode(key)
  check('proxy_remove_header_map_value', host.remove_header_map_value(typ, k.ptr, k.length))
}

/** Bytes of the map; 0 when it is not open. */
export function get_header_map_size(typ: HeaderMapTypeValues): usize {
  store<u32>(OUT, 0)
  check('proxy_get_header_map_size', host.get_header_map_size(typ, OUT))
  return load<u32>(OUT)
}

/** One header map of the current stream, or of the answer that a callback is about. */
class HeaderStreamManipulator {
  constructor(public typ: HeaderMapTypeValues) {}

  /** Adds a line, beside those of the same name. */
  add(key: string, value: string): void {
    add_header_map_value_string(this.typ, key, value)
  }

  /** Sets a header to one value, whether or not it was there. */
  replace(key: string, value: string): void {
    replace_header_map_value_string(this.typ, key, value)
  }

  /** The first value; empty when there is no such header. */
  get(key: string): string {
    const k = encode(key)
    return String.UTF8.decode(takeBufferIf(host.get_header_map_value(this.typ, k.ptr, k.length, OUT, OUT_SIZE)))
  }

  remove(key: string): void {
    remove_header_map_value_string(this.typ, key)
  }

  /** All lines. */
  get_headers(): Headers {
    return decodeHeaders(takeBufferIf(host.get_header_map_pairs(this.typ, OUT, OUT_SIZE)))
  }

  /** Replaces all lines; pseudo-headers must be among them. */
  set_headers(headers: Headers): void {
    const bytes = encodeHeaders(headers)
    check('proxy_set_header_map_pairs', host.set_header_map_pairs(this.typ, bytes.ptr, bytes.length))
  }
}

/** The header maps, or the trailers, of the current stream and of the HTTP callout that was answered. */
class HeaderMapManipulator {
  constructor(
    public request: HeaderStreamManipulator,
    public response: HeaderStreamManipulator,
    public http_callback: HeaderStreamManipulator,
  ) {}
}

class StreamContext {
  constructor(
    public headers: HeaderMapManipulator,
    public trailers: HeaderMapManipulator,
  ) {}
}

/** The current stream. */
export const stream_context = new StreamContext(
  new HeaderMapManipulator(
    new HeaderStreamManipulator(HeaderMapTypeValues.RequestHeaders),
    new HeaderStreamManipulator(HeaderMapTypeValues.ResponseHeaders),
    new HeaderStreamManipulator(HeaderMapTypeValues.HttpCallResponseHeaders),
  ),
  new HeaderMapManipulator(
    new HeaderStreamManipulator(HeaderMapTypeValues.RequestTrailers),
    new HeaderStreamManipulator(HeaderMapTypeValues.ResponseTrailers),
    new HeaderStreamManipulator(HeaderMapTypeValues.HttpCallResponseTrailers),
  ),
)

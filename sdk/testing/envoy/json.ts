/** Envoy configuration is plain JSON here: what matters is Envoy's own validation, not a copy of its thousand types. */
export type Json = Record<string, unknown>

/** A `google.protobuf.Any` in JSON. */
export function typed(type: string, body: Json = {}): Json {
  return { '@type': `type.googleapis.com/${type}`, ...body }
}

/** An extension: its name and its typed configuration. */
export function extension(name: string, type: string, body: Json = {}): Json {
  return { name, typed_config: typed(type, body) }
}

/** `base` with `extra` on top: objects are merged, lists appended, anything else replaced. */
export function merge(base: Json, extra: Json = {}): Json {
  const result: Json = { ...base }
  for (const [key, value] of Object.entries(extra)) {
    const old = result[key]
    if (Array.isArray(old) && Array.isArray(value)) result[key] = [...(old as unknown[]), ...(value as unknown[])]
    else if (isObject(old) && isObject(value)) result[key] = merge(old, value)
    else result[key] = value
  }
  return result
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Header maps. */
import { MAP_TYPE_MAX, Status } from '../abi.ts'
import type { Context } from '../context.ts'
import type { HeaderMap } from '../header_map.ts'
import { hostcall } from '../hostcall.ts'
import { serializePairs } from '../pairs.ts'

export const headers = {
  /** Envoy gives the bytes of names and values, not the number of headers. */
  get_header_map_size: hostcall(['map'], ['u32'], (context, type) => {
    const map = context.mutableMap(type)
    return map ? [map.byteSize] : Status.BadArgument
  }),
  get_header_map_pairs: hostcall(['map'], ['bytes'], (context, type) => {
    if (type > MAP_TYPE_MAX) return Status.BadArgument
    const map = context.map(type)
    return [map && map.size > 0 ? serializePairs(map.entries) : '']
  }),
  set_header_map_pairs: hostcall(['map', 'pairs'], [], (context, type, pairs) =>
    change(context, type, (map) => map.replaceAll(pairs)),
  ),
  get_header_map_value: hostcall(['map', 'text'], ['bytes'], (context, type, name) => {
    if (type > MAP_TYPE_MAX) return Status.BadArgument
    const map = context.map(type)
    if (!map && !context.logging) return Status.BadArgument
    const value = map?.get(name)
    if (value !== undefined) return [value]
    return context.vm.abi === '0.1.0' ? [''] : Status.NotFound
  }),
  add_header_map_value: hostcall(['map', 'text', 'text'], [], (context, type, name, value) =>
    change(context, type, (map) => map.add(name, value)),
  ),
  replace_header_map_value: hostcall(['map', 'text', 'text'], [], (context, type, name, value) =>
    change(context, type, (map) => map.set(name, value)),
  ),
  remove_header_map_value: hostcall(['map', 'text'], [], (context, type, name) =>
    change(context, type, (map) => map.remove(name)),
  ),
}

function change(context: Context, type: number, apply: (map: HeaderMap) => void): number {
  const map = context.mutableMap(type)
  if (!map) return Status.BadArgument
  apply(map)
  context.headersChanged(type)
  return Status.Ok
}

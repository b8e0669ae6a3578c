import { MapType, Status } from './abi/enums'
import * as host from './abi/hostcalls'
import { allocate } from './memory/arena'
import { ByteString, slot, utf8, view } from './memory/bytes'
import { Headers, Pairs } from './memory/pairs'

/**
 * The headers or trailers of the stream whose callback runs.
 *
 * A map is open only in its own phase: Envoy closes it when the callback that it belongs to has answered `Continue`.
 * Request headers can still be read later (from properties; several values of a name come joined by commas), but no longer changed:
 * changes answer `Status.BadArgument`.
 *
 * Names are written in lower case; Envoy compares them without regard to case.
 */
// An address that stands for the map's number plus one: nothing is stored, and no map is null.
// @ts-ignore: decorator
@unmanaged
@final
export class HeaderMap {
  // @ts-ignore: decorator
  @inline
  static of(map: MapType): HeaderMap {
    return changetype<HeaderMap>(<usize>map + 1)
  }

  // @ts-ignore: decorator
  @inline
  private get map(): u32 {
    return <u32>changetype<usize>(this) - 1
  }

  /** Number of lines, pseudo-headers included; 0 when the map is closed. */
  get size(): u32 {
    const out = changetype<usize>(slot())
    return host.get_header_map_size(this.map, out) == Status.Ok ? load<u32>(out) : 0
  }

  /** The first value of a header, or null when there is none. An empty value is an empty view, not null. */
  get<T>(name: T): ByteString | null {
    return getValue(this.map, view(name))
  }

  /** The value of a header that is taken for present; empty when it is not. */
  getOrEmpty<T>(name: T): ByteString {
    const value = getValue(this.map, view(name))
    return value ? value : ByteString.empty
  }

  has<T>(name: T): bool {
    return getValue(this.map, view(name)) !== null
  }

  /** All lines, in one hostcall: cheaper than a second `get`. Empty when the map is closed. */
  all(): Pairs {
    const bytes = slot()
    const out = changetype<usize>(bytes)
    host.get_header_map_pairs(this.map, out, out + offsetof<ByteString>('length'))
    return Pairs.decode(bytes)
  }

  /** Adds a line, beside those of the same name. */
  add<N, V>(name: N, value: V): Status {
    const n = view(name)
    const v = view(value)
    return changed(this.map, host.add_header_map_value(this.map, n.ptr, n.length, v.ptr, v.length))
  }

  /** Sets a header to one value, whether or not it was there. */
  set<N, V>(name: N, value: V): Status {
    const n = view(name)
    const v = view(value)
    return changed(this.map, host.replace_header_map_value(this.map, n.ptr, n.length, v.ptr, v.length))
  }

  /** Removes all lines of a name. */
  remove<T>(name: T): Status {
    const n = view(name)
    return changed(this.map, host.remove_header_map_value(this.map, n.ptr, n.length))
  }

  /** Replaces the whole map. For request and response headers `lines` must name the pseudo-headers too. */
  setAll(lines: Headers): Status {
    const bytes = lines.encode()
    return changed(this.map, host.set_header_map_pairs(this.map, bytes.ptr, bytes.length))
  }
}

function getValue(map: u32, name: ByteString): ByteString | null {
  const value = slot()
  const out = changetype<usize>(value)
  const status = host.get_header_map_value(map, name.ptr, name.length, out, out + offsetof<ByteString>('length'))
  if (status == Status.Ok) return value
  return status == Status.BadArgument && map == MapType.RequestHeaders ? getFromProperty(name) : null
}

/** Request headers after their phase. */
function getFromProperty(name: ByteString): ByteString | null {
  const prefix = utf8('request\0headers\0')
  const path = allocate(prefix.length + name.length)
  if (!path) return null
  memory.copy(path, prefix.ptr, prefix.length)
  memory.copy(path + prefix.length, name.ptr, name.length)
  const value = slot()
  const out = changetype<usize>(value)
  const status = host.get_property(path, prefix.length + name.length, out, out + offsetof<ByteString>('length'))
  return status == Status.Ok ? value : null
}

/** A change that came too late is a mistake in the filter, which would otherwise go unseen. */
function changed(map: u32, status: Status): Status {
  if (status == Status.BadArgument) {
    const text =
      map == MapType.RequestHeaders || map == MapType.ResponseHeaders
        ? utf8('headers can only be changed in their own callback, before it answers Continue')
        : utf8('trailers can only be changed in their own callback')
    host.log(3, text.ptr, text.length)
  }
  return status
}

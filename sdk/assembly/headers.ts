import { LogLevel, MapType, Status } from './abi/enums'
import * as host from './abi/hostcalls'
import { entryStamp, noteChange } from './entry_stamp'
import { ByteString, slot, utf8, view } from './memory/bytes'
import { Headers, Pairs } from './memory/pairs'

/** What `all()` read last, and when. */
let lastStamp: u32 = 0
let lastMap: HeaderMap = changetype<HeaderMap>(0)
let lastPairs: usize = 0

/**
 * The headers or trailers of the stream whose callback runs.
 *
 * A map is open only in its own phase: Envoy closes it, also for reading, when the callback that it belongs to has answered `Continue`
 * (and opens it again for `onLog`). Then reads answer null, changes `Status.BadArgument`, and a warning says so.
 *
 * Names are written in lower case; Envoy compares them without regard to case.
 */
// An address that stands for the map's number plus one: nothing is stored, and no map is null.
// @ts-ignore: decorator
@unmanaged
@final
export class HeaderMap {
  /** The map of a type. Contexts have their own by name: `requestHeaders` and others. */
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

  /** Bytes of all names and values; 0 when the map is closed. */
  get byteSize(): u32 {
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

  /** True when there is such a header, with or without a value. */
  has<T>(name: T): bool {
    return getValue(this.map, view(name)) !== null
  }

  /**
   * All lines, in one hostcall: cheaper than a second `get`. Asked again in the same callback, with nothing written since, it is none.
   * Empty when the map is closed.
   */
  all(): Pairs {
    const stamp = entryStamp()
    if (stamp == lastStamp && this == lastMap) return changetype<Pairs>(lastPairs)
    const bytes = slot()
    const out = changetype<usize>(bytes)
    host.get_header_map_pairs(this.map, out, out + offsetof<ByteString>('length'))
    const pairs = Pairs.decode(bytes)
    lastStamp = stamp
    lastMap = this
    lastPairs = changetype<usize>(pairs)
    return pairs
  }

  /** Adds a line, beside those of the same name. */
  add<N, V>(name: N, value: V): Status {
    const n = view(name)
    const v = view(value)
    noteChange()
    return checkPhase(this.map, host.add_header_map_value(this.map, n.ptr, n.length, v.ptr, v.length))
  }

  /** Sets a header to one value, whether or not it was there. */
  set<N, V>(name: N, value: V): Status {
    const n = view(name)
    const v = view(value)
    noteChange()
    return checkPhase(this.map, host.replace_header_map_value(this.map, n.ptr, n.length, v.ptr, v.length))
  }

  /** Removes all lines of a name. */
  remove<T>(name: T): Status {
    const n = view(name)
    noteChange()
    return checkPhase(this.map, host.remove_header_map_value(this.map, n.ptr, n.length))
  }

  /** Replaces the whole map. For request and response headers `lines` must name the pseudo-headers too. */
  setAll(lines: Headers): Status {
    const bytes = lines.encode()
    noteChange()
    return checkPhase(this.map, host.set_header_map_pairs(this.map, bytes.ptr, bytes.length))
  }
}

function getValue(map: u32, name: ByteString): ByteString | null {
  const value = slot()
  const out = changetype<usize>(value)
  const status = host.get_header_map_value(map, name.ptr, name.length, out, out + offsetof<ByteString>('length'))
  return checkPhase(map, status) == Status.Ok ? value : null
}

/** A map that is used when it is closed is a mistake in the filter, which would otherwise go unseen. */
function checkPhase(map: u32, status: Status): Status {
  if (status == Status.BadArgument) {
    const text =
      map == MapType.RequestHeaders || map == MapType.ResponseHeaders
        ? utf8(
            'headers are open in their own callback only, until it answers Continue: read them there, and persist() what is needed later',
          )
        : utf8('trailers are open in their own callback only')
    host.log(LogLevel.Warn, text.ptr, text.length)
  }
  return status
}

// One operation: a host function with the arguments of the script, and what came back as text.

import * as host from '../../../../sdk/assembly/abi/hostcalls'
import { Operation, Script, text } from './script'
import { show, showPairs } from './show'

/** Results go here. Filled with a mark before each call, to see whether the host wrote. */
const OUT = memory.data(24)
const MARK: u32 = 0xabababab

/** Runs host functions for one callback. */
export class Runner {
  /** What the callback shall answer. */
  result: u32
  stopped: bool = false

  constructor(
    private script: Script,
    private root: u32,
    private stream: u32,
    result: u32,
  ) {
    this.result = result
  }

  /** Runs the operation. A name that begins with `~` runs without being written down. */
  run(operation: Operation): void {
    const silent = operation.name.startsWith('~')
    const name = silent ? operation.name.substring(1) : operation.name
    if (this.control(name, operation.args)) return
    memory.fill(OUT, 0xab, 24)
    const outcome = this.call(name, operation.args)
    if (silent) return
    let line = name
    for (let i = 0; i < operation.args.length; i++) {
      const argument = operation.args[i]
      line +=
        ' ' +
        (printable(argument) ? text(argument).replaceAll('\0', '.') : '<' + argument.length.toString() + ' bytes>')
    }
    say(line + ' -> ' + outcome)
  }

  /** What is no call of the host. */
  private control(name: string, args: StaticArray<u8>[]): bool {
    if (name == 'return') this.result = this.u(args, 0)
    else if (name == 'say') say(text(args[0]))
    else if (name == 'trap') unreachable()
    else if (name == 'overflow') overflow(1)
    else if (name == 'out_of_memory') exhaust()
    else if (name == 'out_of_bounds') load<u32>(0xfffffff0)
    else if (name == 'trace_allocations') traceAllocations = this.u(args, 0) != 0
    else return false
    return true
  }

  private call(name: string, args: StaticArray<u8>[]): string {
    if (name == 'log') return status(host.log(this.u(args, 0), at(args[1]), size(args[1])))
    if (name == 'log_level') return this.number(host.get_log_level(OUT))
    if (name == 'time') {
      const result = host.get_current_time_nanoseconds(OUT)
      // A point in time is after 2020 and before 2100.
      const sane = load<u64>(OUT) > 1577836800000000000 && load<u64>(OUT) < 4102444800000000000
      return status(result) + (sane ? ' sane' : ' insane')
    }
    if (name == 'tick') return status(host.set_tick_period_milliseconds(this.u(args, 0)))
    if (name == 'effective') return status(host.set_effective_context(this.u(args, 0)))
    if (name == 'done') return status(host.done())
    if (name == 'get_buffer')
      return this.bytes(host.get_buffer_bytes(this.u(args, 0), this.u(args, 1), this.u(args, 2), OUT, OUT + 4))
    if (name == 'buffer_status') {
      const result = host.get_buffer_status(this.u(args, 0), OUT, OUT + 4)
      return result
        ? this.failed(result)
        : '0 size=' + load<u32>(OUT).toString() + ' flags=' + load<u32>(OUT, 4).toString()
    }
    if (name == 'set_buffer') {
      return status(
        host.set_buffer_bytes(this.u(args, 0), this.u(args, 1), this.u(args, 2), at(args[3]), size(args[3])),
      )
    }
    if (name == 'size') return this.number(host.get_header_map_size(this.u(args, 0), OUT))
    if (name == 'pairs') return this.pairs(host.get_header_map_pairs(this.u(args, 0), OUT, OUT + 4))
    if (name == 'set_pairs') return status(host.set_header_map_pairs(this.u(args, 0), at(args[1]), size(args[1])))
    if (name == 'get') {
      return this.bytes(host.get_header_map_value(this.u(args, 0), at(args[1]), size(args[1]), OUT, OUT + 4))
    }
    if (name == 'add') {
      return status(host.add_header_map_value(this.u(args, 0), at(args[1]), size(args[1]), at(args[2]), size(args[2])))
    }
    if (name == 'replace') {
      return status(
        host.replace_header_map_value(this.u(args, 0), at(args[1]), size(args[1]), at(args[2]), size(args[2])),
      )
    }
    if (name == 'remove') return status(host.remove_header_map_value(this.u(args, 0), at(args[1]), size(args[1])))
    if (name == 'continue') return status(host.continue_stream(this.u(args, 0)))
    if (name == 'close') return status(host.close_stream(this.u(args, 0)))
    if (name == 'status') {
      const result = host.get_status(OUT + 8, OUT, OUT + 4)
      if (result) return this.failed(result)
      return '0 ' + load<u32>(OUT, 8).toString() + ' "' + show(load<usize>(OUT), load<usize>(OUT, 4)) + '"'
    }
    if (name == 'reply') {
      // status, details, body, headers, gRPC status
      const details = args[1]
      const body = args[2]
      const headers = args[3]
      return status(
        host.send_local_response(
          this.u(args, 0),
          at(details),
          size(details),
          at(body),
          size(body),
          at(headers),
          size(headers),
          this.u(args, 4),
        ),
      )
    }
    return this.callOut(name, args)
  }

  private callOut(name: string, args: StaticArray<u8>[]): string {
    if (name == 'http_call') {
      // variable, cluster, timeout, headers, body, trailers
      const result = host.http_call(
        at(args[1]),
        size(args[1]),
        at(args[3]),
        size(args[3]),
        at(args[4]),
        size(args[4]),
        at(args[5]),
        size(args[5]),
        this.u(args, 2),
        OUT,
      )
      return this.id(result, args[0])
    }
    if (name == 'grpc_call') {
      // variable, service, service name, method, metadata, message, timeout
      const result = host.grpc_call(
        at(args[1]),
        size(args[1]),
        at(args[2]),
        size(args[2]),
        at(args[3]),
        size(args[3]),
        at(args[4]),
        size(args[4]),
        at(args[5]),
        size(args[5]),
        this.u(args, 6),
        OUT,
      )
      return this.id(result, args[0])
    }
    if (name == 'grpc_stream') {
      // variable, service, service name, method, metadata
      const result = host.grpc_stream(
        at(args[1]),
        size(args[1]),
        at(args[2]),
        size(args[2]),
        at(args[3]),
        size(args[3]),
        at(args[4]),
        size(args[4]),
        OUT,
      )
      return this.id(result, args[0])
    }
    if (name == 'grpc_send') return status(host.grpc_send(this.u(args, 0), at(args[1]), size(args[1]), this.u(args, 2)))
    if (name == 'grpc_cancel') return status(host.grpc_cancel(this.u(args, 0)))
    if (name == 'grpc_close') return status(host.grpc_close(this.u(args, 0)))
    return this.shared(name, args)
  }

  private shared(name: string, args: StaticArray<u8>[]): string {
    if (name == 'shared_get') {
      // key, and optionally the variable that takes the compare-and-swap number
      const result = host.get_shared_data(at(args[0]), size(args[0]), OUT, OUT + 4, OUT + 8)
      if (!result && args.length > 1) this.script.variables.set(text(args[1]), load<u32>(OUT, 8))
      return this.bytes(result)
    }
    if (name == 'shared_set') {
      return status(host.set_shared_data(at(args[0]), size(args[0]), at(args[1]), size(args[1]), this.u(args, 2)))
    }
    if (name == 'queue_register') return this.id(host.register_shared_queue(at(args[1]), size(args[1]), OUT), args[0])
    if (name == 'queue_resolve') {
      return this.id(host.resolve_shared_queue(at(args[1]), size(args[1]), at(args[2]), size(args[2]), OUT), args[0])
    }
    if (name == 'enqueue') return status(host.enqueue_shared_queue(this.u(args, 0), at(args[1]), size(args[1])))
    if (name == 'dequeue') return this.bytes(host.dequeue_shared_queue(this.u(args, 0), OUT, OUT + 4))
    if (name == 'metric') {
      // variable, type, name
      return this.id(host.define_metric(this.u(args, 1), at(args[2]), size(args[2]), OUT), args[0])
    }
    if (name == 'record') return status(host.record_metric(this.u(args, 0), <u64>this.n(args[1])))
    if (name == 'increment') return status(host.increment_metric(this.u(args, 0), this.n(args[1])))
    if (name == 'metric_get') {
      const result = host.get_metric(this.u(args, 0), OUT)
      return result ? this.failed(result) : '0 ' + load<u64>(OUT).toString()
    }
    if (name == 'property') return this.bytes(host.get_property(at(args[0]), size(args[0]), OUT, OUT + 4))
    if (name == 'property_pairs') return this.pairs(host.get_property(at(args[0]), size(args[0]), OUT, OUT + 4))
    if (name == 'property_number') {
      const result = host.get_property(at(args[0]), size(args[0]), OUT, OUT + 4)
      return result ? this.failed(result) : '0 ' + load<u64>(load<usize>(OUT)).toString()
    }
    if (name == 'property_known') {
      const result = host.get_property(at(args[0]), size(args[0]), OUT, OUT + 4)
      return result ? this.failed(result) : '0 ' + (load<usize>(OUT, 4) > 0 ? 'some' : 'empty')
    }
    if (name == 'set_property') return status(host.set_property(at(args[0]), size(args[0]), at(args[1]), size(args[1])))
    if (name == 'foreign') {
      return this.bytes(
        host.call_foreign_function(at(args[0]), size(args[0]), at(args[1]), size(args[1]), OUT, OUT + 4),
      )
    }
    if (name == 'foreign_id') {
      // variable for the u32 that the function answers, function, argument
      const result = host.call_foreign_function(at(args[1]), size(args[1]), at(args[2]), size(args[2]), OUT, OUT + 4)
      if (!result) this.script.variables.set(text(args[0]), load<u32>(load<usize>(OUT)))
      return status(result)
    }
    if (name == 'foreign_by_id') {
      // function, variable that goes as a u32
      store<u32>(OUT, this.u(args, 1), 8)
      return this.bytes(host.call_foreign_function(at(args[0]), size(args[0]), OUT + 8, 4, OUT, OUT + 4))
    }
    if (name == 'foreign_round_trip') {
      // compresses its argument and uncompresses the result
      const there = host.call_foreign_function(at(args[0]), size(args[0]), at(args[2]), size(args[2]), OUT, OUT + 4)
      if (there) return this.failed(there)
      return this.bytes(
        host.call_foreign_function(at(args[1]), size(args[1]), load<usize>(OUT), load<usize>(OUT, 4), OUT, OUT + 4),
      )
    }
    // Of ids only their kind, in the low two bits, and the distance of two are the same on every host.
    if (name == 'id_kind') return (this.u(args, 0) & 3).toString()
    if (name == 'id_step') return (this.u(args, 1) - this.u(args, 0)).toString()
    if (name == 'bad_pointer') return status(host.get_header_map_value(0, 0xfffffff0, 100, OUT, OUT + 4))
    if (name == 'bad_out_pointer') return status(host.get_header_map_size(0, 0xfffffffe))
    return 'unknown operation'
  }

  private bytes(result: u32): string {
    if (result) return this.failed(result)
    const data = load<usize>(OUT)
    return data ? '0 "' + show(data, load<usize>(OUT, 4)) + '"' : '0 null ' + load<usize>(OUT, 4).toString()
  }

  private pairs(result: u32): string {
    return result ? this.failed(result) : '0 ' + showPairs(load<usize>(OUT), load<usize>(OUT, 4))
  }

  private number(result: u32): string {
    return result ? this.failed(result) : '0 ' + load<u32>(OUT).toString()
  }

  /** Keeps the id under the name that the script gave it. The numbers themselves are the host's affair. */
  private id(result: u32, variable: StaticArray<u8>): string {
    if (result) return this.failed(result)
    this.script.variables.set(text(variable), load<u32>(OUT))
    return '0'
  }

  /** A status other than Ok: nothing should have been written. */
  private failed(result: u32): string {
    for (let i: usize = 0; i < 24; i += 4) {
      const written = load<u32>(OUT + i)
      if (written != MARK) return result.toString() + ' and wrote ' + written.toString()
    }
    return result.toString()
  }

  private u(args: StaticArray<u8>[], index: i32): u32 {
    return index < args.length ? <u32>this.n(args[index]) : 0
  }

  /** A number, or `$name` for a variable. */
  private n(argument: StaticArray<u8>): i64 {
    const value = text(argument)
    if (value == '$stream') return this.stream
    if (value == '$root') return this.root
    if (!value.startsWith('$')) return I64.parseInt(value)
    const name = value.substring(1)
    return this.script.variables.has(name) ? this.script.variables.get(name) : 0
  }
}

/** True while the host's requests for memory are written down. */
export let traceAllocations: bool = false

export function say(message: string): void {
  const bytes = String.UTF8.encode(message)
  host.log(2, changetype<usize>(bytes), bytes.byteLength)
}

function status(result: u32): string {
  return result.toString()
}

function at(bytes: StaticArray<u8>): usize {
  return changetype<usize>(bytes)
}

function size(bytes: StaticArray<u8>): usize {
  return bytes.length
}

/** Short text, with NUL only where it divides the segments of a path. */
function printable(bytes: StaticArray<u8>): bool {
  if (bytes.length > 60) return false
  let before = 0
  for (let i = 0; i < bytes.length; i++) {
    if (bytes[i] == 0 ? before < 0x20 : bytes[i] < 0x20 || bytes[i] > 0x7e) return false
    before = bytes[i]
  }
  return true
}

function overflow(depth: u64): u64 {
  return depth == 0 ? 0 : overflow(depth + 1) + depth
}

function exhaust(): void {
  while (memory.grow(1024) >= 0) continue
  unreachable()
}

import { Bytes, Counter, CounterSeries, currentTimeMillis, JsonValue, utf8, ByteString } from '@meshscript/sdk'
import { CurrentRequest } from '../../common/assembly/request/request'
import { RouteReader } from '../../common/assembly/routes/route_table'
import { Abort } from './abort'
import { Chance } from './chance'
import { parseTime } from './clock'
import { Delay } from './delay'

/** What is done to requests and responses. */
export enum Kind {
  Delay,
  Abort,
  Corrupt,
  ChunkDelay,
}

function nameOf(kind: Kind): ByteString {
  if (kind == Kind.Delay) return utf8('delay')
  if (kind == Kind.Abort) return utf8('abort')
  return kind == Kind.Corrupt ? utf8('corrupt') : utf8('chunk_delay')
}

/** Counts faults under the name of who asked for them. */
@final
export class Tally {
  private series: StaticArray<CounterSeries | null> = new StaticArray<CounterSeries | null>(4)

  constructor(private name: Bytes) {}

  add(counter: Counter, kind: Kind): void {
    let series = unchecked(this.series[kind])
    if (!series) {
      series = counter.with2(nameOf(kind), this.name)
      unchecked((this.series[kind] = series))
    }
    series.increment()
  }
}

/** The time after which something is off; milliseconds since 1970. */
export function readEnd(json: JsonValue): i64 {
  if (!json.exists) return i64.MAX_VALUE
  const end = parseTime(json.byteString())
  if (end < 0) json.fail('expected a time, e.g. 2026-12-01T00:00:00Z')
  return end
}

/** Whether a time is over. Asks for the clock only where there is one. */
export function isOver(end: i64): bool {
  return end != i64.MAX_VALUE && <i64>currentTimeMillis() >= end
}

/** The faults of a route. */
@final
export class Fault {
  readonly tally: Tally
  delay: Delay | null = null
  abort: Abort | null = null
  abortChance: Chance | null = null
  corruptChance: Chance | null = null
  /** How many bytes of a body are changed. */
  corruptBytes: u32 = 0
  chunkDelay: Delay | null = null
  private by: Bytes | null = null
  private end: i64 = i64.MAX_VALUE

  constructor(json: JsonValue, name: Bytes, seesResponses: bool) {
    this.tally = new Tally(name)
    const delay = json.get('delay')
    const abort = json.get('abort')
    const response = json.get('response')
    if (!delay.exists && !abort.exists && !response.exists) {
      json.object()
      json.fail('expected at least one of "delay", "abort" and "response"')
    }
    if (delay.exists) this.delay = new Delay(delay, 1)
    if (abort.exists) {
      this.abortChance = Chance.of(abort, 2)
      this.abort = Abort.read(abort)
    }
    if (response.exists) {
      this.readResponse(response)
      if (!seesResponses) response.fail('this module does not see responses; fault-responses.wasm does')
    }
    const by = json.get('by')
    if (by.exists) this.by = headerName(by.get('header'))
    this.end = readEnd(json.get('until'))
  }

  private readResponse(json: JsonValue): void {
    const corrupt = json.get('corrupt')
    const chunkDelay = json.get('chunkDelay')
    if (!corrupt.exists && !chunkDelay.exists) {
      json.object()
      json.fail('expected at least one of "corrupt" and "chunkDelay"')
    }
    if (corrupt.exists) {
      this.corruptChance = Chance.of(corrupt, 3)
      this.corruptBytes = <u32>corrupt.get('bytes').integer(1, 1, 65536)
    }
    if (chunkDelay.exists) this.chunkDelay = new Delay(chunkDelay, 4)
  }

  get isOver(): bool {
    return isOver(this.end)
  }

  /** What chances of a request go by; null for nothing. */
  keyOf(request: CurrentRequest): ByteString | null {
    const by = this.by
    const key = by ? request.headers.get(by) : null
    return key && key.length ? key : null
  }
}

/** A route of the configuration. */
@final
export class FaultRoute {
  constructor(readonly fault: Fault | null) {}
}

@final
export class FaultReader extends RouteReader<FaultRoute> {
  /** Whether some route has a fault. */
  hasFaults: bool = false

  constructor(private seesResponses: bool) {
    super()
  }

  read(json: JsonValue): FaultRoute {
    const name = json.get('name').bytes('unnamed')
    const fault = json.get('fault')
    if (!fault.exists) return new FaultRoute(null)
    this.hasFaults = true
    return new FaultRoute(new Fault(fault, name, this.seesResponses))
  }
}

/** A header's name. */
export function headerName(json: JsonValue): Bytes {
  const name = json.bytes()
  const text = name.view
  if (!text.length || !text.toLowerCase().equals(text) || text.startsWith(':')) {
    json.fail('expected the name of a header, in lower case')
  }
  return name
}

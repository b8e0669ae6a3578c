import { Counter, Expression, JsonValue, log, LogLevel } from '@meshscript/sdk'
import { Exporter } from '../export/exporter'
import { BatchFormat } from '../export/format'
import { ExportSchedule } from '../export/schedule'
import { Writer, writer } from '../export/writer'
import { writeJson } from './json'
import { RequestRecord } from './record'
import { writeText } from './text'

/** Of a receiver, where the configuration names none. */
const PATH: string = '/logs'
const LINE_FEED: u8 = 0x0a

/** One access log: which requests it takes, and where their lines go. */
@final
export class AccessLog {
  private isJson: bool
  private filter: Expression | null = null
  /** Null: lines go to the proxy's log. */
  private exporter: Exporter | null = null
  private place: string
  private hasFailed: bool = false

  constructor(json: JsonValue, index: i32, schedule: ExportSchedule) {
    this.isJson = json.get('format').oneOf(['text', 'json'], 0) == 1
    this.place = `accessLog[${index.toString()}]`
    const filter = json.get('filter')
    if (filter.exists) {
      this.filter = Expression.compile(filter.byteString())
      if (!this.filter) filter.fail('expected a condition of the Common Expression Language that Envoy can evaluate')
    }
    const target = json.get('exporter')
    const batch = json.get('batch')
    if (target.exists) {
      const type = this.isJson ? 'application/x-ndjson' : 'text/plain'
      this.exporter = new Exporter(target, batch, 'accessLog', new BatchFormat(PATH, type), schedule)
    } else {
      if (batch.exists) batch.fail('nothing is sent without an exporter')
      if (!log.isEnabled(LogLevel.Info))
        log.warn(
          `${this.place}: lines are of level info, which the proxy does not write: --component-log-level wasm:info`,
        )
    }
  }

  get hasFilter(): bool {
    return this.filter !== null
  }

  /** Whether the request that has ended is to be logged. */
  takes(): bool {
    if (!this.exporter && !log.isEnabled(LogLevel.Info)) return false
    const filter = this.filter
    if (!filter) return true
    const value = filter.evaluate()
    if (value && value.length == 1) return load<u8>(value.ptr) != 0
    this.fail()
    return false
  }

  /** As Envoy's own access log: what can't be evaluated does not hold. */
  private fail(): void {
    counter().with2('accessLog', 'unevaluated').increment()
    if (this.hasFailed) return
    this.hasFailed = true
    log.warn(
      `${this.place}.filter has no value, or none of true and false, for a request: such requests are not logged`,
    )
  }

  /** Writes the line of a request. */
  write(record: RequestRecord): void {
    const exporter = this.exporter
    const line = exporter ? exporter.begin() : writer().begin()
    if (this.isJson) writeJson(line, record)
    else writeText(line, record)
    if (exporter) {
      line.byte(LINE_FEED)
      exporter.end()
    } else this.print(line)
  }

  private print(line: Writer): void {
    if (line.isTooLong) counter().with2('accessLog', 'dropped').increment()
    else log.write(LogLevel.Info, line.bytes)
  }
}

let items: Counter | null = null

/** That of the exporters, for what does not come to them. */
function counter(): Counter {
  let known = items
  if (!known) items = known = new Counter('telemetry_items_total', ['signal', 'result'])
  return known
}

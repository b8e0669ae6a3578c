import { HeaderMap, JsonValue, log, LogLevel, utf8 } from '@meshscript/sdk'
import { Exchange } from '../exchange'
import { ExportCounters } from '../export/counters'
import { Exporter } from '../export/exporter'
import { BatchFormat } from '../export/format'
import { ExportSchedule } from '../export/schedule'
import { Writer, writer } from '../export/writer'
import { Span } from '../traces/span'
import { FlowRecord } from './record'

/** Of a receiver, where the configuration names none. */
const PATH: string = '/flows'
const LINE_FEED: u8 = 0x0a

/** Tells of each request as Hubble does: who has asked whom for what, and what has become of it. */
@final
export class Flows {
  private record: FlowRecord
  private exporter: Exporter | null = null
  private isLogged: bool
  private counters: ExportCounters | null = null

  /** `isTraced`: requests have spans. */
  constructor(json: JsonValue, exchange: Exchange, schedule: ExportSchedule, isTraced: bool) {
    this.record = new FlowRecord(json, exchange, isTraced)
    const target = json.get('exporter')
    const batch = json.get('batch')
    this.isLogged = json.get('log').bool(false)
    if (target.exists) {
      const format = new BatchFormat(PATH, 'application/x-ndjson')
      this.exporter = new Exporter(target, batch, 'flows', format, schedule)
    } else if (batch.exists) batch.fail('nothing is sent without an exporter')
    else if (!this.isLogged) json.fail('expected where records go: an exporter, or "log": true')
    if (this.isLogged && !log.isEnabled(LogLevel.Info))
      log.warn('flows.log: records are of level info, which the proxy does not write: --component-log-level wasm:info')
  }

  /** Records a request that has ended. `span`: of the request, where it is traced. */
  report(span: Span | null, headers: HeaderMap): void {
    const exporter = this.exporter
    const isLogged = this.isLogged && log.isEnabled(LogLevel.Info)
    if (!exporter && !isLogged) return
    const line = exporter ? exporter.begin() : writer().begin()
    this.record.write(line, span, headers)
    if (isLogged) this.print(line)
    if (!exporter) return
    line.byte(LINE_FEED)
    exporter.end()
  }

  private print(line: Writer): void {
    if (!line.isTooLong) log.write(LogLevel.Info, utf8('flow ').concat(line.bytes))
    // With an exporter it counts there.
    else if (!this.exporter) this.count().dropped(1)
  }

  private count(): ExportCounters {
    let counters = this.counters
    if (!counters) this.counters = counters = new ExportCounters('flows')
    return counters
  }
}

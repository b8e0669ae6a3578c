import { HeaderMap, JsonValue } from '@meshscript/sdk'
import { Exchange } from '../exchange'
import { ExportSchedule } from '../export/schedule'
import { AccessLog } from './access_log'
import { RequestRecord } from './record'

/** The access logs: a line for each request, where the filter of the log takes it. */
@final
export class AccessLogs {
  private logs: AccessLog[]
  private record: RequestRecord

  constructor(json: JsonValue, exchange: Exchange, schedule: ExportSchedule) {
    const items = json.array()
    const logs: AccessLog[] = []
    let hasAll = false
    for (let i = 0; i < items.length; i++) {
      const log = new AccessLog(items.at(i), i, schedule)
      logs.push(log)
      if (!log.hasFilter) hasAll = true
    }
    this.logs = logs
    this.record = new RequestRecord(exchange, hasAll)
  }

  /** Logs a request that has ended. */
  report(request: HeaderMap, response: HeaderMap): void {
    const logs = this.logs
    const record = this.record
    let isRead = false
    for (let i = 0; i < logs.length; i++) {
      const log = unchecked(logs[i])
      if (!log.takes()) continue
      if (!isRead) record.read(request, response)
      isRead = true
      log.write(record)
    }
  }
}

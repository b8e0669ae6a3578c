/** Reads recorded requests, one JSON object a line, of any form that is known, without holding the file in memory. */
import { createReadStream } from 'node:fs'
import { resolve } from 'node:path'
import { createInterface } from 'node:readline'
import { UserError } from '../errors.ts'
import { checkRequest, object, RequestError, requestFromJson } from '../requests/request.ts'
import { fromAccessLog, isAccessLog } from './access-log.ts'
import { fromFlow, isFlow, type FlowOptions } from './flow.ts'
import { unknown, type Skipped, type SkipReason, type TrafficRecord } from './record.ts'

export interface TrafficStatistics {
  lines: number
  skipped: Partial<Record<SkipReason, number>>
  /** Lines that are no records, and what is wrong with the first. */
  unreadable: number
  problem?: string
}

export class Traffic {
  readonly statistics: TrafficStatistics = { lines: 0, skipped: {}, unreadable: 0 }
  readonly #name: string
  readonly #cwd: string
  readonly #options: FlowOptions

  constructor(name: string, cwd: string, options: FlowOptions) {
    this.#name = name
    this.#cwd = cwd
    this.#options = options
  }

  /** The requests to the workload, with the number of their line. */
  async *records(): AsyncGenerator<{ record: TrafficRecord; line: number }> {
    const input = this.#name === '-' ? process.stdin : createReadStream(resolve(this.#cwd, this.#name))
    const failed = new Promise<never>((_, reject) => {
      input.once('error', (error: Error) => reject(new UserError(`cannot read ${this.#name}: ${error.message}`)))
    })
    // It is awaited below, unless the reader stops earlier.
    failed.catch(() => {})
    const lines = createInterface({ input, crlfDelay: Infinity })[Symbol.asyncIterator]()
    for (;;) {
      const next = await Promise.race([lines.next(), failed])
      if (next.done) break
      const { value } = next
      const line = ++this.statistics.lines
      const record = value.trim() === '' ? undefined : this.#read(value, line)
      if (record) yield { record, line }
    }
    const { unreadable, problem, lines: read } = this.statistics
    if (unreadable > 0 && unreadable === read) throw new UserError(`${this.#name} has no records: ${problem}`)
  }

  #read(text: string, line: number): TrafficRecord | undefined {
    const { statistics } = this
    try {
      const record = this.#parse(object(JSON.parse(text), 'a record'))
      if (!('skip' in record)) return record
      statistics.skipped[record.skip] = (statistics.skipped[record.skip] ?? 0) + 1
    } catch (error) {
      const { message } = error as Error
      if (error instanceof SyntaxError) statistics.problem ??= `line ${line} is no JSON object: ${message}`
      else if (error instanceof RequestError) statistics.problem ??= `line ${line}: ${message}`
      else throw error
      statistics.unreadable++
    }
    return undefined
  }

  #parse(value: Record<string, unknown>): TrafficRecord | Skipped {
    if (isFlow(value)) return fromFlow(value, this.#options)
    if (isAccessLog(value)) return fromAccessLog(value, this.#options.direction)
    const request = requestFromJson(value)
    checkRequest(request)
    return { request, unknown: unknown([], true, []) }
  }
}

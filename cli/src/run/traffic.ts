/** Envoy's access log as events. */

import { closeSync, existsSync, openSync, readSync, renameSync, rmSync } from 'node:fs'
import { extension, type Json } from '@meshscript/sdk/testing/envoy'
import type { ConnectionEvent, RequestEvent } from './events.ts'
import { RECORDED, readRecorded } from './recorder.ts'

const FORMAT = {
  start: '%START_TIME(%s.%6f)%',
  duration: '%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%',
  roundedDuration: '%DURATION%',
  toUpstream: '%COMMON_DURATION(DS_RX_BEG:US_TX_BEG:us)%',
  upstream: '%COMMON_DURATION(US_TX_BEG:US_RX_BEG:us)%',
  toClient: '%COMMON_DURATION(US_RX_BEG:DS_TX_BEG:us)%',
  flags: '%RESPONSE_FLAGS%',
  client: '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%',
  bytesIn: '%BYTES_RECEIVED%',
  bytesOut: '%BYTES_SENT%',
}
const HTTP_FORMAT = {
  ...FORMAT,
  status: '%RESPONSE_CODE%',
  details: '%RESPONSE_CODE_DETAILS%',
  // What the client sent, before a filter changed it, is in the recorded headers.
  method: '%REQ(:METHOD)%',
  path: '%REQ(:PATH)%',
  authority: '%REQ(:AUTHORITY)%',
  protocol: '%PROTOCOL%',
  verdict: '%FILTER_STATE(wasm.authorization.verdict:PLAIN)%',
  policy: '%FILTER_STATE(wasm.authorization.policy:PLAIN)%',
}
const TCP_FORMAT = { ...FORMAT, details: '%CONNECTION_TERMINATION_DETAILS%' }

export interface TrafficOptions {
  path: string
  tcp: boolean
  /** Bytes after which the file makes way for a new one. Default 16 MB. */
  rotateAt?: number
  /** Names of the filters, in order. */
  filters: readonly string[]
  recorded: boolean
}

/** The access log that `Traffic` reads. */
export function trafficLog({ path, tcp, recorded }: TrafficOptions): Json {
  return extension('file', 'envoy.extensions.access_loggers.file.v3.FileAccessLog', {
    path,
    log_format: { json_format: { ...(tcp ? TCP_FORMAT : HTTP_FORMAT), ...(recorded && { recorded: RECORDED }) } },
  })
}

/** How often the log is read. */
const INTERVAL = 40
/** A log of this size makes way for a new one, so that a run of days fills no disk. */
const ROTATE_AT = 16 << 20

type Entry = Partial<Record<keyof typeof HTTP_FORMAT, string | number | null>> & {
  recorded?: Record<string, string> | null
}

/** Reads the log as it grows. */
export class Traffic {
  readonly #options: TrafficOptions
  readonly #onEvent: (event: RequestEvent | ConnectionEvent) => void
  readonly #reopen: () => Promise<unknown>
  readonly #timer: NodeJS.Timeout
  readonly #chunk = Buffer.alloc(256 * 1024)
  #file: number | undefined
  #read = 0
  #rest: Buffer = Buffer.alloc(0)
  #count = 0
  #rotating = false

  /** `reopen` makes Envoy open its log file anew. */
  constructor(
    options: TrafficOptions,
    onEvent: (event: RequestEvent | ConnectionEvent) => void,
    reopen: () => Promise<unknown>,
  ) {
    this.#options = options
    this.#onEvent = onEvent
    this.#reopen = reopen
    this.#timer = setInterval(() => this.poll(), INTERVAL)
  }

  /** Reads what is there. */
  poll(): void {
    if (this.#file === undefined) {
      if (!existsSync(this.#options.path)) return
      this.#file = openSync(this.#options.path, 'r')
    }
    this.#readOn()
    if (this.#rotating && existsSync(this.#options.path)) this.#next()
    else if (this.#read > (this.#options.rotateAt ?? ROTATE_AT) && !this.#rotating) this.#rotate()
  }

  #readOn(): void {
    for (let length; (length = readSync(this.#file!, this.#chunk)) > 0;) {
      this.#read += length
      this.#take(this.#chunk.subarray(0, length))
    }
  }

  close(): void {
    clearInterval(this.#timer)
    if (this.#file === undefined) return
    this.poll()
    closeSync(this.#file)
    this.#file = undefined
  }

  #take(bytes: Buffer): void {
    const data = Buffer.concat([this.#rest, bytes])
    const end = data.lastIndexOf('\n') + 1
    this.#rest = data.subarray(end)
    for (const line of data.toString('utf8', 0, end).split('\n')) if (line) this.#entry(JSON.parse(line) as Entry)
  }

  /** Envoy goes on writing to the old file until it has opened a new one, with the next line. */
  #rotate(): void {
    this.#rotating = true
    renameSync(this.#options.path, `${this.#options.path}.old`)
    this.#reopen().catch(() => {})
  }

  /** The new file is there, and nothing more is written to the old one. */
  #next(): void {
    this.#rotating = false
    this.#readOn()
    closeSync(this.#file!)
    rmSync(`${this.#options.path}.old`, { force: true })
    this.#file = undefined
    this.#read = 0
  }

  #entry(entry: Entry): void {
    const number = (value: string | number | null | undefined): number => Number(value ?? 0)
    const text = (value: string | number | null | undefined): string =>
      value === null || value === undefined || value === '-' ? '' : String(value)
    const common = {
      id: ++this.#count,
      time: number(entry.start) * 1000,
      milliseconds: microseconds(entry.duration) ?? number(entry.roundedDuration),
      flags: text(entry.flags),
      details: text(entry.details),
      bytesIn: number(entry.bytesIn),
      bytesOut: number(entry.bytesOut),
    }
    if (this.#options.tcp) return this.#onEvent({ event: 'connection', client: text(entry.client), ...common })

    const { filters } = this.#options
    const headers = readRecorded(entry.recorded, filters.length)
    const sent = (name: string) => headers?.request[0]?.find(([key]) => key === name)?.[1]
    const { details } = common
    const answeredBy = whoAnswered(details)
    // The first filter behind which nobody saw the request has answered; the body or the response may come to any of them.
    const seen = headers?.request.length ?? 0
    const culprit = filters.length === 1 ? filters[0] : seen <= filters.length ? filters[seen - 1] : undefined
    const timing = {
      toUpstream: microseconds(entry.toUpstream),
      upstream: microseconds(entry.upstream),
      toClient: microseconds(entry.toClient),
    }
    this.#onEvent({
      event: 'request',
      ...common,
      method: sent(':method') ?? text(entry.method),
      path: sent(':path') ?? text(entry.path),
      authority: sent(':authority') ?? text(entry.authority),
      protocol: text(entry.protocol),
      status: number(entry.status),
      answeredBy,
      ...(answeredBy === 'filter' && culprit !== undefined && { filter: culprit }),
      ...(text(entry.verdict) && { verdict: text(entry.verdict) }),
      ...(text(entry.policy) && { policy: text(entry.policy) }),
      timing,
      ...(headers && { headers }),
    })
  }
}

/** Microseconds in the log, milliseconds here. */
function microseconds(value: string | number | null | undefined): number | undefined {
  return value === null || value === undefined || value === '-' ? undefined : Number(value) / 1000
}

/**
 * The reasons that Envoy itself gives in the response code details (`StreamInfo::ResponseCodeDetailValues` and the codecs'), by
 * how they begin. Everything else is a filter's: its own words, or none.
 */
const ENVOYS =
  /^(upstream_(?!denied)|direct_response|route_not_found|cluster_not_found|no_healthy_upstream|cluster_|maintenance_mode|request_|response_payload|path_|low_version|missing_|invalid_|http1\.|http2\.|downstream_|stream_idle|max_duration|filter_chain_not_found|rbac_|overload|admin_filter|connect_|duration_timeout|on_demand|internal_redirect|filter_removed|adding_trailers|early_upstream|empty_filter|extension_config|no_filter_config|via_direct|body_|websocket|idle_timeout|codec)/

function whoAnswered(details: string): RequestEvent['answeredBy'] {
  if (details === 'via_upstream') return 'upstream'
  return ENVOYS.test(details) ? 'envoy' : 'filter'
}

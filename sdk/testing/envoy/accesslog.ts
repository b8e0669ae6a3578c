/** Envoy's access log: what became of each request, as Envoy sees it. */
import { closeSync, openSync, readSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { extension, type Json } from './json.ts'

export interface AccessLogEntry {
  status: number
  /** `via_upstream` for an answer of the upstream. */
  details: string
  flags: string
  /** The client's end of the connection, whatever X-Forwarded-For says. */
  peer: string
  /** The listener's port. */
  port: number
  requestId: string
  /** Envoy's end of the connection to the upstream. */
  upstreamLocal: string
  cluster: string
  /** Filter state by the names that were asked for. */
  filterState: Record<string, string>
}

/** An access log into the file `path`. */
export function accessLogConfig(path: string, filterState: readonly string[] = []): Json {
  const states = filterState.map((name) => [name, `%FILTER_STATE(wasm.${name}:PLAIN)%`])
  return extension('file', 'envoy.extensions.access_loggers.file.v3.FileAccessLog', {
    path,
    log_format: {
      json_format: {
        status: '%RESPONSE_CODE%',
        details: '%RESPONSE_CODE_DETAILS%',
        flags: '%RESPONSE_FLAGS%',
        peer: '%DOWNSTREAM_DIRECT_REMOTE_ADDRESS%',
        port: '%DOWNSTREAM_LOCAL_PORT%',
        requestId: '%REQ(X-REQUEST-ID)%',
        upstreamLocal: '%UPSTREAM_LOCAL_ADDRESS%',
        cluster: '%UPSTREAM_CLUSTER_RAW%',
        filterState: Object.fromEntries(states) as Json,
      },
    },
  })
}

/** Reads an access log as it grows. Entries wait until they are taken. */
export class AccessLog {
  readonly #path: string
  readonly #entries = new Map<string, AccessLogEntry[]>()
  #file: number | undefined
  #rest = Buffer.alloc(0)
  readonly #chunk = Buffer.alloc(64 * 1024)

  constructor(path: string) {
    this.#path = path
  }

  /** The entry of the request that came from `peer` (`ip:port`); undefined when there is none within `timeout` milliseconds. */
  async take(peer: string, timeout: number): Promise<AccessLogEntry | undefined> {
    const end = Date.now() + timeout
    for (let wait = 1; ; wait = Math.min(wait * 2, 20)) {
      this.#read()
      const waiting = this.#entries.get(peer)
      const entry = waiting?.shift()
      if (waiting?.length === 0) this.#entries.delete(peer)
      if (entry || Date.now() > end) return entry
      await sleep(wait)
    }
  }

  close(): void {
    if (this.#file !== undefined) closeSync(this.#file)
    this.#file = undefined
  }

  #read(): void {
    this.#file ??= openSync(this.#path, 'r')
    for (let length; (length = readSync(this.#file, this.#chunk)) > 0;) {
      this.#rest = Buffer.concat([this.#rest, this.#chunk.subarray(0, length)])
    }
    const end = this.#rest.lastIndexOf('\n')
    if (end < 0) return
    const lines = this.#rest.toString('utf8', 0, end).split('\n')
    this.#rest = this.#rest.subarray(end + 1)
    for (const line of lines) this.#add(parseEntry(line))
  }

  #add(entry: AccessLogEntry): void {
    const waiting = this.#entries.get(entry.peer)
    if (waiting) waiting.push(entry)
    else this.#entries.set(entry.peer, [entry])
  }
}

/** Values that do not apply are null. */
function parseEntry(line: string): AccessLogEntry {
  const raw = JSON.parse(line) as { [K in keyof AccessLogEntry]: AccessLogEntry[K] | null }
  const states = Object.entries(raw.filterState ?? {}).filter(([, value]) => value !== null)
  return {
    status: raw.status ?? 0,
    details: raw.details ?? '',
    flags: raw.flags ?? '',
    peer: raw.peer ?? '',
    port: Number(raw.port ?? 0),
    requestId: raw.requestId ?? '',
    upstreamLocal: raw.upstreamLocal ?? '',
    cluster: raw.cluster ?? '',
    filterState: Object.fromEntries(states),
  }
}

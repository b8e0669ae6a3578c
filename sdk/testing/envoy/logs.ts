/**
 * Envoy's log, read from stderr.
 *
 * Envoy is started with a format that puts one entry in one line: level|logger|time|message, the message with C
 * escapes, so that line breaks and any bytes in a filter's message come back as they were.
 */
import type { LogLevel } from '../types.ts'

/** `%l` level, `%n` logger, `%E.%f` seconds since 1970 and microseconds, `%v` message. */
export const LOG_FORMAT = '%l|%n|%E.%f|%v'

export interface EnvoyLogEntry {
  level: LogLevel
  /** Envoy's component, e.g. `wasm`, `config`, `upstream`; `stderr` for what is no log entry. */
  logger: string
  message: string
  /** Milliseconds since 1970; undefined for what is no log entry. */
  time?: number
}

/** What a filter logged: what stood between `wasm log` and the message, and the message. */
export interface WasmLogEntry {
  level: LogLevel
  prefix: string
  message: string
  time: number
}

/** Entries other than filters' that are kept: enough to explain a failure, and no leak in a run of days. */
const KEPT = 2000

const LEVELS: Record<string, LogLevel> = {
  trace: 'trace',
  debug: 'debug',
  info: 'info',
  warning: 'warn',
  error: 'error',
  critical: 'critical',
}

export class EnvoyLog {
  /** Envoy's own entries, the latest ones. */
  readonly entries: EnvoyLogEntry[] = []
  /** Called with each entry of a filter. */
  onWasm: (entry: WasmLogEntry) => void = () => {}
  /** Called with each of Envoy's own entries. */
  onEntry: (entry: EnvoyLogEntry) => void = () => {}
  #rest = ''
  #count = 0
  readonly #awaited = new Map<string, () => void>()

  /** A point in time, for `since`. */
  mark(): number {
    return this.#count
  }

  /** Envoy's own entries from `mark` on, as far as they are kept. */
  since(mark: number): EnvoyLogEntry[] {
    return this.entries.slice(Math.max(0, this.entries.length - (this.#count - mark)))
  }

  /** Resolves when the log tells that the admin interface has answered `path`. Needs the level `debug` for `admin`. */
  answered(path: string): Promise<void> {
    return new Promise((resolve) => this.#awaited.set(path, resolve))
  }

  /** Takes what came from stderr. The text is ASCII, but for what is no log entry. */
  push(chunk: string): void {
    const lines = (this.#rest + chunk).split('\n')
    this.#rest = lines.pop() ?? ''
    for (const line of lines) this.#line(line)
  }

  #line(line: string): void {
    const entry = parseLine(line)
    const wasm = entry.logger === 'wasm' ? parseWasm(entry) : undefined
    if (wasm) return this.onWasm(wasm)
    if (entry.logger === 'admin' && (entry.level === 'debug' || entry.level === 'info')) return this.#admin(entry)
    this.entries.push(entry)
    this.#count++
    if (this.entries.length > KEPT) this.entries.shift()
    this.onEntry(entry)
  }

  /** What this program asks Envoy is nobody's news. */
  #admin({ message }: EnvoyLogEntry): void {
    const path = / request complete: path: (.*)$/.exec(message)?.[1] ?? ''
    this.#awaited.get(path)?.()
    this.#awaited.delete(path)
  }
}

function parseLine(line: string): EnvoyLogEntry {
  const match = /^([a-z]+)\|([\w.-]+)\|([\d.]+)\|(.*)$/.exec(line)
  const level = match && LEVELS[match[1]!]
  if (!level) return { level: 'error', logger: 'stderr', message: line }
  return { level, logger: match[2]!, time: Number(match[3]) * 1000, message: unescapeC(match[4]!) }
}

function parseWasm({ level, time = 0, message }: EnvoyLogEntry): WasmLogEntry | undefined {
  if (!message.startsWith('wasm log')) return undefined
  const rest = message.slice('wasm log'.length)
  const end = rest.indexOf(': ')
  if (end < 0) return undefined
  return { level, prefix: rest.slice(0, end), message: rest.slice(end + 2), time }
}

const ESCAPES: Record<string, string> = { n: '\n', r: '\r', t: '\t', '"': '"', "'": "'", '\\': '\\' }

/** Undoes C escapes; the bytes are UTF-8. */
export function unescapeC(text: string): string {
  if (!text.includes('\\')) return text
  const bytes = text.replace(/\\([0-7]{3}|.)/g, (_, code: string) =>
    code.length === 3 ? String.fromCharCode(parseInt(code, 8)) : (ESCAPES[code] ?? code),
  )
  return Buffer.from(bytes, 'latin1').toString('utf8')
}

/** `meshscript observe`: flow records from files or a receiver, filtered and printed as Hubble does it. */

import { UsageError, UserError } from '../errors.ts'
import type { Io } from '../terminal.ts'
import { Source } from './files.ts'
import { buildFilters, type Given } from './filters.ts'
import { readLine } from './lines.ts'
import { Printer, type PrinterOptions } from './printer.ts'
import { parseAddress, receive } from './receiver.ts'
import { BadLine } from './record.ts'
import { MOST_FLOWS, Selection, type Wanted } from './selection.ts'
import { escapeText } from './text.ts'
import { parseMoment, type Timestamp } from './time.ts'

/** How many flows of a receiver are shown at its end, unless told otherwise. */
const LAST = 20

/** How many characters of flows are held until the end: of files, which are the user's, and of what senders like to send. */
const ROOM = { files: 1 << 28, receiver: 1 << 26 } as const

/** How many bad lines are told. */
const MAX_WARNINGS = 10

/** What is to be shown, and how. */
export interface ObserveOptions {
  /** Files, or `-`; without any, flows are received. */
  files: readonly string[]
  /** Where they are received. */
  listen: string
  follow: boolean
  first?: number
  last?: number
  all: boolean
  since?: string
  until?: string
  filters: readonly Given[]
  printer: PrinterOptions
}

/** Shows flows until there are no more, enough were shown, or `io.signal` ends it. */
export async function observe(options: ObserveOptions, io: Io): Promise<void> {
  checkTogether(options)
  const wanted = wantedBy(options)
  const printer = new Printer(options.printer, (text) => io.stdout.write(text))
  const selection = new Selection(wanted, (record) => printer.print(record))
  const warnings = new Warnings(io)
  // As long as somebody listens, the process is not ended by force.
  const listener = () => {}
  io.signal?.addEventListener('abort', listener)
  try {
    if (options.files.length) await readFiles(options, selection, warnings, io)
    else await receiveFlows(options, selection, warnings, io)
  } finally {
    io.signal?.removeEventListener('abort', listener)
  }
  selection.release()
  printer.close()
  if (selection.leftOut) warnings.say(`${selection.leftOut} older flows were left out: they took too much memory`)
  warnings.close()
}

function checkTogether({ first, last, all, follow, printer }: ObserveOptions): void {
  const clash = (one: string, other: string) =>
    new UsageError(`${one} and ${other} cannot be combined; leave one of them out`, 'OBS002')
  if (first !== undefined && last !== undefined) throw clash('--first', '--last')
  if (first !== undefined && all) throw clash('--first', '--all')
  if (first !== undefined && follow) throw clash('--first', '--follow')
  if (last !== undefined && all) throw clash('--last', '--all')
  if (printer.form !== 'table' || !follow) return
  throw new UsageError('a table is printed at the end, and --follow has none; take another form for --output', 'OBS002')
}

function wantedBy(options: ObserveOptions): Wanted {
  const now = BigInt(Date.now()) * 1_000_000n
  const since = momentOf('since', options.since, now)
  // As with Hubble: what is followed has no end.
  const until = momentOf('until', options.until, now)
  return {
    matches: buildFilters(options.filters),
    since,
    until: options.follow ? undefined : until,
    first: options.first,
    last: lastOf(options),
    room: options.files.length ? ROOM.files : ROOM.receiver,
  }
}

/** How many are held until the end; undefined: none. A receiver has no end but the user's. */
function lastOf({ files, first, last, all, since, until, follow, printer }: ObserveOptions): number | undefined {
  if (last !== undefined) return last
  if (files.length || first !== undefined || follow) return undefined
  if (all) return MOST_FLOWS
  if (printer.form !== 'table') return undefined
  return since === undefined && until === undefined ? LAST : MOST_FLOWS
}

function momentOf(option: string, text: string | undefined, now: Timestamp): Timestamp | undefined {
  if (text === undefined) return undefined
  const moment = parseMoment(text, now)
  if (moment !== undefined) return moment
  const wanted = 'expected a duration such as 5m or 1h30m, or a time such as 2006-01-02T15:04:05Z'
  throw new UsageError(`--${option} ${JSON.stringify(text)}: ${wanted}`, 'OBS001')
}

async function readFiles(options: ObserveOptions, selection: Selection, warnings: Warnings, io: Io): Promise<void> {
  const { files, follow } = options
  let good = 0
  const sources = files.map((name) => {
    const source: Source = new Source(name, io.cwd, (line, number) => {
      try {
        const found = readLine(line)
        if (found) {
          good++
          selection.offer(found.record, found.text)
        }
      } catch (error) {
        if (!(error instanceof BadLine)) throw error
        warnings.badLine(source.name, number, error.message)
      }
      return !selection.isDone
    })
    return source
  })
  try {
    for (const source of sources) {
      if (selection.isDone || io.signal?.aborted) break
      await source.read(follow, io.signal)
    }
    if (follow && !io.signal?.aborted) {
      selection.release()
      await Promise.all(sources.map((source) => source.follow(io.signal)))
    }
  } finally {
    await Promise.all(sources.map((source) => source.close()))
  }
  if (good || !warnings.count || io.signal?.aborted) return
  warnings.close()
  throw new UserError(`no line of ${files.join(', ')} is a flow record; docs/observe.md tells their form`, 'OBS004')
}

async function receiveFlows(options: ObserveOptions, selection: Selection, warnings: Warnings, io: Io): Promise<void> {
  const { signal } = io
  let stop!: () => void
  const stopped = new Promise<void>((resolve) => (stop = resolve))
  if (options.follow) selection.release()
  const receiver = await receive(parseAddress(options.listen), {
    record: (record, text) => {
      selection.offer(record, text)
      if (selection.isDone) stop()
    },
    badLine: (sender, line, reason) => warnings.badLine(sender, line, reason),
  })
  signal?.addEventListener('abort', stop)
  if (signal?.aborted) stop()
  warnings.say(`receiving flows at ${receiver.url}; Ctrl-C ends it`)
  try {
    await stopped
  } finally {
    signal?.removeEventListener('abort', stop)
    await receiver.close()
  }
}

/** What is told beside the flows. Senders may send whatever they like, and must not flood the terminal. */
class Warnings {
  readonly #io: Io
  count = 0

  constructor(io: Io) {
    this.#io = io
  }

  say(text: string): void {
    this.#io.stderr.write(`meshscript: ${escapeText(text)}\n`)
  }

  badLine(source: string, line: number, reason: string): void {
    this.count++
    if (this.count <= MAX_WARNINGS) this.say(`${source}:${line}: ${shorten(reason)}`)
    if (this.count === MAX_WARNINGS) this.say('further lines of this kind are counted only')
  }

  close(): void {
    if (this.count > MAX_WARNINGS) this.say(`${this.count} lines were no flow records`)
    this.count = 0
  }
}

const shorten = (text: string) => (text.length > 200 ? `${text.slice(0, 200)}…` : text)

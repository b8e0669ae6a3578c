/** Prints what happens: a line for each event on a terminal, or a JSON object. */

import { formatDiagnostic, type Diagnostic } from '../diagnostics.ts'
import { colorsFor, type Colors, type Io } from '../terminal.ts'
import type { FilterInfo, Level, RequestEvent, RunEvent } from './events.ts'

/** One JSON object in a line for each event. */
export function jsonPrinter(io: Io): (event: RunEvent) => void {
  return (event) => void io.stdout.write(`${JSON.stringify(event)}\n`)
}

export function textPrinter(io: Io): (event: RunEvent) => void {
  const colors = colorsFor(io.stdout, io.env)
  return (event) => {
    const text = format(event, io, colors)
    if (text) io.stdout.write(`${text}\n`)
  }
}

function format(event: RunEvent, io: Io, colors: Colors): string {
  const { dim, red, green, yellow, bold, cyan } = colors
  switch (event.event) {
    case 'progress':
      return dim(`• ${event.message}`)
    case 'ready':
      return formatReady(event, colors)
    case 'request':
      return `${at(event.time, colors)} ${formatRequest(event, colors)}`
    case 'connection': {
      const { client, bytesIn, bytesOut, milliseconds, flags, details } = event
      const end = [flags, details].filter(Boolean).join(' ')
      const size = `${bytesIn} B in, ${bytesOut} B out`
      return `${at(event.time, colors)} ${bold('TCP')} ${client}  ${size}  ${duration(milliseconds)}${end && `  ${yellow(visible(end))}`}`
    }
    case 'log': {
      const { time, level, filter, message } = event
      return `${at(time, colors)} ${paintLevel(level, colors)} ${cyan(filter || 'filter')} ${indent(visible(message))}`
    }
    case 'envoy':
      return `${at(event.time, colors)} ${paintLevel(event.level, colors)} ${dim(`envoy ${event.component}`)} ${indent(visible(event.message))}`
    case 'reload': {
      const { filter, cause, ok, milliseconds, code, message = '', info } = event
      const now = at(event.time, colors)
      if (ok) return `${now} ${green('✓')} ${bold(filter)} has its new ${cause}  ${duration(milliseconds)}`
      const old = info.generation > 0 ? 'the old one runs on' : ''
      return `${now} ${red('✗')} ${bold(filter)}: ${code ? `${code}: ` : ''}${indent(visible(message))}\n${' '.repeat(13)}${dim(old)}`
    }
    case 'build-failed': {
      const diagnostics = event.diagnostics.map((item) => formatDiagnostic(item as unknown as Diagnostic, '', colors))
      const head = `${at(event.time, colors)} ${red('✗')} ${bold(event.filter)}: ${event.code ? `${event.code}: ` : ''}${event.message}; the old module runs on`
      return [head, ...diagnostics.map((text) => text.trimEnd())].join('\n')
    }
    case 'stopped':
      return io.stdout.isTTY ? dim('• stopped') : ''
  }
}

function formatReady(event: Extract<RunEvent, { event: 'ready' }>, { bold, green, dim, cyan }: Colors): string {
  const rows: [string, string][] = [
    ['filter', event.filters.map(formatFilter).join(`\n${' '.repeat(11)}`)],
    ['upstream', event.upstream],
    ['admin', event.admin],
    ...(event.page === undefined ? [] : ([['page', bold(cyan(event.page))]] as [string, string][])),
    ['try', bold(event.try)],
  ]
  return [
    `${green('✓')} Envoy runs at ${bold(cyan(event.url))}`,
    ...rows.map(([name, value]) => `  ${dim(name.padEnd(9))}${value}`),
    '',
  ].join('\n')
}

function formatFilter({ name, path, size, configuration }: FilterInfo): string {
  const from = path === name ? '' : `${path}, `
  return `${name} (${from}${(size / 1024).toFixed(1)} KB${configuration ? `, configuration ${configuration}` : ''})`
}

function formatRequest(event: RequestEvent, { bold, dim, green, yellow, red, cyan, magenta }: Colors): string {
  const { method, path, status, flags, details, answeredBy, filter, milliseconds, verdict, policy } = event
  const paint = status >= 500 || status === 0 ? red : status >= 400 ? yellow : status >= 300 ? cyan : green
  const who =
    answeredBy === 'upstream' ? dim('upstream') : magenta(answeredBy === 'filter' ? (filter ?? 'filter') : 'envoy')
  const notes = [
    verdict && (verdict === 'allow' ? green(verdict) : yellow(verdict)),
    policy && visible(policy),
    flags && yellow(flags),
    answeredBy !== 'upstream' && details && dim(visible(details)),
  ].filter(Boolean)
  return [
    `${bold(visible(method))} ${visible(path)}`,
    paint(String(status || '---')),
    duration(milliseconds),
    [who, ...notes].join(' '),
  ].join('  ')
}

function at(time: number, { dim }: Colors): string {
  const date = new Date(time)
  const two = (value: number) => String(value).padStart(2, '0')
  const clock = [date.getHours(), date.getMinutes(), date.getSeconds()].map(two).join(':')
  return dim(`${clock}.${String(date.getMilliseconds()).padStart(3, '0')}`)
}

function duration(milliseconds: number): string {
  if (milliseconds < 10) return `${milliseconds.toFixed(1)} ms`
  return milliseconds < 10_000 ? `${Math.round(milliseconds)} ms` : `${(milliseconds / 1000).toFixed(1)} s`
}

function paintLevel(level: Level, { dim, yellow, red, blue }: Colors): string {
  const paint =
    level === 'warn' ? yellow : level === 'error' || level === 'critical' ? red : level === 'info' ? blue : dim
  return paint(level)
}

/** What clients and filters send may hold what a terminal would obey. */
export function visible(text: string): string {
  // eslint-disable-next-line no-control-regex
  return text.replace(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]/g, (char) => {
    return `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`
  })
}

const indent = (text: string): string => text.trimEnd().replaceAll('\n', `\n${' '.repeat(13)}`)

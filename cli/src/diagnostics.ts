/** Messages about a place in a file of the user, in the form of a compiler: `file:line:column error CODE: message`. */

import { isAbsolute, relative } from 'node:path'
import { type Colors } from './terminal.ts'

export interface Diagnostic {
  severity: 'error' | 'warning' | 'info'
  code: string
  message: string
  /** Absolute path, the path that the user gave, or the name of a library file (`~lib/…`). */
  file?: string
  /** From 1. */
  line?: number
  column?: number
  /** Length of what is marked in the line. */
  length?: number
  /** Text of the line. */
  source?: string
  /** Of what it is said, where the file has several, and where in that. */
  resource?: string
  field?: string
  /** What to write instead. */
  hint?: string
  /** Another place that has to do with it. */
  related?: Omit<Diagnostic, 'severity' | 'code' | 'related'>
}

/** The path as a user in `cwd` would write it. */
export function displayPath(file: string, cwd: string): string {
  // A library file, or a name as the user wrote it.
  if (!isAbsolute(file)) return file
  const path = relative(cwd, file).replaceAll('\\', '/')
  return path || '.'
}

export function formatDiagnostic(diagnostic: Diagnostic, cwd: string, colors: Colors): string {
  const { severity, code, message, related } = diagnostic
  const paint = severity === 'error' ? colors.red : severity === 'warning' ? colors.yellow : colors.cyan
  const place = formatPlace(diagnostic, cwd)
  let text = `${place ? `${colors.bold(place)} ` : ''}${paint(`${severity} ${code}:`)} ${message}\n${formatExcerpt(diagnostic, paint)}`
  if (related?.file) {
    text += `  ${colors.bold(formatPlace(related, cwd))} ${colors.cyan('see')} ${related.message || 'here'}\n${formatExcerpt(related, colors.cyan)}`
  }
  return text
}

/** The same for `--json`: paths as they are shown. */
export function diagnosticToJson(diagnostic: Diagnostic, cwd: string): Record<string, unknown> {
  const { severity, code, message, file, line, column, source, resource, field, hint } = diagnostic
  const place = { file: file && displayPath(file, cwd), line, column, source }
  return { severity, code, message, ...place, resource, field, hint }
}

function formatPlace({ file, line, column }: Omit<Diagnostic, 'severity' | 'code'>, cwd: string): string {
  if (!file) return ''
  return [displayPath(file, cwd), line, column].filter((part) => part !== undefined).join(':')
}

/** The offending line, with a mark under the part that is meant. */
export function formatExcerpt(
  { source, line, column, length }: Pick<Diagnostic, 'source' | 'line' | 'column' | 'length'>,
  paint: (text: string) => string,
): string {
  if (source === undefined || line === undefined || column === undefined) return ''
  const number = `${line}`.padStart(5)
  const indent = source.slice(0, column - 1).replace(/[^\t]/g, ' ')
  const marked = Math.max(1, Math.min(length ?? 1, source.length - column + 1))
  return `${number} | ${source}\n${' '.repeat(5)} | ${indent}${paint('^'.repeat(marked))}\n`
}

/** Errors, warnings and notes on resources: collected, and shown as the compiler's are, with the field and what to write instead. */
import { formatDiagnostic, type Diagnostic as PlainDiagnostic } from '../diagnostics.ts'
import type { Colors } from '../terminal.ts'
import type { Code } from './codes.ts'
import type { Span } from './source.ts'

export type Severity = PlainDiagnostic['severity']

export interface Details {
  /** What to write instead. */
  hint?: string
  /** Kind, namespace and name, e.g. `AuthorizationPolicy payments/allow-frontend`. */
  resource?: string
  /** Path of the field, e.g. `spec.rules[0].to[0].operation.paths[1]`. */
  field?: string
  /** Absent where the cause is no place in a text. */
  span?: Span
}

export interface Diagnostic extends Details {
  severity: Severity
  code: Code
  message: string
}

/** A diagnostic as `--json` prints it. */
export interface DiagnosticJson {
  severity: Severity
  code: Code
  file?: string
  line?: number
  column?: number
  resource?: string
  field?: string
  message: string
  hint?: string
}

/** Collects diagnostics in the order of their discovery. */
export class Diagnostics {
  readonly #list: Diagnostic[] = []

  add(severity: Severity, code: Code, message: string, details: Details = {}) {
    this.#list.push({ severity, code, message, ...details })
  }

  get hasErrors(): boolean {
    return this.count('error') > 0
  }

  count(severity: Severity): number {
    return this.#list.filter((each) => each.severity === severity).length
  }

  /** By file in the order in which they had something to say, then by place; those without a place last. */
  get sorted(): readonly Diagnostic[] {
    const files = [...new Set(this.#list.flatMap((each) => each.span?.source ?? []))]
    const order = (each: Diagnostic) => (each.span ? files.indexOf(each.span.source) : files.length)
    return [...this.#list].sort((a, b) => order(a) - order(b) || (a.span?.start ?? 0) - (b.span?.start ?? 0))
  }

  /** E.g. `2 errors, 1 warning`. */
  get summary(): string {
    return (['error', 'warning'] as const)
      .map((severity) => [this.count(severity), severity] as const)
      .filter(([count]) => count > 0)
      .map(([count, severity]) => `${count} ${severity}${count === 1 ? '' : 's'}`)
      .join(', ')
  }

  toJSON(): DiagnosticJson[] {
    return this.sorted.map(({ severity, code, message, hint, resource, field, span }) => ({
      severity,
      code,
      ...(span && { file: span.source.name, ...span.source.position(span.start) }),
      ...(resource && { resource }),
      ...(field && { field }),
      message,
      ...(hint && { hint }),
    }))
  }

  /** In the form that the rest of the command line shares, for errors that it reports by itself. */
  toPlain(): PlainDiagnostic[] {
    return this.sorted.map(toPlain)
  }

  /** One block per diagnostic, with an empty line after each. */
  render(colors: Colors): string {
    return this.sorted
      .map((each) => {
        const where = [each.resource, each.field].filter(Boolean).join(': ')
        const lines = [
          formatDiagnostic(toPlain(each), process.cwd(), colors),
          where && `      ${colors.dim('= in:')} ${where}\n`,
          each.hint && `      ${colors.dim('= help:')} ${each.hint}\n`,
        ]
        return `${lines.filter(Boolean).join('')}\n`
      })
      .join('')
  }
}

function toPlain({ severity, code, message, resource, field, hint, span }: Diagnostic): PlainDiagnostic {
  const said = { severity, code, message, resource, field, hint }
  if (!span) return said
  const { line, column } = span.source.position(span.start)
  const length = span.end - span.start
  return { ...said, file: span.source.name, line, column, length, source: span.source.line(line) }
}

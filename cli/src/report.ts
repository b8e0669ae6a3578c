import { diagnosticToJson, formatDiagnostic } from './diagnostics.ts'
import { type UserError } from './errors.ts'
import { colorsFor, type Io } from './terminal.ts'

/** Shows a user's mistake: on stderr for people, on stdout where a program asked for JSON. */
export function reportError({ code, message, diagnostics }: UserError, json: boolean, io: Io): void {
  if (json) {
    const body = { code, message, diagnostics: diagnostics.map((diagnostic) => diagnosticToJson(diagnostic, io.cwd)) }
    io.stdout.write(`${JSON.stringify({ error: body }, null, 2)}\n`)
    return
  }
  const colors = colorsFor(io.stderr, io.env)
  for (const diagnostic of diagnostics) io.stderr.write(`${formatDiagnostic(diagnostic, io.cwd, colors)}\n`)
  io.stderr.write(`${colors.red('meshscript:')} ${code ? `${code}: ` : ''}${message}\n`)
}

/** The `meshscript` command: picks the command to load, and turns failures into messages and exit codes. */

import { CommanderError } from 'commander'
import { NegativeResult, UsageError, UserError } from './errors.ts'
import { ExitCode } from './exit.ts'
import { createProgram } from './program.ts'
import { reportError } from './report.ts'
import { type Io } from './terminal.ts'

/** Runs the command line; answers the exit code. `args` are those after the program's name. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  try {
    const wanted = args.filter((arg) => arg !== 'help').find((arg) => !arg.startsWith('-'))
    const program = await createProgram(wanted === undefined ? [] : [wanted], io)
    // Without a command there is nothing to do.
    if (!args.length) program.action(() => program.help({ error: true }))
    await program.parseAsync(args, { from: 'user' })
    return ExitCode.done
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.done : ExitCode.usage
    const stopped = io.signal?.aborted === true
    if (error instanceof UserError) reportError(error, args.includes('--json'), io)
    else if (!(error instanceof NegativeResult) && !(stopped && isAbort(error))) throw error
    if (stopped) return ExitCode.stopped
    return error instanceof UsageError ? ExitCode.usage : ExitCode.failed
  }
}

const isAbort = (error: unknown) => error instanceof Error && error.name === 'AbortError'

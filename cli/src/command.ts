/** What all commands have in common: how they print help, and how failures become messages and exit codes. */

import { type Command, CommanderError, Help, Option } from 'commander'
import { NegativeResult, UsageError, UserError } from './errors.ts'
import { ExitCode } from './exit.ts'
import { reportError } from './report.ts'
import { type Io } from './terminal.ts'

/** Makes a command speak as all do. */
export function configureCommand(command: Command, io: Io): Command {
  return (
    command
      .exitOverride()
      .showHelpAfterError('(--help tells more)')
      // Not among the last group of the command's own options.
      .addHelpOption(new Option('-h, --help', 'print this help').helpGroup('Options:'))
      .configureHelp({ optionDescription: describeOption })
      .configureOutput({
        writeOut: (text) => io.stdout.write(text),
        writeErr: (text) => io.stderr.write(text),
        outputError: (text, write) => write(text.replace(/^error: /, 'meshscript: ')),
        getOutHasColors: () => false,
        getErrHasColors: () => false,
      })
  )
}

function describeOption(this: Help, option: Option): string {
  const text = Help.prototype.optionDescription.call(this, option)
  return option.mandatory ? `${text} (required)` : text
}

/** Does it, shows what went wrong, and answers the exit code. */
export async function exitCodeOf(action: () => Promise<unknown>, args: readonly string[], io: Io): Promise<number> {
  try {
    await action()
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

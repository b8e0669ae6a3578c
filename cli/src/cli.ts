/** The `meshscript` command: picks the command to load, and turns failures into messages and exit codes. */

import { Command, CommanderError } from 'commander'
import packageJson from '../package.json' with { type: 'json' }
import { commands } from './commands/index.ts'
import { NegativeResult, UsageError, UserError } from './errors.ts'
import { reportError } from './report.ts'
import { type Io } from './terminal.ts'

/** Exit codes: done, refused or failed, wrong usage. */
export const ExitCode = { done: 0, failed: 1, usage: 2 } as const

/** Runs the command line; answers the exit code. `args` are those after the program's name. */
export async function runCli(args: readonly string[], io: Io): Promise<number> {
  try {
    const program = await createProgram(args, io)
    await program.parseAsync(args, { from: 'user' })
    return ExitCode.done
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? ExitCode.done : ExitCode.usage
    if (error instanceof NegativeResult) return ExitCode.failed
    if (!(error instanceof UserError)) throw error
    reportError(error, args.includes('--json'), io)
    return error instanceof UsageError ? ExitCode.usage : ExitCode.failed
  }
}

async function createProgram(args: readonly string[], io: Io): Promise<Command> {
  const program = new Command('meshscript')
    .description(packageJson.description)
    .version(packageJson.version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this help')
    .helpCommand('help [COMMAND]', 'print the help of a command')
  const wanted = args.filter((arg) => arg !== 'help').find((arg) => !arg.startsWith('-'))
  for (const [name, { summary, load }] of Object.entries(commands)) {
    if (name === wanted) program.addCommand((await load())(io).summary(summary))
    else program.command(name, { hidden: false }).summary(summary)
  }
  for (const command of [program, ...program.commands]) {
    command.exitOverride().showHelpAfterError('(--help tells more)')
    command.configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'meshscript: ')),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
  }
  // Without a command there is nothing to do.
  if (!args.length) program.action(() => program.help({ error: true }))
  return program
}

/** The `meshscript` command: picks the command to load. */

import { exitCodeOf } from './command.ts'
import { createProgram } from './program.ts'
import { type Io } from './terminal.ts'

/** Runs the command line; answers the exit code. `args` are those after the program's name. */
export function runCli(args: readonly string[], io: Io): Promise<number> {
  return exitCodeOf(
    async () => {
      const wanted = args.filter((arg) => arg !== 'help').find((arg) => !arg.startsWith('-'))
      const program = await createProgram(wanted === undefined ? [] : [wanted], io)
      // Without a command there is nothing to do.
      if (!args.length) program.action(() => program.help({ error: true }))
      await program.parseAsync(args, { from: 'user' })
    },
    args,
    io,
  )
}

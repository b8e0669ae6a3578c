/** The commander program of `meshscript`, with the commands that are needed loaded and a mere name for each of the others. */

import { Command } from 'commander'
import packageJson from '../package.json' with { type: 'json' }
import { configureCommand } from './command.ts'
import { type CommandEntry, commands } from './commands/index.ts'
import { type ExitMeanings, exitMeanings } from './exit.ts'
import { type Io } from './terminal.ts'

/** `wanted` are the names of the commands to load. */
export async function createProgram(wanted: readonly string[], io: Io): Promise<Command> {
  const program = new Command('meshscript')
    .description(packageJson.description)
    .version(packageJson.version, '-V, --version', 'print the version')
    .helpCommand('help [COMMAND]', 'print the help of a command')
  for (const [name, entry] of Object.entries(commands)) {
    if (wanted.includes(name)) program.addCommand(await load(entry, io))
    else program.command(name).summary(entry.summary)
  }
  for (const command of [program, ...program.commands]) configureCommand(command, io)
  return program
}

/** All commands, with all that can be said of them. */
export function createWholeProgram(io: Io): Promise<Command> {
  return createProgram(Object.keys(commands), io)
}

async function load({ summary, exits, load }: CommandEntry, io: Io): Promise<Command> {
  return (await load())(io).summary(summary).addHelpText('after', exitText(exits))
}

const exitText = (exits?: ExitMeanings): string =>
  `\nExit codes:\n${exitMeanings(exits)
    .map(([code, meaning]) => `  ${String(code).padEnd(3)}  ${meaning}\n`)
    .join('')}`.trimEnd()

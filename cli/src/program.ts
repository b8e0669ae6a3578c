/** The commander program of `meshscript`, with the commands that are needed loaded and a mere name for each of the others. */

import { Command, Help, Option } from 'commander'
import packageJson from '../package.json' with { type: 'json' }
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
  for (const command of [program, ...program.commands]) {
    command.exitOverride().showHelpAfterError('(--help tells more)')
    // Not among the last group of the command's own options.
    command.addHelpOption(new Option('-h, --help', 'print this help').helpGroup('Options:'))
    command.configureHelp({ optionDescription: describeOption })
    command.configureOutput({
      writeOut: (text) => io.stdout.write(text),
      writeErr: (text) => io.stderr.write(text),
      outputError: (text, write) => write(text.replace(/^error: /, 'meshscript: ')),
      getOutHasColors: () => false,
      getErrHasColors: () => false,
    })
  }
  return program
}

/** All commands, with all that can be said of them. */
export function createWholeProgram(io: Io): Promise<Command> {
  return createProgram(Object.keys(commands), io)
}

async function load({ summary, exits, load }: CommandEntry, io: Io): Promise<Command> {
  return (await load())(io).summary(summary).addHelpText('after', exitText(exits))
}

function describeOption(this: Help, option: Option): string {
  const text = Help.prototype.optionDescription.call(this, option)
  return option.mandatory ? `${text} (required)` : text
}

const exitText = (exits?: ExitMeanings): string =>
  `\nExit codes:\n${exitMeanings(exits)
    .map(([code, meaning]) => `  ${String(code).padEnd(3)}  ${meaning}\n`)
    .join('')}`.trimEnd()

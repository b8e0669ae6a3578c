/** What shells complete, as the commander program tells it. */

import { type Argument, type Command, type Option } from 'commander'

/** What a value may be: one of these, a file, or what only the user knows. */
export type Values = readonly string[] | 'files' | 'any'

export interface CompletedOption {
  long: string
  short?: string
  description: string
  /** Undefined: it takes none. */
  value?: { name: string; values: Values }
}

export interface CompletedArgument {
  name: string
  values: Values
  variadic: boolean
}

export interface CompletedCommand {
  name: string
  description: string
  options: CompletedOption[]
  arguments: CompletedArgument[]
}

export interface CompletedProgram {
  name: string
  options: CompletedOption[]
  commands: CompletedCommand[]
}

/** `program` has all its commands loaded. */
export function modelOf(program: Command): CompletedProgram {
  const names = program.commands.map((command) => command.name())
  const help = {
    name: 'help',
    description: 'print the help of a command',
    options: [],
    arguments: [{ name: 'COMMAND', values: names, variadic: false }],
  }
  return {
    name: program.name(),
    options: optionsOf(program),
    commands: [...program.commands.map(describe), help],
  }
}

function describe(command: Command): CompletedCommand {
  return {
    name: command.name(),
    description: command.summary(),
    options: optionsOf(command),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      // As an option a path may be that of a request, and an image never a file.
      values: /^(PATH|IMAGE)$/.test(argument.name()) ? 'files' : valuesOf(argument, argument.name()),
      variadic: argument.variadic,
    })),
  }
}

function optionsOf(command: Command): CompletedOption[] {
  return command
    .createHelp()
    .visibleOptions(command)
    .map((option) => {
      const [, name] = /[<[](.+)[>\]]$/.exec(option.flags) ?? []
      return {
        long: option.long!,
        ...(option.short && { short: option.short }),
        description: option.description,
        ...(name !== undefined && { value: { name, values: valuesOf(option, name) } }),
      }
    })
}

/** Names of values are in capitals and say what they are. */
const FILES = /\b(FILES?|FOLDER|MODULE|OLD|NEW)\b/

function valuesOf({ argChoices }: Argument | Option, name: string): Values {
  if (argChoices?.length) return argChoices
  return FILES.test(name) ? 'files' : 'any'
}

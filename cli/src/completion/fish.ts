/** Completion for fish, from 3.0. */

import { type CompletedArgument, type CompletedCommand, type CompletedOption, type CompletedProgram } from './model.ts'

export function fishScript({ name, options, commands }: CompletedProgram): string {
  const complete = (condition: string, rest: string) => `complete -c ${name} -n ${condition} ${rest}\n`
  const before = quote(`__${name}_in ''`)
  const lines = [
    ...commands.map((command) => complete(before, `-a ${command.name} -d ${quote(command.description)}`)),
    ...options.map((option) => complete(before, optionWords(option))),
    ...commands.flatMap((command) => [
      ...command.options.map((option) => complete(quote(`__${name}_in ${command.name}`), optionWords(option))),
      ...argumentLines(command, (rest) => complete(quote(`__${name}_in ${command.name}`), rest)),
    ]),
  ]
  return `# Completion of ${name} for fish.
function __${name}_in --argument-names command
    set --local words (commandline --tokenize --cut-at-cursor --current-process)
    set --erase words[1]
    for word in $words
        string match --quiet -- '-*' $word; and continue
        test "$word" = "$command"
        return
    end
    test -z "$command"
end

complete -c ${name} -f
${lines.join('')}`
}

function optionWords({ long, short, description, value }: CompletedOption): string {
  const names = [`-l ${long.slice(2)}`, ...(short ? [`-s ${short.slice(1)}`] : [])]
  return [...names, ...(value ? [valueWords(value.values)] : []), `-d ${quote(description)}`].join(' ')
}

function valueWords(values: CompletedArgument['values']): string {
  if (values === 'files') return '-r -F'
  return values === 'any' ? '-x' : `-x -a ${quote(values.join(' '))}`
}

/** fish does not count arguments: what the first may be, all may be. */
function argumentLines({ arguments: [first] }: CompletedCommand, line: (rest: string) => string): string[] {
  if (!first || first.values === 'any') return []
  return [line(first.values === 'files' ? '-F' : `-a ${quote(first.values.join(' '))}`)]
}

const quote = (text: string) => `'${text.replaceAll(/['\\]/g, String.raw`\$&`)}'`

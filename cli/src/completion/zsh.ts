/** Completion for zsh: a file `_meshscript` in a folder of `fpath`, or sourced. */

import { type CompletedArgument, type CompletedCommand, type CompletedOption, type CompletedProgram } from './model.ts'

export function zshScript({ name, options, commands }: CompletedProgram): string {
  const described = commands.map((command) => quote(`${colons(command.name)}:${command.description}`))
  return `#compdef ${name}
# Completion of ${name} for zsh.
_${name}() {
  local context state state_descr line
  local -A opt_args
  local -a commands=(
${described.map((each) => `    ${each}\n`).join('')}  )
  _arguments -C ${[...options.map(optionSpec), "'1:command:->command'", "'*::argument:->argument'"].join(' ')}
  case $state in
    command) _describe command commands ;;
    argument)
      case $words[1] in
${commands.map(commandCase).join('')}      esac
      ;;
  esac
}

if [[ $funcstack[1] == _${name} ]]; then
  _${name} "$@"
else
  compdef _${name} ${name}
fi
`
}

function commandCase({ name, options, arguments: args }: CompletedCommand): string {
  const specs = [...options.map(optionSpec), ...args.map(argumentSpec)]
  const lines = specs.map((spec) => ` \\\n            ${spec}`)
  return `        ${name})\n          _arguments${lines.join('')}\n          ;;\n`
}

/** An option with a value may come again. */
function optionSpec({ long, short, description, value }: CompletedOption): string {
  const text = `[${brackets(description)}]`
  if (!value) return short ? `'(${short} ${long})'{${short},${long}}${quote(text)}` : quote(long + text)
  const action = `:${colons(value.name)}:${actionOf(value.values)}`
  return [...(short ? [quote(`*${short}${text}${action}`)] : []), quote(`*${long}=${text}${action}`)].join(' ')
}

function argumentSpec({ name, values, variadic }: CompletedArgument, index: number): string {
  return quote(`${variadic ? '*' : index + 1}:${colons(name)}:${actionOf(values)}`)
}

function actionOf(values: CompletedArgument['values']): string {
  if (values === 'files') return '_files'
  return values === 'any' ? ' ' : `(${values.join(' ')})`
}

const brackets = (text: string) => text.replaceAll(/[[\]\\]/g, String.raw`\$&`)
const colons = (text: string) => text.replaceAll(/[:\\]/g, String.raw`\$&`)
const quote = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`

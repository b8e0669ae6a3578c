/** Completion for bash, from 3.2, which macOS has; without the package bash-completion. */

import { type CompletedCommand, type CompletedOption, type CompletedProgram, type Values } from './model.ts'

export function bashScript({ name, options, commands }: CompletedProgram): string {
  const all = [{ name: '', options }, ...commands]
  const cases = all.flatMap((command) => command.options.flatMap((option) => valueCase(command.name, option)))
  // Those that offer the same make one case.
  const values = [...new Set(cases.map(({ offer }) => offer))].map(
    (offer) =>
      `    ${cases.flatMap((each) => (each.offer === offer ? each.patterns : [])).join(' | ')})\n      values=${offer} ;;\n`,
  )
  const first = [words(commands.map((command) => command.name)), words(flags(options))]
  return `# Completion of ${name} for bash.
_${name}() {
  local current=\${COMP_WORDS[COMP_CWORD]} previous=\${COMP_WORDS[COMP_CWORD-1]} command='' options='' values=none word i
  COMPREPLY=()
  # bash takes --option=value for three words.
  if [[ $current == = ]]; then
    current=''
  elif [[ $previous == = ]]; then
    previous=\${COMP_WORDS[COMP_CWORD-2]}
  fi
  for ((i = 1; i < COMP_CWORD; i++)); do
    word=\${COMP_WORDS[i]}
    if [[ $word != -* ]]; then command=$word && break; fi
  done
  case "$command $previous" in
${values.join('')}  esac
  if [[ $values == none ]]; then
    case $command in
    '') values=${first[0]} options=${first[1]} ;;
${commands.map(commandCase).join('')}    *) values=files ;;
    esac
    if [[ $current == -* ]]; then values=$options; fi
  fi
  # Without any reply bash offers files.
  if [[ $values != files ]]; then
    compopt +o default +o bashdefault 2>/dev/null
    COMPREPLY=($(compgen -W "$values" -- "$current"))
  fi
}

complete -o bashdefault -o default -F _${name} ${name}
`
}

/** What may follow an option. */
function valueCase(command: string, { long, short, value }: CompletedOption): { patterns: string[]; offer: string }[] {
  if (!value) return []
  const patterns = [long, short].flatMap((flag) => (flag ? [quote(`${command} ${flag}`)] : []))
  return [{ patterns, offer: list(value.values) }]
}

function commandCase({ name, options, arguments: args }: CompletedCommand): string {
  const [first] = args
  return `    ${name}) values=${first ? list(first.values) : "''"} options=${words(flags(options))} ;;\n`
}

const flags = (options: readonly CompletedOption[]) => options.map(({ long }) => long)
const list = (values: Values) => (values === 'files' ? 'files' : words(values === 'any' ? [] : values))
const words = (names: readonly string[]) => quote(names.join(' '))
const quote = (text: string) => `'${text.replaceAll("'", String.raw`'\''`)}'`

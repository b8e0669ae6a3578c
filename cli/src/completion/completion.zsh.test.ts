import { afterAll, beforeAll, expect, test } from 'vitest'
import { type CliFolder } from '../testing.ts'
import { completionFolder, lines, offers } from './testing.ts'

let folder: CliFolder
beforeAll(async () => {
  folder = await completionFolder('zsh')
})
afterAll(() => folder.remove())

// zsh completes only at a terminal: a shell in a pseudo-terminal gets the line and the tab key, and writes down what
// its completion adds.
const program = `
zmodload zsh/zpty
rm -f found
zpty shell zsh -f -i
type() { zpty -w shell "$1"; }
type 'autoload -Uz compinit && compinit -D -u'
type 'source ./script'
type 'compadd() {
  local -a found
  case " \${@[1,(i)(-|--)]} " in
    (*" -O "*|*" -A "*|*" -D "*) builtin compadd "$@"; return ;;
  esac
  builtin compadd -A found "$@"
  builtin compadd "$@"
  for each in $found; do print -r -- $each >> found; done
}'
type 'offer() { _main_complete; compstate[insert]= compstate[list]=; print -r -- END >> found; }'
type 'zle -C offer complete-word offer; bindkey "^I" offer'
zpty -w -n shell "$1"$'\\t'
for ((i = 0; i < 600; i++)); do
  if [[ -f found ]] && grep -q '^END$' found; then break; fi
  sleep 0.05
done
zpty -d shell
grep -v '^END$' found || true
`

test.each(lines)('zsh: %s', (line, offered) => {
  expect(offers(folder, 'zsh', program, line)).toEqual(offered)
})

test('zsh takes the script from a folder of fpath, too', () => {
  folder.write('functions/_meshscript', '')
  const autoloaded = program
    .replace("type 'source ./script'", '')
    .replace("type 'autoload", "cp script functions/_meshscript\ntype 'fpath=($PWD/functions $fpath); autoload")
  expect(offers(folder, 'zsh', autoloaded, 'meshscript bu')).toEqual(['build'])
})

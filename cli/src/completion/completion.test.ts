import { Argument, Command, Option } from 'commander'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { commands } from '../commands/index.ts'
import { type CliFolder } from '../testing.ts'
import { bashScript } from './bash.ts'
import { fishScript } from './fish.ts'
import { modelOf } from './model.ts'
import { completionFolder, lines, offers } from './testing.ts'
import { zshScript } from './zsh.ts'

let folder: CliFolder
beforeAll(async () => {
  folder = await completionFolder('bash')
})
afterAll(() => folder.remove())

// bash gives = as a word of its own, and offers files unless it is told not to, which has no meaning in a script.
const program = `
source ./script
compopt() { plain=yes; }
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_meshscript
if [[ -n $plain ]]; then printf '%s\\n' "\${COMPREPLY[@]}"; else compgen -f -- "\${!#}"; fi
`
const wordsOf = (line: string) => line.split(/ |(=)/).filter((word) => word !== undefined)

test.each(lines)('bash: %s', (line, offered) => {
  expect(offers(folder, 'bash', program, ...wordsOf(line))).toEqual(offered)
})

test('bash offers all commands', () => {
  const names = [...Object.keys(commands), 'help'].sort()
  expect(offers(folder, 'bash', program, 'meshscript', '')).toEqual(names)
})

test('bash asks for a completion by this function, and for files without one', () => {
  const asked = offers(folder, 'bash', 'source ./script && complete -p meshscript')
  expect(asked).toEqual(['complete -o bashdefault -o default -F _meshscript meshscript'])
})

test('an unknown shell is wrong usage', async () => {
  expect(await folder.run('completion powershell')).toEqual({
    code: 2,
    stdout: '',
    stderr:
      "meshscript: command-argument value 'powershell' is invalid for argument 'SHELL'. Allowed choices are bash, zsh, fish.\n(--help tells more)\n",
  })
})

test.each([
  ['bash', bashScript],
  ['zsh', zshScript],
  ['fish', fishScript],
] as const)('the script for %s', (_shell, script) => {
  const small = new Command('small').version('1')
  small
    .command('first')
    .summary("it's [one]: `a` $b")
    .argument('<FILES...>')
    .option('-o, --output <FILE>', "where it's put: [x] \\ $HOME")
    .option('--no-check', 'none')
    .option('--name <NAME>', 'a name')
    .addOption(new Option('--hidden').hideHelp())
  small
    .command('second')
    .summary('two')
    .addArgument(new Argument('[KIND]').choices(['a', 'b']))
    .addOption(new Option('--as <FORM>', 'form').choices(['x', 'y']))
  expect(script(modelOf(small))).toMatchSnapshot()
})

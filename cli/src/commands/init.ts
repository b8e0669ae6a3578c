import { Command, Option } from 'commander'
import { relative, resolve } from 'node:path'
import { type InitResult } from '../init/index.ts'
import { type Template, templateNames, templates } from '../init/templates.ts'
import { colorsFor, type Io } from '../terminal.ts'

interface Flags {
  template?: Template
  name?: string
  yes?: boolean
  force?: boolean
  git?: boolean
  json?: boolean
}

const list = templateNames.map((name) => `  ${name.padEnd(12)}  ${templates[name]}`).join('\n')

/** Also the whole of `create-meshscript`. */
export function initCommand(io: Io, name = 'init'): Command {
  return new Command(name)
    .description(
      'Make a project for a filter: its source, a specification for both test hosts, settings of editor and CI.\n' +
        'On a terminal it asks for what is not said. A folder that is not empty is refused without --force.',
    )
    .argument('[FOLDER]', 'where it goes (default: the current folder)')
    .addOption(new Option('--template <TEMPLATE>', 'what to begin with (default: header)').choices(templateNames))
    .option('--name <NAME>', "name of the package (default: the folder's)")
    .option('-y, --yes', 'ask nothing')
    .option('--force', 'take a folder that is not empty, and write over its files')
    .option('--git', 'make a git repository')
    .option('--json', 'print the result as JSON; asks nothing')
    .addHelpText('after', `\nTemplates:\n${list}\n\nExamples:\n${examples(name === 'init')}`)
    .action((folder: string | undefined, flags: Flags) => run(folder, flags, io))
}

function examples(isInit: boolean): string {
  const call = isInit ? 'meshscript init my-filter' : 'npm create meshscript my-filter'
  return `  ${call}\n  ${call}${isInit ? '' : ' --'} --template auth-callout --yes --git`
}

async function run(folder: string | undefined, flags: Flags, io: Io): Promise<void> {
  const { template, name, yes, force, git, json } = flags
  const { initProject } = await import('../init/index.ts')
  let answers: { folder?: string; template?: Template; name?: string } = { folder, template, name }
  if (!yes && !json && isTerminal(io)) {
    const { ask } = await import('../init/prompts.ts')
    answers = await ask(answers, io.cwd)
  }
  const result = initProject({
    folder: resolve(io.cwd, answers.folder ?? '.'),
    template: answers.template ?? 'header',
    name: answers.name,
    force,
    git,
  })
  if (json) io.stdout.write(`${JSON.stringify(result, null, 2)}\n`)
  else print(result, io)
}

const isTerminal = (io: Io) => io.stdout === process.stdout && process.stdout.isTTY && process.stdin.isTTY

function print({ folder, name, template, files }: InitResult, io: Io): void {
  const colors = colorsFor(io.stdout, io.env)
  const path = relative(io.cwd, folder)
  const steps = [
    ...(path ? [[`cd ${/\s/.test(path) ? `"${path}"` : path}`]] : []),
    ['npm install'],
    ['npm test', 'the specification, in Node.js and in real Envoy'],
    ['npm run run', 'Envoy with the filter, again on every change'],
  ]
  const lines = steps.map(([command, what]) =>
    what ? `  ${command!.padEnd(12)}  ${colors.dim(`# ${what}`)}` : `  ${command!}`,
  )
  io.stdout.write(`${name}: ${files.length} files from template ${template}${path ? ` in ${path}` : ''}\n\n`)
  io.stdout.write(`${lines.join('\n')}\n`)
}

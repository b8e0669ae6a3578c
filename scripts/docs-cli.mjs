// Writes docs/cli.md, the reference of the command, from the commands themselves: `npm run docs:cli [-- --check]`.
// With `--check` nothing is written, and a page that is not up to date is an error.

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { format, resolveConfig } from 'prettier'
import { fail, run } from './lib/process.mjs'
import { root } from './lib/steps.mjs'

const PAGE = 'docs/cli.md'
const isChild = process.argv.includes('--print')

/** The page's text as the sources of the command make it. */
async function page() {
  const { commands } = await import('../cli/src/commands/index.ts')
  const { exitMeanings } = await import('../cli/src/exit.ts')
  const { createWholeProgram } = await import('../cli/src/program.ts')
  const io = { stdout: process.stdout, stderr: process.stderr, cwd: root, env: {} }
  const program = await createWholeProgram(io)
  const parts = [
    '# The command `meshscript`',
    '<!-- Made by `npm run docs:cli`. -->',
    `${program.description()}. \`meshscript help COMMAND\` prints what this page says of a command.`,
    table(
      ['command', 'what it does', 'more'],
      program.commands.map((command) => [link(command.name()), command.summary(), pagesOf(command.name())]),
    ),
    '## Everywhere',
    'What is asked for goes to standard output; diagnostics, warnings and progress go to standard error. With `--json` the result, or `error` with its code, is one JSON document on standard output; ' +
      '`run` and `build --watch` print one for each event. Codes of errors are stable: [errors.md](errors.md).',
    'Colours and progress are shown on a terminal only; `NO_COLOR` and `FORCE_COLOR` have the last word. Defaults come from `meshscript.json`, or the section `meshscript` of `package.json`; options win over them.',
    '### Exit codes',
    table(
      ['code', 'meaning'],
      exitMeanings().map(([code, meaning]) => [String(code), meaning]),
    ),
    'Where a command means something else by them, its section says so. SIGTERM ends a command as Ctrl-C does, with 143, and a closed terminal with 129. Either way whatever it has started is ended and temporary files are removed; ' +
      'a second Ctrl-C does not wait.',
    ...program.commands.map((command) => section(command, commands[command.name()])),
  ]
  return parts.join('\n\n')

  function section(command, { exits = {} }) {
    const help = command.createHelp()
    const names = command.registeredArguments.map((argument) => [
      code(argument.name()),
      help.argumentDescription(argument),
    ])
    const options = [...groupsOf(help.visibleOptions(command))].map(([title, list]) =>
      table(
        [title, 'meaning'],
        list.map((option) => [code(option.flags), help.optionDescription(option)]),
      ),
    )
    return [
      `## ${command.name()}`,
      fence(help.commandUsage(command)),
      command.description().replaceAll('\n', '\n\n'),
      ...(names.length ? [table(['argument', 'meaning'], names)] : []),
      ...options,
      ...afterHelp(command),
      ...(Object.keys(exits).length ? [exitTable(exits)] : []),
    ].join('\n\n')
  }

  function exitTable(exits) {
    const rows = exitMeanings(exits).filter(([number]) => exits[number] !== undefined)
    return table(
      ['exit code', 'meaning'],
      rows.map(([number, meaning]) => [String(number), meaning]),
    )
  }
}

function groupsOf(options) {
  const groups = new Map()
  for (const option of options) {
    const title = (option.helpGroupHeading ?? 'Options:').replace(/:$/, '').toLowerCase()
    groups.set(title, [...(groups.get(title) ?? []), option])
  }
  return groups
}

/** What a command's help says behind its options: examples and more, without the exit codes. */
function afterHelp(command) {
  let text = ''
  command.emit('afterHelp', { command, error: false, write: (more) => (text += more) })
  return text
    .split(/\n(?=\S.*:\n)/)
    .map((part) => part.trim())
    .filter((part) => part && !part.startsWith('Exit codes:'))
    .map((part) => {
      const [title, ...lines] = part.split('\n')
      return title === 'Examples:' ? fence(unindent(lines)) : fence(part)
    })
}

const unindent = (lines) => lines.map((line) => line.replace(/^ {2}/, '')).join('\n')
const fence = (text) => `\`\`\`text\n${text}\n\`\`\``
const link = (name) => `[\`${name}\`](#${name})`
const code = (text) => `\`${text}\``
const row = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
const table = (head, rows) => [row(head), row(head.map(() => '---')), ...rows.map(row)].join('\n')

/** Pages that tell more. */
function pagesOf(name) {
  const pages = {
    init: 'guide',
    build: 'guide',
    run: 'run',
    observe: 'observe',
    test: 'testing',
    explain: 'explain',
    diff: 'explain',
    validate: 'errors',
    compile: 'smi-and-cilium',
    check: 'check',
    push: 'push',
    pull: 'push',
    inspect: 'supply-chain',
    deploy: 'deploy',
    status: 'deploy',
  }
  const page = pages[name]
  if (page === undefined) return ''
  if (!existsSync(join(root, 'docs', `${page}.md`))) throw new Error(`there is no docs/${page}.md`)
  return `[${page}.md](${page}.md)`
}

async function write(isCheck) {
  const file = join(root, PAGE)
  // The commands are TypeScript.
  const loader = [
    '--conditions=meshscript-source',
    '--import',
    pathToFileURL(join(root, 'scripts/typescript.mjs')).href,
  ]
  const { code: exit, output } = await run(process.execPath, [...loader, import.meta.filename, '--print'])
  if (exit !== 0) throw new Error(output)
  const wanted = await format(output, { ...(await resolveConfig(file)), parser: 'markdown' })
  if (existsSync(file) && readFileSync(file, 'utf8') === wanted) return
  if (isCheck) throw new Error(`${PAGE} is older than the commands: run \`npm run docs:cli\``)
  writeFileSync(file, wanted)
  process.stdout.write(`• ${PAGE}\n`)
}

if (isChild) process.stdout.write(await page())
else await write(process.argv.includes('--check')).catch(fail)

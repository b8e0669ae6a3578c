/** The fenced code blocks of a page, with what its readers are told to do with them. */

/**
 * The info string says it:
 *
 * - a language and a file's name: the block is that file;
 * - `diff FILE`: a change of that file; with `to be undone`, one that is taken back after the next command;
 * - `sh`: commands, `console`: commands behind `$` and what they print; `in the checkout`, `in another terminal`, `once published`
 *   say where, `exit 1` how the last one ends;
 * - `text in the other terminal`: what the program that runs there prints next.
 */
export interface Block {
  language: string
  /** The info string without the language. */
  info: string
  text: string
  /** Line of the opening fence. */
  line: number
}

export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  let open: (Block & { indent: string; fence: string; lines: string[] }) | undefined
  markdown.split('\n').forEach((text, index) => {
    if (open && text.trim() === open.fence) {
      const { language, info, line, lines } = open
      blocks.push({ language, info, line, text: lines.map((each) => `${each}\n`).join('') })
      open = undefined
    } else if (open) {
      // In a list, the block is indented as the list's text.
      open.lines.push(text.startsWith(open.indent) ? text.slice(open.indent.length) : text.trimStart())
    } else {
      const [, indent = '', fence, language = '', info = ''] = /^( *)(`{3,})(\w*) *(.*)$/.exec(text) ?? []
      if (fence) open = { indent, fence, language, info, text: '', line: index + 1, lines: [] }
    }
  })
  if (open) throw new Error(`line ${open.line}: the code block has no end`)
  return blocks
}

/** One command of a `console` block, and what it prints. */
export interface Command {
  command: string
  output: string
}

export function commandsOf(text: string): Command[] {
  const commands: Command[] = []
  for (const line of text.trimEnd().split('\n')) {
    const last = commands.at(-1)
    if (line.startsWith('$ ')) commands.push({ command: line.slice(2), output: '' })
    // A command goes on in lines that begin with `>`.
    else if (last && line.startsWith('> ') && !last.output) last.command += `\n${line.slice(2)}`
    else if (last) last.output += `${line}\n`
    else throw new Error(`no command before: ${line}`)
  }
  return commands
}

/** Applies a `diff` block: the lines that are not new have to be there, once. */
export function applyDiff(text: string, diff: string, undo = false): string {
  const [removed, added] = undo ? ['+', '-'] : ['-', '+']
  const lines = diff.trimEnd().split('\n')
  const side = (sign: string) => lines.filter((line) => line[0] !== sign).map((line) => `${line.slice(1)}\n`)
  const before = side(added).join('')
  const found = text.split(before).length - 1
  if (found !== 1) throw new Error(`${found ? 'more than once' : 'not'} in the file:\n${before}`)
  return text.replace(before, () => side(removed).join(''))
}

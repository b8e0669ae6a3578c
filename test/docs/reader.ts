/** Does what a page tells its readers, in a folder of their own, and sees whether it comes out as the page shows. */

import { spawn, type ChildProcess } from 'node:child_process'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { find } from './compare.ts'
import { applyDiff, commandsOf, type Block } from './markdown.ts'

/** For something to be printed by a program that goes on. */
const PATIENCE = 60_000
const COMMAND_TIMEOUT = 120_000

export interface ReaderOptions {
  /** The checkout of Meshscript that the reader has. */
  checkout: string
  /** The reader's home folder; the work is done under it. */
  home: string
  env: Record<string, string>
  /** What to write instead of which ports, so that others may have those. */
  ports: Record<string, number>
}

interface Terminal {
  command: string
  child: ChildProcess
  printed: string
  /** Number of lines that were looked at. */
  seen: number
}

export class Reader {
  /** Where commands run, and files are. */
  private folder: string
  private env: Record<string, string>
  private readonly terminals: Terminal[] = []
  private undo: (() => void) | undefined

  constructor(readonly options: ReaderOptions) {
    this.folder = options.home
    this.env = { ...options.env, HOME: options.home }
  }

  async follow(block: Block): Promise<void> {
    const { language, info } = block
    const text = this.withPorts(block.text)
    if (language === 'text') return this.expectFrom(this.terminals.at(-1), text)
    if (language === 'diff') return this.change(info, text)
    if (language === 'sh') return this.enter(text, info)
    if (language === 'console') {
      if (info.includes('in another terminal')) return this.open(text)
      await this.console(text, info)
      this.undo?.()
      this.undo = undefined
      return
    }
    if (!/^[\w./-]+$/.test(info)) throw new Error(`a ${language} block without a file's name: '${info}'`)
    const file = join(this.folder, info)
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, text)
  }

  /** Ends what runs in other terminals. */
  async close(): Promise<void> {
    const running = this.terminals.filter(({ child }) => child.exitCode === null && child.signalCode === null)
    await Promise.all(
      running.map(({ child }) => {
        const ended = new Promise((resolve) => child.once('close', resolve))
        // The shell's process group: the program is its child.
        process.kill(-child.pid!, 'SIGKILL')
        return ended
      }),
    )
  }

  private withPorts(text: string): string {
    return Object.entries(this.options.ports).reduce((all, [port, free]) => all.replaceAll(port, `${free}`), text)
  }

  private change(info: string, diff: string): void {
    const [path = '', ...rest] = info.split(' ')
    const file = join(this.folder, path)
    const apply = (undo: boolean) => writeFileSync(file, applyDiff(readFileSync(file, 'utf8'), diff, undo))
    apply(false)
    if (rest.join(' ') === 'to be undone') this.undo = () => apply(true)
  }

  private async enter(text: string, info: string): Promise<void> {
    const { status, printed } = await this.run(
      text,
      info.includes('in the checkout') ? this.options.checkout : undefined,
    )
    if (status !== 0) throw new Error(`${text}failed:\n${printed}`)
  }

  private async console(text: string, info: string): Promise<void> {
    const commands = commandsOf(text)
    for (const [index, { command, output }] of commands.entries()) {
      const { status, printed } = await this.run(command, this.placeOf(info))
      const wanted = index === commands.length - 1 ? Number(/exit (\d+)/.exec(info)?.[1] ?? 0) : 0
      if (status !== wanted) throw new Error(`$ ${command}\nended with ${status}:\n${printed}`)
      if (find(output, printed) === undefined) {
        throw new Error(`$ ${command}\nshould print\n${output}\nand prints\n${printed}`)
      }
    }
  }

  private placeOf(info: string): string | undefined {
    return info.includes('in the checkout') ? this.options.checkout : undefined
  }

  /** As in one terminal: the folder stays, but for what is done in the checkout. */
  async run(script: string, cwd?: string): Promise<{ status: number | null; printed: string }> {
    const state = join(this.options.home, '.terminal')
    const keep = cwd ? '' : `pwd > ${state}`
    const child = spawn('sh', ['-e', '-c', `{ ${script}\n${keep}\n} 2>&1`], {
      cwd: cwd ?? this.folder,
      env: this.env,
      stdio: ['ignore', 'pipe', 'inherit'],
      timeout: COMMAND_TIMEOUT,
    })
    let printed = ''
    child.stdout.setEncoding('utf8').on('data', (data: string) => (printed += data))
    const status = await new Promise<number | null>((resolve, reject) => {
      child.once('error', reject).once('close', resolve)
    })
    if (keep && existsSync(state)) this.folder = readFileSync(state, 'utf8').trim()
    return { status, printed }
  }

  private async open(text: string): Promise<void> {
    const commands = commandsOf(text)
    const command = commands.map((each) => each.command).join('\n')
    const child = spawn('sh', ['-e', '-c', `{ ${command}\n} 2>&1`], {
      cwd: this.options.home,
      env: this.env,
      detached: true,
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const terminal = { command, child, printed: '', seen: 0 }
    child.stdout.setEncoding('utf8').on('data', (data: string) => (terminal.printed += data))
    this.terminals.push(terminal)
    await this.expectFrom(terminal, commands.at(-1).output)
  }

  private async expectFrom(terminal: Terminal | undefined, shown: string): Promise<void> {
    if (!terminal) throw new Error('there is no other terminal')
    for (const end = Date.now() + PATIENCE; Date.now() < end; await sleep(50)) {
      const rest = terminal.printed.split('\n').slice(terminal.seen).join('\n')
      const found = find(shown, rest, true)
      if (found === undefined) continue
      terminal.seen += found
      return
    }
    throw new Error(`$ ${terminal.command}\nshould print\n${shown}\nand prints\n${terminal.printed}`)
  }
}

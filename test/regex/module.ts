/** Runs the filter of `assembly` on WebAssembly alone: commands in, an answer for each. */

import { readFileSync } from 'node:fs'

const OK = 0
const NOT_FOUND = 1
const CRITICAL = 5
const ROOT = 1

interface Exports {
  memory: WebAssembly.Memory
  _initialize(): void
  proxy_on_memory_allocate(size: number): number
  proxy_on_context_create(id: number, parent: number): void
  proxy_on_configure(id: number, size: number): number
}

type Text = Uint8Array | string

/** As in `assembly/index.ts`. */
const NEW_SET = 0
const ADD_PATTERN = 1
const COMPILE = 2
const MATCH = 3
const NEW_TRIE = 4
const ADD_BLOCK = 5
const MATCH_ADDRESS = 6
const TEMPLATE = 7

export class RegexModule {
  private readonly exports: Exports
  private commands: Uint8Array[] = []
  private answers: Buffer[] = []
  private input: Uint8Array = new Uint8Array()

  constructor(path: string) {
    const module = new WebAssembly.Module(readFileSync(path))
    const env: Record<string, (...args: number[]) => number> = {}
    for (const { name } of WebAssembly.Module.imports(module)) env[name] = () => NOT_FOUND
    env['proxy_log'] = (level = 0, at = 0, size = 0) => this.answer(level, at, size)
    env['proxy_get_buffer_bytes'] = (_type, _start, _length, outAddress = 0, outSize = 0) =>
      this.give(outAddress, outSize)
    this.exports = new WebAssembly.Instance(module, { env }).exports as unknown as Exports
    this.exports._initialize()
    this.exports.proxy_on_context_create(ROOT, 0)
  }

  /** Bytes of the module's memory. */
  get memory(): number {
    return this.exports.memory.buffer.byteLength
  }

  /** Compiles patterns to a set. Answers for each why it is refused, or ''. */
  compile(patterns: readonly Text[]): string[] {
    this.command(NEW_SET)
    for (const pattern of patterns) this.command(ADD_PATTERN, pattern)
    this.command(COMPILE)
    return this.run().map(String)
  }

  /** For each text the numbers of the patterns that match it. */
  match(texts: readonly Text[]): number[][] {
    for (const text of texts) this.command(MATCH, text)
    return this.run().map(numbers)
  }

  /** Adds blocks of addresses, each with its index as number. Answers which were accepted. */
  blocks(blocks: readonly string[]): boolean[] {
    this.command(NEW_TRIE)
    for (const [i, block] of blocks.entries()) {
      const argument = Buffer.alloc(4 + block.length)
      argument.writeInt32LE(i)
      argument.write(block, 4, 'latin1')
      this.command(ADD_BLOCK, argument)
    }
    return this.run().map((answer) => String(answer) === 'true')
  }

  /** For each address the numbers of the blocks that contain it; undefined when it is no address. */
  addresses(addresses: readonly string[]): (number[] | undefined)[] {
    for (const address of addresses) this.command(MATCH_ADDRESS, address)
    return this.run().map((answer) => (String(answer) === '.' ? undefined : numbers(answer)))
  }

  /** For each path template its regular expression, or undefined. */
  templates(templates: readonly string[]): (string | undefined)[] {
    for (const template of templates) this.command(TEMPLATE, template)
    return this.run().map((answer) => (String(answer) === 'refused' ? undefined : String(answer)))
  }

  private command(command: number, argument: Text = ''): void {
    const bytes = typeof argument === 'string' ? Buffer.from(argument) : argument
    const head = Buffer.alloc(5)
    head.writeUInt8(command)
    head.writeUInt32LE(bytes.length, 1)
    this.commands.push(head, bytes)
  }

  private run(): Buffer[] {
    this.input = Buffer.concat(this.commands)
    this.commands = []
    this.answers = []
    // Garbage is collected when a context is made, as Envoy does for each configuration; this one is there already.
    this.exports.proxy_on_context_create(ROOT, 0)
    this.exports.proxy_on_configure(ROOT, this.input.length)
    return this.answers
  }

  private answer(level: number, at: number, size: number): number {
    const bytes = Buffer.from(new Uint8Array(this.exports.memory.buffer, at, size))
    if (level >= CRITICAL) throw new Error(bytes.toString())
    this.answers.push(bytes)
    return OK
  }

  private give(outAddress: number, outSize: number): number {
    const { length } = this.input
    const at = length ? this.exports.proxy_on_memory_allocate(length) : 0
    new Uint8Array(this.exports.memory.buffer).set(this.input, at)
    const view = new DataView(this.exports.memory.buffer)
    view.setUint32(outAddress, at, true)
    view.setUint32(outSize, length, true)
    return OK
  }
}

function numbers(answer: Buffer): number[] {
  return Array.from({ length: answer.length / 4 }, (_, i) => answer.readInt32LE(i * 4))
}

/** `meshscript observe` while it receives, within this process or as one of its own. */
import { type ChildProcess, spawn } from 'node:child_process'
import { request } from 'node:http'
import { fileURLToPath } from 'node:url'
import { expect } from 'vitest'
import { type CliFolder, type CliResult } from '../../../cli/src/testing.ts'

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url))
const LOADER = ['--conditions=meshscript-source', '--import', here('../../../scripts/typescript.mjs')]

export interface Answer {
  status: number
  body: { error?: { message: string; lines?: { line: number; message: string }[] } }
}

const NDJSON = { 'content-type': 'application/x-ndjson' }

/** Sends a body; chunks of one are sent without its length. */
export function post(
  url: string,
  body: string | Buffer | Buffer[],
  headers: Record<string, string> = NDJSON,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method: 'POST', headers, agent: false }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (piece: string) => (text += piece))
      response.on('end', () => resolve({ status: response.statusCode!, body: JSON.parse(text) as Answer['body'] }))
    })
    let isAnswered = false
    sent.on('response', () => (isAnswered = true))
    // It may close before all was sent.
    sent.on('error', (error) => !isAnswered && reject(error))
    if (!Array.isArray(body)) return void sent.end(body)
    for (const chunk of body) sent.write(chunk)
    sent.end()
  })
}

/** Within this process. */
export class Observing {
  url = ''
  stdout = ''
  stderr = ''
  readonly ended: Promise<CliResult>
  readonly #stop = new AbortController()

  private constructor(folder: CliFolder, options: string, onOutput: (text: string) => void) {
    const words = ['observe', ...(options.includes('--listen') ? [] : ['--listen', '0']), ...options.split(' ')]
    this.ended = folder.run(words.filter(Boolean), { signal: this.#stop.signal }, onOutput)
  }

  /** Answers when it listens. */
  static async start(folder: CliFolder, options = ''): Promise<Observing> {
    let listens!: () => void
    const listening = new Promise<void>((resolve) => (listens = resolve))
    const observing: Observing = new Observing(folder, options, (text) => {
      const [, url] = /receiving flows at (\S+);/.exec(text) ?? []
      if (url) {
        observing.url = url
        listens()
      } else if (text.startsWith('meshscript: ')) observing.stderr += text
      else observing.stdout += text
    })
    await Promise.race([listening, observing.ended.then((end) => Promise.reject(new Error(JSON.stringify(end))))])
    return observing
  }

  post(body: Parameters<typeof post>[1], headers?: Record<string, string>): Promise<Answer> {
    return post(this.url, body, headers)
  }

  /** As Ctrl-C does it. */
  async stop(): Promise<CliResult> {
    this.#stop.abort()
    return this.ended
  }
}

export interface End {
  code: number | null
  signal: NodeJS.Signals | null
}

/** As a process. */
export class ObservingProcess {
  readonly child: ChildProcess
  stdout = ''
  stderr = ''
  readonly ended: Promise<End>

  constructor(folder: string, options: string) {
    this.child = spawn(
      process.execPath,
      [...LOADER, here('../../../cli/src/main.ts'), 'observe', ...options.split(' ')],
      {
        cwd: folder,
      },
    )
    this.child.stdout!.on('data', (data) => (this.stdout += String(data)))
    this.child.stderr!.on('data', (data) => (this.stderr += String(data)))
    this.ended = new Promise((resolve) => this.child.once('close', (code, signal) => resolve({ code, signal })))
  }

  /** Where it receives. */
  async url(): Promise<string> {
    await expect.poll(() => this.stderr, { timeout: 20_000 }).toMatch(/receiving flows at \S+;/)
    return /receiving flows at (\S+);/.exec(this.stderr)![1]!
  }

  async interrupt(): Promise<End> {
    this.child.kill('SIGINT')
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000)
    try {
      return await this.ended
    } finally {
      clearTimeout(timer)
    }
  }
}

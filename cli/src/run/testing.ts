/** For the tests of `meshscript run`: a filter, and one that runs. */

import { Agent, request } from 'node:http'
import { CliFolder } from '../testing.ts'
import type { RunEvent } from './events.ts'
import { runFilters, type RunOptions } from './index.ts'

/** Adds what its configuration says to each response, answers `/deny` itself, traps at `/trap`. */
export const MARK = `import { Action, Configuration, HttpContext, RootContext, log, utf8 } from '@meshscript/sdk'

export class Root extends RootContext {
  mark: string = ''

  onConfigure(configuration: Configuration): bool {
    const json = configuration.json()
    this.mark = json.get('mark').string()
    return json.refuseUnknown()
  }
}

export class Mark extends HttpContext<Root> {
  onRequestHeaders(): Action {
    log.info(\`mark is \${this.root.mark}\`)
    const path = this.requestHeaders.getOrEmpty(':path').toString()
    if (path == '/trap') unreachable()
    if (path == '/deny') {
      this.sendLocalResponse(403, 'no\\n', null, -1, utf8('not_today'))
      return Action.Pause
    }
    this.requestHeaders.set('x-seen', 'by the filter')
    this.requestHeaders.remove('x-secret')
    return Action.Continue
  }

  onResponseHeaders(): Action {
    this.responseHeaders.set('x-mark', this.root.mark)
    this.responseHeaders.set('x-build', '1')
    return Action.Continue
  }
}
`

/** A project with the filter, and its configuration in the settings. */
export function markProject(): CliFolder {
  return new CliFolder({
    'mark/package.json': '{ "name": "mark" }',
    'mark/meshscript.json': '{ "configuration": "config.json" }',
    'mark/config.json': '{ "mark": "a" }',
    'mark/assembly/index.ts': MARK,
  })
}

type EventOf<Name extends RunEvent['event']> = Extract<RunEvent, { event: Name }>

export class Running {
  readonly events: RunEvent[] = []
  readonly done: Promise<void>
  readonly #stop = new AbortController()
  #failure: unknown

  constructor(options: Partial<RunOptions> & { cwd: string }) {
    const defaults: Omit<RunOptions, 'cwd'> = {
      paths: ['mark'],
      configurations: [],
      port: 0,
      docker: false,
      concurrency: 1,
      logLevel: 'info',
      tcp: false,
      page: false,
      watch: true,
      once: false,
      env: process.env,
      signal: this.#stop.signal,
    }
    this.done = runFilters({ ...defaults, ...options }, (event) => this.events.push(event))
    this.done.catch((error: unknown) => (this.#failure = error))
  }

  /** The events of this name so far. */
  all<Name extends RunEvent['event']>(name: Name): EventOf<Name>[] {
    return this.events.filter((event): event is EventOf<Name> => event.event === name)
  }

  /** The event number `count` of this name, which may be still to come. */
  async next<Name extends RunEvent['event']>(name: Name, count = 1): Promise<EventOf<Name>> {
    for (const end = Date.now() + 40_000; ; await new Promise((resolve) => setTimeout(resolve, 5))) {
      const event = this.all(name)[count - 1]
      if (event) return event
      if (this.#failure) throw this.#failure as Error
      if (Date.now() > end) throw new Error(`no event ${name} ${count}; there are ${JSON.stringify(this.events)}`)
    }
  }

  async stop(): Promise<void> {
    this.#stop.abort()
    await this.done
  }
}

export interface Answer {
  status: number
  headers: NodeJS.Dict<string | string[]>
  text: string
}

/** A request, with the header lines as given. */
export function ask(
  url: string,
  headers: string[] = [],
  agent?: Agent,
  method = 'GET',
  body?: string,
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const lines = headers.some((name) => name.toLowerCase() === 'host')
      ? headers
      : ['host', new URL(url).host, ...headers]
    const call = request(url, { method, headers: lines, agent: agent ?? false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString()
        if (!response.complete) return reject(new Error('the response is not complete'))
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text })
      })
    })
    call.on('error', reject)
    call.end(body)
  })
}

/** Sends requests without a pause until stopped, by several connections. */
export class Load {
  sent = 0
  readonly answers = new Map<string, number>()
  readonly failures: string[] = []
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 })
  readonly #loops: Promise<void>[]
  #ended = false

  /** `paths` are asked for in turn, each by two loops. */
  constructor(url: string, paths: readonly string[]) {
    this.#loops = [...paths, ...paths].map((path) => this.#loop(url + path))
  }

  async stop(): Promise<void> {
    this.#ended = true
    await Promise.all(this.#loops)
    this.#agent.destroy()
  }

  async #loop(url: string): Promise<void> {
    while (!this.#ended) {
      this.sent++
      try {
        const { status, headers } = await ask(url, [], this.#agent)
        const key = `${status} ${String(headers['x-mark'])} ${String(headers['x-build'])}`
        this.answers.set(key, (this.answers.get(key) ?? 0) + 1)
      } catch (error) {
        this.failures.push((error as Error).message)
      }
      await new Promise((resolve) => setTimeout(resolve, 2))
    }
  }
}

/** A receiver of OTLP spans that fails as it is told to. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** What it does with spans: `slow` answers in time, but later than more spans come; `late` answers when nobody waits. A number is the status that it answers. */
export type Behaviour = 'takes' | 'gone' | 'resets' | 'hangs' | 'slow' | 'late' | number

/** How long it takes, of the time in which it is waited for. */
const DELAYS: Partial<Record<Behaviour, number>> = { slow: 0.6, late: 1.5 }

interface Body {
  resourceSpans: { scopeSpans: { spans: { spanId: string }[] }[] }[]
}

export class Receiver {
  /** Ids of the spans that it has taken. */
  readonly taken = new Set<string>()
  /** Requests that have come, whatever became of them. */
  requests = 0
  #behaviour: Behaviour = 'takes'
  #server?: Server
  readonly #folder = mkdtempSync(join(tmpdir(), 'meshscript-receiver-'))
  // A port could be another program's when the receiver is back.
  readonly #path = join(this.#folder, 'socket')
  readonly #timeout: number

  /** `timeout`: milliseconds that it is waited for. */
  constructor(timeout: number) {
    this.#timeout = timeout
  }

  /** Changes what it does. */
  async become(behaviour: Behaviour): Promise<void> {
    this.#behaviour = behaviour
    await this.#stop()
    if (behaviour === 'gone') return
    const server = createServer((request, response) => void this.#answer(request, response))
    this.#server = server
    await new Promise<void>((resolve) => server.listen(this.#path, resolve))
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.requests++
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk as Buffer)
    const behaviour = this.#behaviour
    if (behaviour === 'hangs') return
    if (behaviour === 'resets') return void request.socket.destroy()
    if (typeof behaviour === 'number') {
      return void response.writeHead(behaviour, behaviour === 429 ? { 'retry-after': '1' } : {}).end()
    }
    await sleep((DELAYS[behaviour] ?? 0) * this.#timeout)
    const { resourceSpans } = JSON.parse(Buffer.concat(chunks).toString()) as Body
    for (const { scopeSpans } of resourceSpans)
      for (const { spans } of scopeSpans) for (const { spanId } of spans) this.taken.add(spanId)
    response.writeHead(200, { 'content-type': 'application/json' }).end('{}')
  }

  /** Envoy's cluster of it. */
  cluster(name: string): object {
    const endpoint = { endpoint: { address: { pipe: { path: this.#path } } } }
    return {
      name,
      type: 'STATIC',
      connect_timeout: '1s',
      load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [endpoint] }] },
    }
  }

  async #stop(): Promise<void> {
    const server = this.#server
    this.#server = undefined
    if (!server) return
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }

  async close(): Promise<void> {
    await this.#stop()
    rmSync(this.#folder, { recursive: true, force: true })
  }
}

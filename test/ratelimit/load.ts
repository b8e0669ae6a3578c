/** More requests than a limit lets pass, by several clients to several workers of real Envoy: how many pass, and when. */

import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createEnvoyHost, type EnvoyHost, LISTENER } from '../../sdk/testing/envoy/index.ts'
import type { PluginOptions } from '../../sdk/testing/types.ts'

export interface LoadOptions {
  plugin: Omit<PluginOptions, 'configuration'>
  algorithm: 'token-bucket' | 'sliding-window'
  /** Requests that pass in `per` milliseconds. */
  requests: number
  per: number
  /** Of the token bucket; default `requests`. */
  burst?: number
  /** Milliseconds. */
  duration: number
  /** Milliseconds between two requests of a client: 0 for as fast as can be. */
  pause?: number
  clients?: number
  workers?: number
}

export interface Measured {
  sent: number
  admitted: number
  /** What may pass at most in the time from the first request to the last answer. */
  most: number
  /** What the limit lets pass in the time that surely was measured. */
  expected: number
  /** The most that has passed within a stretch as long as `per`. */
  mostInWindow: number
  /** Workers that have had connections. */
  workers: number
}

/** When a request that passed was sent and answered, in milliseconds. */
interface Passed {
  sent: number
  answered: number
}

/** Requests on a connection. Each new one may go to another worker. */
const OF_CONNECTION = 50
const REQUEST = 'GET / HTTP/1.1\r\nhost: localhost\r\nx-user: bob\r\n\r\n'

export async function measureLoad(options: LoadOptions): Promise<Measured> {
  const { plugin, algorithm, requests, per, duration, pause = 0, clients = 8, workers = 4 } = options
  const isBucket = algorithm === 'token-bucket'
  const burst = isBucket ? (options.burst ?? requests) : 0
  const limit = { requests, per: `${per}ms`, algorithm, ...(isBucket && { burst }) }
  const host = await createEnvoyHost({
    ...plugin,
    configuration: { version: 1, rules: [{ name: 'all', limit, scope: 'proxy' }] },
    routes: [{ directResponse: { status: 200, body: 'ok' } }],
    workers,
  })
  try {
    const port = host.envoy.ports[LISTENER]!
    const passed: Passed[] = []
    let sent = 0
    let [firstAnswer, lastSent] = [Infinity, 0]
    const start = performance.now()
    const end = start + duration
    const ask = async (client: Client): Promise<void> => {
      const begin = performance.now()
      const status = await client.ask()
      const answered = performance.now()
      sent++
      firstAnswer = Math.min(firstAnswer, answered)
      lastSent = Math.max(lastSent, begin)
      if (status === 200) passed.push({ sent: begin, answered })
      else if (status !== 429) throw new Error(`status ${status}`)
    }
    await Promise.all(
      Array.from({ length: clients }, async () => {
        while (performance.now() < end) {
          const client = await Client.open(port)
          for (let i = 0; i < OF_CONNECTION && performance.now() < end; i++) {
            await ask(client)
            if (pause) await sleep(pause)
          }
          client.close()
        }
      }),
    )
    const rate = requests / per
    const time = Math.max(...passed.map(({ answered }) => answered)) - start
    // What is measured is longer than what is surely under load by one request at each end.
    return {
      sent,
      admitted: passed.length,
      most: isBucket ? burst + rate * time : requests * (Math.floor(time / per) + 1),
      expected: burst + rate * (lastSent - firstAnswer),
      mostInWindow: mostWithin(passed, per),
      workers: await workersOf(host),
    }
  } finally {
    await host.close()
  }
}

/** How many were sent and answered within the same stretch of time, so that they surely passed in it: the most of all stretches. */
export function mostWithin(passed: readonly Passed[], length: number): number {
  const bySent = passed.map(({ sent }) => sent).sort((a, b) => a - b)
  const byAnswer = [...passed].sort((a, b) => a.answered - b.answered)
  let most = 0
  for (const from of bySent) {
    const count = upTo(byAnswer, from + length).filter(({ sent }) => sent >= from).length
    most = Math.max(most, count)
  }
  return most
}

function upTo(byAnswer: readonly Passed[], time: number): readonly Passed[] {
  let [low, high] = [0, byAnswer.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (byAnswer[middle]!.answered <= time) low = middle + 1
    else high = middle
  }
  return byAnswer.slice(0, low)
}

async function workersOf(host: EnvoyHost): Promise<number> {
  const counters = Object.entries(await host.envoy.stats('worker_\\d+\\.downstream_cx_total'))
  return counters.filter(
    ([name, value]) => name.startsWith('listener.') && !name.includes('admin') && Number(value) > 0,
  ).length
}

/** One connection, one request at a time. */
class Client {
  static open(port: number): Promise<Client> {
    return new Promise((resolve, reject) => {
      const socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1')
      socket.once('connect', () => resolve(new Client(socket)))
      socket.once('error', reject)
    })
  }

  readonly #socket: ReturnType<typeof connect>
  #answer = ''
  #done: ((status: number) => void) | undefined
  #failed: ((error: Error) => void) | undefined

  private constructor(socket: ReturnType<typeof connect>) {
    this.#socket = socket
    socket.on('data', (chunk: string) => this.#take(chunk))
    socket.on('error', (error) => this.#failed?.(error))
    socket.on('close', () => this.#failed?.(new Error(`closed in the middle of: ${this.#answer.slice(0, 300)}`)))
  }

  #take(chunk: string): void {
    this.#answer += chunk
    const head = this.#answer.indexOf('\r\n\r\n')
    if (head < 0) return
    const length = Number(/content-length: (\d+)/i.exec(this.#answer)?.[1] ?? 0)
    if (this.#answer.length < head + 4 + length) return
    const done = this.#done
    this.#done = this.#failed = undefined
    done?.(Number(this.#answer.slice(9, 12)))
  }

  /** Resolves with the status. */
  ask(): Promise<number> {
    return new Promise((resolve, reject) => {
      this.#answer = ''
      this.#done = resolve
      this.#failed = reject
      this.#socket.write(REQUEST)
    })
  }

  close(): void {
    this.#socket.destroy()
  }
}

/** The OpenTelemetry Collector's own receivers (test/telemetry/collector) as a process, and what has come to them. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { ClusterSpec } from '@meshscript/sdk/testing/envoy/index'
import { buildCollector } from '../../../scripts/collector.mjs'

/** Whose form spans are sent in. */
export type Receiver = 'otlp' | 'zipkin' | 'datadog'

/** A span as a receiver has understood it. */
export interface Span {
  receiver: Receiver
  traceId: string
  spanId: string
  /** Empty: the trace begins with it. */
  parentSpanId: string
  traceState: string
  flags: number
  name: string
  kind: 'Server' | 'Client' | 'Internal' | 'Unspecified'
  service: string
  /** Nanoseconds since 1970. */
  start: bigint
  end: bigint
  status: 'Unset' | 'Ok' | 'Error'
  attributes: Record<string, unknown>
  resource: Record<string, unknown>
}

type Line = { receiver: Receiver; endpoint: string } | (Omit<Span, 'start' | 'end'> & { start: string; end: string })

const RECEIVERS: readonly Receiver[] = ['otlp', 'zipkin', 'datadog']
/** Milliseconds until it must listen. */
const START = 20_000

export class Collector {
  /** All that have come so far. */
  readonly spans: Span[] = []
  readonly #endpoints = new Map<Receiver, string>()
  #child?: ChildProcess
  #over?: Promise<unknown>
  readonly #program: string

  private constructor(program: string) {
    this.#program = program
  }

  /** Builds the program where nobody has, which takes minutes. */
  static async start(): Promise<Collector> {
    const collector = new Collector(await buildCollector())
    await collector.resume()
    return collector
  }

  /** Starts it, after `kill` where it was. */
  async resume(): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'meshscript-collector-'))
    try {
      writeFileSync(join(folder, 'config.json'), JSON.stringify({ receivers: this.#receivers() }))
      await this.#run(join(folder, 'config.json'))
    } finally {
      rmSync(folder, { recursive: true, force: true })
    }
  }

  #receivers(): object {
    const at = (receiver: Receiver) => ({ endpoint: this.#endpoints.get(receiver) ?? '127.0.0.1:0' })
    return { otlp: { protocols: { http: at('otlp') } }, zipkin: at('zipkin'), datadog: at('datadog') }
  }

  #run(config: string): Promise<void> {
    const child = spawn(this.#program, ['--config', config], { stdio: ['ignore', 'pipe', 'pipe'] })
    this.#child = child
    this.#over = new Promise((resolve) => child.once('close', resolve))
    let errors = ''
    child.stderr.on('data', (data: Buffer) => (errors += data.toString()))
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => child.kill('SIGKILL'), START)
      const listening = new Set<Receiver>()
      createInterface({ input: child.stdout }).on('line', (text) => {
        const line = JSON.parse(text) as Line
        if (!('endpoint' in line)) {
          this.spans.push({ ...line, start: BigInt(line.start), end: BigInt(line.end) })
          return
        }
        this.#endpoints.set(line.receiver, line.endpoint)
        listening.add(line.receiver)
        if (listening.size < RECEIVERS.length) return
        clearTimeout(late)
        resolve()
      })
      void this.#over!.then(() => {
        clearTimeout(late)
        reject(new Error(`the collector has ended:\n${errors}`))
      })
    })
  }

  /** Envoy's cluster of a receiver. */
  cluster(receiver: Receiver): ClusterSpec {
    const url = new URL(`http://${this.#endpoints.get(receiver)!}`)
    return { endpoints: [{ host: url.hostname, port: Number(url.port) }] }
  }

  /** Ends it at once. `resume` starts it at the same place. */
  async kill(): Promise<void> {
    this.#child?.kill('SIGKILL')
    await this.#over
  }
}

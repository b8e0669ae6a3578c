/** A host with the probe filter: specs give it a script, send something, and read what the probe wrote down. */
import { createHost, type Host, type HostOptions, type RequestInit, type Response } from '@meshscript/sdk/testing'
import { afterAll, beforeAll, expect } from 'vitest'
import { compileProbe } from '../compile.ts'
import { encodeScript, type Script } from './script.ts'

/** Milliseconds that lines after the response (`log`, `delete`, ticks, callouts) may take on a busy machine. */
const LATE = 10_000
/** The clock goes on in steps of this: real time on Envoy, virtual time on the Node host. */
const STEP = 10

export class Probe {
  readonly host: Host
  #start = 0

  constructor(host: Host) {
    this.host = host
  }

  /** A host with the probe as its filter. The script is for start-up; `run` gives it others. */
  static async start(options: HostOptions = {}, script: Script = {}): Promise<Probe> {
    const wasm = await compileProbe()
    // A filter of the chain that names no configuration of its own gets the script.
    const filters = options.filters?.map((filter) => ({
      name: 'probe',
      configuration: encodeScript(script),
      ...filter,
    }))
    const single = { wasm, name: 'probe', configuration: encodeScript(script) }
    return new Probe(await createHost({ ...single, ...options, ...(filters && { filters }) }))
  }

  /** Gives the filter another script. The log of the spec begins here. */
  async run(script: Script): Promise<void> {
    await this.host.reconfigure(encodeScript(script))
    this.#start = this.host.logs.length
  }

  /**
   * Gives the filter the script and sends a request. Of a body in chunks each is sent when the probe has written down the one
   * before: a busy machine would make one of two.
   */
  async request(script: Script, init: RequestInit = {}): Promise<Response> {
    await this.run(script)
    const { body, ...rest } = init
    if (!isChunks(body)) return this.host.request(init)
    const stream = await this.host.stream(rest)
    for (const chunk of body) {
      const { length } = this.log
      await stream.write(chunk)
      await this.waitFor((log) => log.length > length)
    }
    await stream.end()
    return stream.response()
  }

  /** What the probe wrote since `run`. */
  get log(): string[] {
    return this.host.logs.slice(this.#start).map(({ message }) => message)
  }

  /** Waits until the probe wrote these lines, and checks that it wrote no others. */
  async expectLog(lines: readonly string[]): Promise<void> {
    await this.waitFor((log) => log.length >= lines.length)
    expect(this.log).toEqual(lines)
  }

  /** Waits until the log is as wanted, or a while. */
  async waitFor(done: (log: string[]) => boolean): Promise<void> {
    for (let waited = 0; !done(this.log) && waited < LATE; waited += STEP) await this.host.advance(STEP)
  }
}

const isChunks = (body: RequestInit['body']): body is readonly (string | Uint8Array)[] => Array.isArray(body)

/** One host for the specs of a group: starting it costs more than the specs do. */
export function sharedProbe(options: HostOptions | (() => HostOptions | Promise<HostOptions>) = {}): () => Probe {
  let probe: Probe | undefined
  beforeAll(async () => {
    probe = await Probe.start(typeof options === 'function' ? await options() : options)
  })
  afterAll(() => probe?.host.close())
  return () => probe!
}

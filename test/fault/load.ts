/** Requests that wait by the thousand in real Envoy with one worker: how exact their delays are, and what other requests notice of them. */

import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { type ClientHttp2Session, connect } from 'node:http2'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'
import { createEnvoyHost, extension, LISTENER } from '../../sdk/testing/envoy/index.ts'
import type { PluginOptions } from '../../sdk/testing/types.ts'
import { root } from '../bench/paths.ts'

/** Milliseconds. */
export interface Quantiles {
  count: number
  least: number
  median: number
  p99: number
  most: number
}

export interface Measured {
  /** Requests that were sent to be delayed, and those answered as they should. */
  sent: number
  answered: number
  /** Most that waited at the same time, as the client saw it. */
  concurrent: number
  /** By how much they waited longer than was said, as Envoy's access log has it. */
  late: Quantiles
  /** What other requests took, as a client in a thread of its own saw it. */
  alone: Quantiles
  beside: Quantiles
}

export interface LoadOptions {
  plugin: Omit<PluginOptions, 'configuration'>
  concurrent: number
  /** Milliseconds of each delay. */
  delay: number
  /** How often each of them is sent. */
  rounds: number
  /** All at once; else spread over the time of a delay. */
  isBurst?: boolean
}

/** Streams of one connection: Envoy takes 1024. */
const STREAMS = 500
/** Milliseconds between the requests of others. */
const PAUSE = 2

const LOG = '%REQ(:PATH)% %RESPONSE_CODE% %COMMON_DURATION(DS_RX_BEG:DS_TX_BEG:us)%\n'

export async function measureLoad({
  plugin,
  concurrent,
  delay,
  rounds,
  isBurst = false,
}: LoadOptions): Promise<Measured> {
  const folder = mkdtempSync(join(tmpdir(), 'meshscript-fault-'))
  const log = join(folder, 'access.log')
  const fault = { delay: { percentage: 100, fixed: `${delay}ms` } }
  const host = await createEnvoyHost({
    ...plugin,
    configuration: {
      version: 1,
      virtualHosts: [{ domains: ['*'], routes: [{ match: [{ path: { prefix: '/fault' } }], fault }] }],
    },
    routes: [{ directResponse: { status: 200, body: 'ok' } }],
    workers: 1,
    connectionManager: {
      access_log: [
        extension('file', 'envoy.extensions.access_loggers.file.v3.FileAccessLog', {
          path: log,
          log_format: { text_format_source: { inline_string: LOG } },
        }),
      ],
    },
  })
  const sessions: ClientHttp2Session[] = []
  try {
    const port = host.envoy.ports[LISTENER]!
    for (let i = 0; i < concurrent; i += STREAMS) sessions.push(connect(`http://127.0.0.1:${port}`))
    const duration = delay * rounds + delay
    const alone = await probe(port, () => sleep(duration))
    let waiting = 0
    let most = 0
    let answered = 0
    const ask = async (session: ClientHttp2Session): Promise<void> => {
      waiting++
      most = Math.max(most, waiting)
      if ((await get(session)) === '200 ok') answered++
      waiting--
    }
    const beside = await probe(port, () =>
      Promise.all(
        Array.from({ length: concurrent }, async (_, i) => {
          if (!isBurst) await sleep((i * delay) / concurrent)
          for (let round = 0; round < rounds; round++) await ask(sessions[i % sessions.length]!)
        }),
      ),
    )
    const sent = concurrent * rounds
    const lines = await readLog(log, sent)
    return {
      sent,
      answered,
      concurrent: most,
      late: quantiles(lines.map((time) => time / 1000 - delay)),
      alone: quantiles(alone),
      beside: quantiles(beside),
    }
  } finally {
    for (const session of sessions) session.destroy()
    await host.close()
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What requests take while something else is done. */
async function probe(port: number, work: () => Promise<unknown>): Promise<number[]> {
  const worker = new Worker(join(root, 'test/fault/probe.mjs'), { workerData: { port, pause: PAUSE } })
  const result = new Promise<number[]>((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  await Promise.race([work(), result])
  worker.postMessage('end')
  return result
}

function get(session: ClientHttp2Session): Promise<string> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': '/fault', ':authority': 'localhost' }).setEncoding('utf8')
    let [status, body] = [0, '']
    stream.on('response', (headers) => (status = headers[':status'] ?? 0))
    stream.on('data', (chunk: string) => (body += chunk))
    stream.on('error', reject)
    stream.on('close', () => resolve(`${status} ${body}`))
    stream.end()
  })
}

/** Microseconds of the requests that were delayed and answered, once Envoy has written them all. */
async function readLog(path: string, count: number): Promise<number[]> {
  for (let waited = 0; ; waited += 100) {
    const lines = readFileSync(path, 'latin1').split('\n')
    const times = lines.flatMap((line) => {
      const [, time] = /^\/fault 200 (\d+)$/.exec(line) ?? []
      return time === undefined ? [] : [Number(time)]
    })
    if (times.length >= count || waited > 15_000) return times
    await sleep(100)
  }
}

function quantiles(values: readonly number[]): Quantiles {
  const sorted = [...values].sort((a, b) => a - b)
  const at = (share: number) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? NaN
  return { count: sorted.length, least: at(0), median: at(0.5), p99: at(0.99), most: at(1) }
}

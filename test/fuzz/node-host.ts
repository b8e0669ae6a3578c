/** Requests, connections and configurations through the Node host, which answers as Envoy does: clients and services are the hostile ones. */

import { createNodeHost, type NodeHost } from '../../sdk/testing/node/index.ts'
import { type HandlerResult, HostStartError, type RequestInit } from '../../sdk/testing/types.ts'
import { Random } from '../json/documents.ts'
import { ByteSource } from './bytes.ts'
import { FuzzFailure, type FuzzOptions, type FuzzResult } from './requests.ts'

const METHODS = ['GET', 'POST', 'PUT', 'OPTIONS', 'HEAD', 'DELETE']
/** Clusters by the names that the filter takes. */
const CLUSTERS = ['upstream', 'x-user', ':path']

/** Rejects when a VM fails, or the host in a way that is not an answer to the client. `wasm`: path of a module that is polite. */
export async function fuzzNodeHost(wasm: string, { requests, seed, onProgress }: FuzzOptions): Promise<FuzzResult> {
  const random = new Random(seed)
  const bytes = new ByteSource(random)
  let sent = 0
  let configurations = 0
  let host: NodeHost | undefined
  const fail = (message: string, cause?: unknown): never => {
    throw new FuzzFailure(`seed ${seed}, request ${sent}: ${message}`, { cause })
  }
  try {
    host = await createNodeHost({
      wasm,
      name: 'fuzz',
      // A round number: the run depends on the seed alone.
      now: 1_800_000_000_000,
      trace: false,
      logLevel: 'critical',
      environment: { COLOR: 'red' },
      upstream: () => response(random, bytes),
      clusters: Object.fromEntries(
        CLUSTERS.slice(1).map((name) => [name, { kind: 'http', handler: () => response(random, bytes) }]),
      ),
    })
    let warm: [number, number] | undefined
    while (sent < requests) {
      if (!warm && sent >= requests / 2) {
        warm = await measure(host)
        bytes.hasBodies = false
      }
      await send(host, random, bytes)
      sent++
      if (random.below(20) === 0) await host.advance(random.below(2000))
      if (random.below(50) === 0) {
        configurations++
        await reconfigure(host, bytes.configuration())
      }
      const [failure] = host.failures
      if (failure) fail(failure.stack)
      if (sent % 2000 === 0) onProgress?.(sent)
    }
    const [managed, memory] = await measure(host)
    return { requests: sent, configurations, steps: sent, managed: [warm![0], managed], memory: [warm![1], memory] }
  } catch (error) {
    if (error instanceof FuzzFailure) throw error
    return fail(String(error instanceof Error ? error.stack : error), error)
  } finally {
    await host?.close()
  }
}

/** Bytes of the managed heap once all calls have ended, and of the memory. */
async function measure(host: NodeHost): Promise<[managed: number, memory: number]> {
  await host.advance(5000)
  // The plugin before the second one is as new, so the metrics that requests have made are gone.
  // Each a little different: nothing is done for the same again.
  await host.reconfigure({ report: true, labels: {} })
  const before = host.logs.length
  await host.reconfigure({ report: true })
  const managed = host.logs.slice(before).map(({ message }) => Number(/^managed (\d+)$/.exec(message)?.[1] ?? 0))
  return [Math.max(...managed), host.memorySize]
}

/** A request in pieces, at times given up; also where a filter holds it for ever, which is its own choice. */
async function send(host: NodeHost, random: Random, bytes: ByteSource): Promise<void> {
  const stream = await host.stream(request(random, bytes))
  const pieces = random.below(4)
  for (let i = 0; i < pieces; i++) await stream.write(bytes.value())
  if (random.below(16) === 0) return stream.abort()
  await stream.end(random.below(4) ? { body: bytes.value() } : { trailers: headers(random, bytes) })
  try {
    await stream.response()
  } catch (error) {
    if (!(error instanceof Error && HELD.test(error.message))) throw error
    await stream.abort()
  }
}

const HELD = /is not complete/

function request(random: Random, bytes: ByteSource): RequestInit {
  return {
    method: random.pick(METHODS),
    path: `/${latin1(bytes.noise(random.below(random.below(50) ? 40 : 8000))).replaceAll(/[^!-~]/g, '_')}`,
    headers: headers(random, bytes),
    protocol: 'http2',
    timeout: 20,
  }
}

/** Values are any bytes but those that end a line; some are as long as Envoy lets pass, and longer. */
function headers(random: Random, bytes: ByteSource): [string, string][] {
  const names = ['x-user', 'x-other', 'user-agent', 'referer', 'x-request-id']
  return Array.from({ length: random.below(6) }, () => {
    const length = random.below(100) ? random.below(80) : random.below(70_000)
    return [random.pick(names), latin1(bytes.noise(length)).replaceAll(/[\0\r\n]/g, '')]
  })
}

/** To a filter's callout, to its gRPC call, which trailers end, or to the proxy itself. */
function response(random: Random, bytes: ByteSource): HandlerResult {
  const trailers = { 'grpc-status': String(random.below(20)) }
  switch (random.below(8)) {
    case 0:
      return { reset: true, afterHeaders: random.below(2) === 0 }
    case 1:
      return { status: 200 + random.below(400), headers: headers(random, bytes), trailers, delay: random.below(1000) }
    default:
      return { headers: headers(random, bytes), body: [bytes.value(), bytes.value()], trailers }
  }
}

async function reconfigure(host: NodeHost, configuration: Uint8Array): Promise<void> {
  try {
    await host.reconfigure(configuration)
  } catch (error) {
    if (!(error instanceof HostStartError) && !/refused|failed|rejected/i.test(String(error))) throw error
  }
}

const latin1 = (bytes: Buffer): string => bytes.toString('latin1')

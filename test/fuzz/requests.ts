/** Requests, connections, calls and configurations by a hostile host. */

import { HostileHost } from './hostile-host.ts'

export interface FuzzOptions {
  /** Streams, each with some callbacks. */
  requests: number
  seed: number
  onProgress?: (requests: number) => void
}

export interface FuzzResult {
  requests: number
  configurations: number
  /** Events of any kind. */
  steps: number
  /** Bytes of Wasm memory, and of its managed heap with all streams and calls ended: after the first half, and at the end. */
  memory: [warm: number, end: number]
  managed: [warm: number, end: number]
}

/** A trap, or anything else that a filter must not do. */
export class FuzzFailure extends Error {
  override name = 'FuzzFailure'
}

/** Rejects with what was done last when the filter traps or breaks a rule. */
export async function fuzzRequests(
  module: WebAssembly.Module,
  { requests, seed, onProgress }: FuzzOptions,
): Promise<FuzzResult> {
  let steps = 0
  let host: HostileHost | undefined
  const measure = (): [number, number] => [host!.settle(), host!.guest.memory]
  try {
    host = new HostileHost(module, seed)
    let warm: [number, number] | undefined
    while (host.requests < requests) {
      host.step()
      if (++steps % 20_000 === 0) {
        onProgress?.(host.requests)
        // Lets Ctrl-C through.
        await new Promise((resolve) => setImmediate(resolve))
      }
      if (warm || host.requests < requests / 2) continue
      warm = measure()
      host.endWarmUp()
    }
    const end = measure()
    return {
      requests: host.requests,
      configurations: host.configurations,
      steps,
      managed: [warm![0], end[0]],
      memory: [warm![1], end[1]],
    }
  } catch (error) {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    const events = host ? host.guest.history.join('\n') : ''
    throw new FuzzFailure(`seed ${seed}, step ${steps}: ${message}\nlast events:\n${events}`, { cause: error })
  }
}

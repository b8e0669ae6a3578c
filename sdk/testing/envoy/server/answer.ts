/** What a handler returned, in one shape for all servers. */
import { setTimeout as sleep } from 'node:timers/promises'
import { headerPairs } from '../../headers.ts'
import type { BodyInit, HandlerResult, HeadersInit } from '../../types.ts'

export type Answer =
  | { kind: 'reset' }
  | { kind: 'reset-after-headers' }
  | { kind: 'hang' }
  | {
      kind: 'response'
      status: number
      headers: [string, string][]
      chunks: Buffer[]
      /** The length is known at the start: the body was not given as a list of chunks. */
      sized: boolean
      trailers: [string, string][]
    }

/** Between two chunks of one body: long enough for Envoy to read them one by one. */
export const CHUNK_GAP = 5

/** Normalizes, after the delay that the handler asked for. */
export async function toAnswer(result: HandlerResult): Promise<Answer> {
  if (typeof result === 'number') return response(result)
  if (typeof result === 'string' || result instanceof Uint8Array) return response(200, undefined, result)
  if ('reset' in result) return result.afterHeaders ? { kind: 'reset-after-headers' } : { kind: 'reset' }
  if ('hang' in result) return { kind: 'hang' }
  if (result.delay) await sleep(result.delay)
  return response(result.status ?? 200, result.headers, result.body, result.trailers)
}

function response(status: number, headers?: HeadersInit, body?: BodyInit, trailers?: HeadersInit): Answer {
  const list = bodyChunks(body)
  return {
    kind: 'response',
    status,
    headers: headerPairs(headers),
    chunks: list,
    sized: !Array.isArray(body),
    trailers: headerPairs(trailers),
  }
}

/** A body as its chunks. */
export function bodyChunks(body: BodyInit | undefined): Buffer[] {
  if (body === undefined) return []
  const list = typeof body === 'string' || body instanceof Uint8Array ? [body] : body
  return list.map((chunk) => Buffer.from(chunk as string))
}

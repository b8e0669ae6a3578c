/** One request and its response, whatever the protocol. */
import type { HeadersInit } from '../../types.ts'

/** A response as far as it came. */
export interface WireResponse {
  /** 0: none came. */
  status: number
  headers: [string, string][]
  body: Buffer
  trailers: [string, string][]
  /** It ended before it was complete. */
  reset: boolean
}

export interface ExchangeRequest {
  method: string
  path: string
  authority: string
  scheme: string
  headers: [string, string][]
}

export interface Exchange {
  /** Sends a piece of the body, at once. */
  write(chunk: Uint8Array): Promise<void>
  /** Ends the request, with a last piece of the body in the same frame where the protocol allows, and trailers. */
  end(last?: Uint8Array, trailers?: HeadersInit): Promise<void>
  /** Resolves when the response is complete, or will never be. */
  readonly response: Promise<WireResponse>
  /** What has come so far, for a message. */
  progress(): string
  /** Closes the connection, whatever is under way. */
  close(): void
}

/** How the body is framed: its length is known, it comes in pieces, or there is none. */
export type BodyKind = { length: number } | 'chunked' | 'none'

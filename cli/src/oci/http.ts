/** One HTTP request. Node's own client, since `fetch` takes no certificates. */

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import packageJson from '../../package.json' with { type: 'json' }

export interface HttpRequest {
  method: string
  url: URL
  headers?: Record<string, string>
  body?: Uint8Array
  /** Of the answer, in bytes. */
  limit?: number
  /** Called with the bytes of the body that were handed to the system. */
  onSent?: (bytes: number) => void
  signal?: AbortSignal
}

export interface HttpResponse {
  status: number
  headers: IncomingMessage['headers']
  body: Buffer
  url: URL
}

/** The answer was longer than anybody asked for. */
export class TooLong extends Error {}

const SLICE = 64 << 10
const REDIRECTS = new Set([301, 302, 303, 307, 308])

export class HttpClient {
  readonly #http = new HttpAgent({ keepAlive: true })
  readonly #https: HttpsAgent
  readonly #timeout: number

  /** `ca`: all certificates to trust, PEM; Node's own without it. `timeout`: of silence, in milliseconds. */
  constructor({ ca, timeout }: { ca?: string[]; timeout: number }) {
    this.#https = new HttpsAgent({ keepAlive: true, ...(ca && { ca }) })
    this.#timeout = timeout
  }

  /** Follows redirects: blobs often lie in another store. Credentials go to the first host only, and never from HTTPS to HTTP. */
  async request(request: HttpRequest): Promise<HttpResponse> {
    let current = request
    for (let count = 0; ; count++) {
      const response = await this.#once(current)
      const { location } = response.headers
      if (!REDIRECTS.has(response.status) || location === undefined || count === 5) return response
      const safe = ['GET', 'HEAD'].includes(current.method)
      if (!safe && response.status < 307) return response
      const url = new URL(location, current.url)
      if (current.url.protocol === 'https:' && url.protocol !== 'https:') return response
      const headers = { ...current.headers }
      if (url.origin !== current.url.origin) delete headers['authorization']
      current = { ...current, url, headers }
    }
  }

  close(): void {
    this.#http.destroy()
    this.#https.destroy()
  }

  #once({ method, url, headers, body, limit = 4 << 20, onSent, signal }: HttpRequest): Promise<HttpResponse> {
    const secure = url.protocol === 'https:'
    return new Promise((resolve, reject) => {
      const request = (secure ? httpsRequest : httpRequest)(url, {
        method,
        agent: secure ? this.#https : this.#http,
        signal,
        timeout: this.#timeout,
        headers: {
          'user-agent': `meshscript/${packageJson.version}`,
          ...(body
            ? { 'content-length': body.length }
            : ['POST', 'PUT', 'PATCH'].includes(method) && { 'content-length': 0 }),
          ...headers,
        },
      })
      request.on('timeout', () => {
        const seconds = this.#timeout / 1000
        request.destroy(Object.assign(new Error(`no answer within ${seconds} s`), { code: 'ETIMEDOUT' }))
      })
      request.on('error', reject)
      request.on('response', (response) => {
        const parts: Buffer[] = []
        let length = 0
        response.on('data', (part: Buffer) => {
          length += part.length
          if (length > limit) return response.destroy(new TooLong(`the answer has more than ${limit} bytes`))
          parts.push(part)
        })
        response.on('error', reject)
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(parts), url }),
        )
      })
      if (!body) return request.end()
      // Failures of the body are failures of the request.
      Readable.from(slices(body, onSent)).on('error', reject).pipe(request)
    })
  }
}

function* slices(body: Uint8Array, onSent?: (bytes: number) => void): Iterable<Uint8Array> {
  for (let from = 0; from < body.length; from += SLICE) {
    const slice = body.subarray(from, from + SLICE)
    yield slice
    onSent?.(slice.length)
  }
}

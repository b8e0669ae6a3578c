/** One HTTP request. Node's own client, since `fetch` takes no certificates. */

import { Agent as HttpAgent, request as httpRequest, type IncomingMessage, type RequestOptions } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { Readable } from 'node:stream'
import packageJson from '../../package.json' with { type: 'json' }
import { UserError } from '../errors.ts'
import { authorizationFor, nameOf, type Proxy, proxyFor } from './proxy.ts'

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

export interface HttpClientOptions {
  /** All certificates to trust, PEM. Default: Node's own. */
  ca?: string[]
  /** Of silence, in milliseconds. */
  timeout: number
  /** Names the proxies. */
  env: Record<string, string | undefined>
}

export class HttpClient {
  readonly #http = new HttpAgent({ keepAlive: true })
  readonly #https = new HttpsAgent({ keepAlive: true })
  /** To HTTPS through proxies, by the proxy. */
  readonly #tunnels = new Map<string, HttpAgent>()
  readonly #options: HttpClientOptions

  constructor(options: HttpClientOptions) {
    this.#options = options
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
    for (const tunnel of this.#tunnels.values()) tunnel.destroy()
  }

  /** Where a request goes, and how. */
  async #way(url: URL, proxy: Proxy | undefined): Promise<{ to: URL; options: RequestOptions }> {
    const { ca } = this.#options
    if (url.protocol === 'https:') {
      return { to: url, options: { agent: proxy ? await this.#tunnel(proxy) : this.#https, ...(ca && { ca }) } }
    }
    if (!proxy) return { to: url, options: { agent: this.#http } }
    const authorization = authorizationFor(proxy)
    const headers = { host: url.host, ...(authorization && { 'proxy-authorization': authorization }) }
    const agent = proxy.url.protocol === 'https:' ? this.#https : this.#http
    // Without user and password, which Node would send to the registry.
    return { to: new URL(proxy.url.origin), options: { agent, path: url.href, headers } }
  }

  async #tunnel({ url }: Proxy): Promise<HttpAgent> {
    let tunnel = this.#tunnels.get(url.href)
    if (!tunnel) {
      const { tunnelTo } = await import('./tunnel.ts')
      this.#tunnels.set(url.href, (tunnel = tunnelTo(url)))
    }
    return tunnel
  }

  async #once({ method, url, headers, body, limit = 4 << 20, onSent, signal }: HttpRequest): Promise<HttpResponse> {
    const { env, timeout } = this.#options
    const proxy = proxyFor(url, env)
    const { to, options } = await this.#way(url, proxy)
    return new Promise((resolve, reject) => {
      const request = (to.protocol === 'https:' ? httpsRequest : httpRequest)(to, {
        method,
        ...options,
        signal,
        timeout,
        headers: {
          'user-agent': `meshscript/${packageJson.version}`,
          ...(body
            ? { 'content-length': body.length }
            : ['POST', 'PUT', 'PATCH'].includes(method) && { 'content-length': 0 }),
          ...options.headers,
          ...headers,
        },
      })
      if (proxy) {
        request.once('proxyConnect', ({ statusCode }: { statusCode: number }) => {
          if (statusCode !== 200) request.destroy(refusal(proxy, statusCode))
        })
      }
      request.on('timeout', () => {
        const seconds = timeout / 1000
        request.destroy(Object.assign(new Error(`no answer within ${seconds} s`), { code: 'ETIMEDOUT' }))
      })
      request.on('error', (error) => reject(proxy ? ofProxy(error, proxy) : error))
      request.on('response', (response) => {
        // Only proxies ask for this.
        if (proxy && response.statusCode === 407) {
          response.resume()
          return reject(refusal(proxy, 407))
        }
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

function refusal(proxy: Proxy, status: number): UserError {
  const advice = `write user and password into ${proxy.variable}: http://USER:PASSWORD@HOST:PORT`
  const reason = status !== 407 ? `refuses the connection: status ${status}` : proxy.url.username ? 'does not take its user and password' : `wants a user and a password; ${advice}` // prettier-ignore
  return new UserError(`${nameOf(proxy)} ${reason}`, 'OCI011')
}

/** Where no connection could be made it is the proxy's, since no other was tried. */
function ofProxy(error: NodeJS.ErrnoException, proxy: Proxy): Error {
  if (error.syscall !== 'connect' && error.syscall !== 'getaddrinfo') return error
  return new UserError(`${nameOf(proxy)} can't be reached: ${error.message}`, 'OCI011')
}

function* slices(body: Uint8Array, onSent?: (bytes: number) => void): Iterable<Uint8Array> {
  for (let from = 0; from < body.length; from += SLICE) {
    const slice = body.subarray(from, from + SLICE)
    yield slice
    onSent?.(slice.length)
  }
}

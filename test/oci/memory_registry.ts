/** A registry in memory that fails as it is told: behind a plain HTTP server, with uploads in pieces that can be resumed. */

import { createHash, randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createSecureServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface Exchange {
  method: string
  path: string
  /** Bytes of the body that arrived. */
  received: number
  status: number
  headers: IncomingMessage['headers']
}

/** May answer in place of the registry: then it answers true. */
export type Fault = (
  request: IncomingMessage & { path: string },
  response: ServerResponse,
  registry: MemoryRegistry,
) => boolean | void

const digestOf = (bytes: Uint8Array) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`

export class MemoryRegistry {
  readonly blobs = new Map<string, Buffer>()
  /** By `REPOSITORY:TAG` and `REPOSITORY@DIGEST`. */
  readonly manifests = new Map<string, { bytes: Buffer; mediaType: string }>()
  readonly uploads = new Map<string, Buffer>()
  readonly exchanges: Exchange[] = []
  faults: Fault[] = []
  /** Cuts the connection of the next upload after so many bytes of a piece; what came stays. */
  cutAfter: number | undefined

  private constructor(private readonly server: Server) {}

  static async start(tls?: { cert: string; key: string }): Promise<MemoryRegistry> {
    const handle = (request: IncomingMessage, response: ServerResponse) => void registry.handle(request, response)
    const server = tls ? createSecureServer(tls, handle) : createServer(handle)
    const registry = new MemoryRegistry(server)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return registry
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  /** The digest that a tag names. */
  tag(repository: string, tag: string): string | undefined {
    const found = this.manifests.get(`${repository}:${tag}`)
    return found && digestOf(found.bytes)
  }

  requests(method: string, path: RegExp): Exchange[] {
    return this.exchanges.filter((exchange) => exchange.method === method && path.test(exchange.path))
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = '', url = '/', headers } = request
    const path = url.split('?')[0]!
    const exchange: Exchange = { method, path: url, received: 0, status: 0, headers }
    this.exchanges.push(exchange)
    response.on('finish', () => (exchange.status = response.statusCode))
    request.on('error', () => {})
    for (const fault of [...this.faults]) {
      if (!fault(Object.assign(request, { path }), response, this)) continue
      request.resume()
      return
    }
    const body = await this.read(request, exchange, path)
    if (body) this.answer(method, path, new URL(url, 'http://x').searchParams, headers, body, response)
  }

  /** Undefined when the connection was cut. */
  private async read(request: IncomingMessage, exchange: Exchange, path: string): Promise<Buffer | undefined> {
    const parts: Buffer[] = []
    for await (const part of request as AsyncIterable<Buffer>) {
      const left =
        this.cutAfter === undefined || request.method !== 'PATCH' ? Infinity : this.cutAfter - exchange.received
      parts.push(part.subarray(0, left))
      exchange.received += Math.min(part.length, left)
      if (part.length < left) continue
      this.cutAfter = undefined
      const id = path.split('/').at(-1)
      this.uploads.set(id, Buffer.concat([this.uploads.get(id)!, ...parts]))
      request.socket.destroy()
      return undefined
    }
    return Buffer.concat(parts)
  }

  private answer(
    method: string,
    path: string,
    query: URLSearchParams,
    headers: IncomingMessage['headers'],
    body: Buffer,
    response: ServerResponse,
  ): void {
    const send = (status: number, extra: Record<string, string | number> = {}, content: Buffer | string = '') => {
      response.writeHead(status, { 'content-length': content.length, ...extra })
      response.end(method === 'HEAD' ? '' : content)
    }
    const unknown = (code: string) => send(404, {}, JSON.stringify({ errors: [{ code, message: 'not here' }] }))
    const [, repository = '', kind = '', name = ''] =
      /^\/v2\/(.+)\/(manifests|blobs\/uploads|blobs)\/(.*)$/.exec(path) ?? []
    const location = (id: string) => `/v2/${repository}/blobs/uploads/${id}`
    const range = (upload: Buffer) => (upload.length ? `0-${upload.length - 1}` : '0-0')
    switch (`${method} ${kind}`) {
      case 'POST blobs/uploads': {
        if (query.has('mount') && this.blobs.has(query.get('mount')!)) return send(201)
        const id = randomUUID()
        this.uploads.set(id, Buffer.alloc(0))
        return send(202, { location: location(id) })
      }
      case 'PATCH blobs/uploads': {
        const upload = this.uploads.get(name)
        if (!upload) return unknown('BLOB_UPLOAD_UNKNOWN')
        if (!headers['content-range']?.startsWith(`${upload.length}-`)) return send(416)
        const now = Buffer.concat([upload, body])
        this.uploads.set(name, now)
        return send(202, { location: location(name), range: range(now) })
      }
      case 'GET blobs/uploads': {
        const upload = this.uploads.get(name)
        return upload ? send(204, { location: location(name), range: range(upload) }) : unknown('BLOB_UPLOAD_UNKNOWN')
      }
      case 'PUT blobs/uploads': {
        const upload = this.uploads.get(name)
        if (!upload) return unknown('BLOB_UPLOAD_UNKNOWN')
        const digest = query.get('digest')!
        if (digestOf(upload) !== digest) return send(400, {}, JSON.stringify({ errors: [{ code: 'DIGEST_INVALID' }] }))
        this.uploads.delete(name)
        this.blobs.set(digest, upload)
        return send(201, { 'docker-content-digest': digest })
      }
      case 'DELETE blobs/uploads':
        return send(this.uploads.delete(name) ? 204 : 404)
      case 'HEAD blobs':
      case 'GET blobs': {
        const blob = this.blobs.get(name)
        return blob ? send(200, {}, blob) : unknown('BLOB_UNKNOWN')
      }
      case 'PUT manifests': {
        const { config, layers = [] } = JSON.parse(body.toString()) as Record<'config', { digest: string }> & {
          layers?: { digest: string }[]
        }
        const missing = [...(config ? [config] : []), ...layers].filter(({ digest }) => !this.blobs.has(digest))
        if (missing.length) return send(400, {}, JSON.stringify({ errors: [{ code: 'MANIFEST_BLOB_UNKNOWN' }] }))
        const digest = digestOf(body)
        const manifest = { bytes: body, mediaType: headers['content-type'] ?? '' }
        this.manifests.set(`${repository}@${digest}`, manifest)
        if (!name.startsWith('sha256:')) this.manifests.set(`${repository}:${name}`, manifest)
        return send(201, { 'docker-content-digest': digest })
      }
      case 'HEAD manifests':
      case 'GET manifests': {
        const found = this.manifests.get(`${repository}${name.startsWith('sha256:') ? '@' : ':'}${name}`)
        if (!found) return unknown('MANIFEST_UNKNOWN')
        return send(
          200,
          { 'content-type': found.mediaType, 'docker-content-digest': digestOf(found.bytes) },
          found.bytes,
        )
      }
      default:
        return send(404)
    }
  }
}

/** Answers matching requests itself, `times` times. */
export function answer(
  when: { method?: string; path: RegExp; times?: number },
  status: number,
  headers: Record<string, string> = {},
  body: object = {},
): Fault {
  let left = when.times ?? Infinity
  return (request, response) => {
    if ((when.method !== undefined && request.method !== when.method) || !when.path.test(request.path) || left-- <= 0)
      return false
    response.writeHead(status, headers)
    response.end(request.method === 'HEAD' ? '' : JSON.stringify(body))
    return true
  }
}

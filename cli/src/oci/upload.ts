/**
 * Upload of a blob in pieces. After a failure the registry is asked how far it got, and the upload goes on from there;
 * where it has forgotten the upload, a new one is begun. Nothing of it can be seen before the last request.
 */

import { type ApiRequest, type Connection } from './connection.ts'
import { type Descriptor } from './descriptor.ts'
import { answerError } from './errors.ts'
import { type HttpResponse } from './http.ts'
import { isTransient, type Patience } from './retry.ts'

export interface UploadOptions {
  repository: string
  scopes: readonly string[]
  mountFrom?: string
  chunkSize: number
  onProgress?: (done: number) => void
}

export type How = 'present' | 'mounted' | 'uploaded'

/** 8 MiB: most modules are one piece, and registries that put pieces into object stores want 5 MiB at least. */
export const CHUNK_SIZE = 8 << 20

export async function uploadBlob(
  connection: Connection,
  bytes: Uint8Array,
  descriptor: Descriptor,
  options: UploadOptions,
): Promise<How> {
  return new Upload(connection, bytes, descriptor, options).run()
}

/** The registry does not know the upload (any more), or stands elsewhere than it said: begin again. */
const FORGOTTEN = new Set([404, 416])
const DELETE_TIMEOUT = 5000

class Upload {
  readonly #what: string
  readonly #patience: Patience
  #location: URL | undefined
  #offset = 0
  #chunkSize: number

  constructor(
    private readonly connection: Connection,
    private readonly bytes: Uint8Array,
    private readonly descriptor: Descriptor,
    private readonly options: UploadOptions,
  ) {
    this.#what = `uploading ${descriptor.digest.slice(0, 19)}… to ${options.repository}`
    this.#patience = connection.patience()
    this.#chunkSize = options.chunkSize
  }

  async run(): Promise<How> {
    try {
      for (;;) {
        if (!this.#location && (await this.#begin())) return 'mounted'
        if (this.#offset < this.bytes.length) await this.#patch()
        else if (await this.#finish()) return 'uploaded'
      }
    } catch (error) {
      await this.#discard()
      throw error
    }
  }

  /** Answers whether the blob is there already, taken from another repository. */
  async #begin(): Promise<boolean> {
    const { repository, mountFrom, scopes } = this.options
    const query =
      mountFrom === undefined ? '' : `?${new URLSearchParams({ mount: this.descriptor.digest, from: mountFrom })}`
    const path = `/v2/${repository}/blobs/uploads/${query}`
    const response = await this.connection.request({ method: 'POST', path, scopes })
    if (response.status === 201 && mountFrom !== undefined) return true
    if (response.status !== 202) throw answerError(this.#what, response.status, response.body)
    this.#offset = 0
    this.#take(response)
    const minimum = Number(response.headers['oci-chunk-min-length'])
    if (minimum > this.#chunkSize) this.#chunkSize = minimum
    return false
  }

  async #patch(): Promise<void> {
    const start = this.#offset
    const end = Math.min(start + this.#chunkSize, this.bytes.length)
    let sent = start
    const response = await this.#try({
      method: 'PATCH',
      headers: { 'content-type': 'application/octet-stream', 'content-range': `${start}-${end - 1}` },
      body: this.bytes.subarray(start, end),
      onSent: (count) => this.options.onProgress?.((sent += count)),
    })
    if (!response) return
    this.#patience.reset()
    // Registries may take less than they were sent. Of a single byte, 0-0 says that it is there.
    this.#offset = end === 1 ? end : (received(response) ?? end)
    this.#take(response)
  }

  async #finish(): Promise<boolean> {
    const path = new URL(this.#location!)
    path.searchParams.set('digest', this.descriptor.digest)
    const response = await this.#try({ method: 'PUT', path, headers: { 'content-type': 'application/octet-stream' } })
    return response !== undefined
  }

  /** Undefined after a failure that has been dealt with: the state says how to go on. */
  async #try(request: Omit<ApiRequest, 'path' | 'scopes'> & { path?: URL }): Promise<HttpResponse | undefined> {
    const { scopes } = this.options
    let response: HttpResponse | undefined
    try {
      response = await this.connection.once({ path: this.#location!, scopes, ...request })
      if (response.status >= 200 && response.status < 300) return response
      if (!isTransient(response.status) && !FORGOTTEN.has(response.status)) {
        throw answerError(this.#what, response.status, response.body)
      }
      if (!(await this.#patience.wait(response))) throw answerError(this.#what, response.status, response.body)
      if (FORGOTTEN.has(response.status)) return this.#restart()
    } catch (error) {
      const again = this.connection.isLoss(error) && !this.connection.signal?.aborted
      if (!again || !(await this.#patience.wait())) throw this.connection.explain(error)
    }
    await this.#resume()
    return undefined
  }

  /** Asks how far the upload got. */
  async #resume(): Promise<void> {
    const { scopes } = this.options
    const response = await this.connection.request({ method: 'GET', path: this.#location!, scopes })
    const offset = received(response)
    if (response.status !== 204 || offset === undefined || offset > this.bytes.length) return this.#restart()
    if (offset > this.#offset) this.#patience.reset()
    this.#offset = offset
    this.#take(response)
  }

  #restart(): undefined {
    this.#location = undefined
    this.#offset = 0
  }

  #take({ headers, url }: HttpResponse): void {
    if (headers.location !== undefined) this.#location = new URL(headers.location, url)
  }

  /** Frees the registry's storage, as far as the registry can be reached. */
  async #discard(): Promise<void> {
    if (!this.#location) return
    const request = { method: 'DELETE', path: this.#location, scopes: this.options.scopes }
    await this.connection.once(request, AbortSignal.timeout(DELETE_TIMEOUT)).catch(() => {})
  }
}

/** Bytes that the registry has, by its `Range: 0-N`. Some say 0-0 when they have none. */
function received({ headers }: HttpResponse): number | undefined {
  const match = /^(?:bytes=)?0-(\d+)$/.exec(String(headers['range'] ?? ''))
  if (!match) return undefined
  return match[1] === '0' ? 0 : Number(match[1]) + 1
}

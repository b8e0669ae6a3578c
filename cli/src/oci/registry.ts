/** A registry of images, by the API of the OCI distribution specification. */

import { UserError } from '../errors.ts'
import { type ApiRequest, Connection, type RegistryOptions } from './connection.ts'
import { type Descriptor, describe, digestOf, type Manifest, MediaType } from './descriptor.ts'
import { answerError, RegistryError } from './errors.ts'
import { type HttpResponse } from './http.ts'
import { addReferrer, fallbackTag, packReferrer, type Payload } from './referrers.ts'
import { formatReference, type Reference } from './reference.ts'
import { isTransient } from './retry.ts'
import { CHUNK_SIZE, type How, uploadBlob } from './upload.ts'

const ACCEPT = [MediaType.manifest, MediaType.index, MediaType.dockerManifest, MediaType.dockerList].join(', ')
/** Registries take manifests of 4 MiB. */
const MANIFEST_LIMIT = 4 << 20
/** What Istio's agent takes, unless it is told otherwise. */
export const BLOB_LIMIT = 256 << 20

export class Registry {
  readonly #host: string
  readonly #connection: Connection
  readonly #options: RegistryOptions

  private constructor({ registry }: Reference, options: RegistryOptions) {
    this.#host = registry
    this.#options = options
    this.#connection = new Connection({ registry }, options)
  }

  /** Nothing is sent yet. */
  static open(reference: Reference, options: RegistryOptions): Registry {
    return new Registry(reference, options)
  }

  /** The digest that a tag names now. */
  async resolve(reference: Reference): Promise<{ digest: string; mediaType: string; size: number }> {
    const response = await this.#manifest('HEAD', reference)
    const digest = response.headers['docker-content-digest']
    const size = Number(response.headers['content-length'])
    if (typeof digest === 'string' && !Number.isNaN(size)) {
      expectDigest(`the manifest of ${formatReference(reference)}`, digest, reference.digest ?? digest)
      return { digest, mediaType: mediaTypeOf(response), size }
    }
    // Not every registry says it all in a head.
    const { bytes, ...rest } = await this.manifest(reference)
    return { ...rest, size: bytes.length }
  }

  /** By digest where there is one, else by tag. The bytes have the digest that is answered, and the one that was asked for. */
  async manifest(reference: Reference): Promise<{ digest: string; mediaType: string; bytes: Uint8Array }> {
    const { headers, body, ...response } = await this.#manifest('GET', reference)
    const digest = digestOf(body)
    const said = headers['docker-content-digest']
    const expected = reference.digest ?? (typeof said === 'string' && said.startsWith('sha256:') ? said : digest)
    expectDigest(`the manifest of ${formatReference(reference)}`, digest, expected)
    return { digest, mediaType: mediaTypeOf({ headers, body, ...response }), bytes: body }
  }

  async blob(repository: string, digest: string, size?: number): Promise<Uint8Array> {
    const what = `fetching ${digest.slice(0, 19)}… from ${repository}`
    const path = `/v2/${repository}/blobs/${digest}`
    const { status, body } = await this.#request({
      method: 'GET',
      path,
      scopes: pull(repository),
      limit: size ?? BLOB_LIMIT,
    })
    if (status !== 200) throw answerError(what, status, body)
    expectDigest(`the blob ${digest.slice(0, 19)}… in ${repository}`, digestOf(body), digest)
    return body
  }

  async pushBlob(
    repository: string,
    bytes: Uint8Array,
    { mountFrom, text = 'uploading' }: { mountFrom?: string; text?: string } = {},
  ): Promise<{ digest: string; size: number; how: How }> {
    const descriptor = describe(bytes, 'application/octet-stream')
    const { digest, size } = descriptor
    const scopes = [...push(repository), ...(mountFrom === undefined ? [] : pull(mountFrom))]
    const path = `/v2/${repository}/blobs/${digest}`
    const { status, body } = await this.#request({ method: 'HEAD', path, scopes })
    if (status === 200) return { digest, size, how: 'present' }
    // Any other refusal may be about this question only.
    if (status === 401 || status === 403 || isTransient(status))
      throw answerError(`pushing to ${this.#host}/${repository}`, status, body)
    const how = await uploadBlob(this.#connection, bytes, descriptor, {
      repository,
      scopes,
      mountFrom,
      chunkSize: this.#options.chunkSize ?? CHUNK_SIZE,
      onProgress: (done) => this.#options.onProgress?.({ text, done, total: size }),
    })
    return { digest, size, how }
  }

  /** `reference`: a tag or a digest. */
  async pushManifest(repository: string, reference: string, bytes: Uint8Array, mediaType: string): Promise<string> {
    const { digest } = await this.#pushManifest(repository, reference, bytes, mediaType)
    return digest
  }

  /** What refers to an image, of one type or of all. */
  async referrers(repository: string, digest: string, artifactType?: string): Promise<Descriptor[]> {
    const query = artifactType === undefined ? '' : `?${new URLSearchParams({ artifactType })}`
    const path = `/v2/${repository}/referrers/${digest}${query}`
    const response = await this.#request({
      method: 'GET',
      path,
      scopes: pull(repository),
      headers: { accept: MediaType.index },
    })
    const all =
      response.status === 200 && mediaTypeOf(response) === MediaType.index
        ? ((JSON.parse(response.body.toString('utf8')) as Manifest).manifests ?? [])
        : await this.#fallbackReferrers(repository, digest)
    return all.filter((each) => artifactType === undefined || each.artifactType === artifactType)
  }

  async pushReferrer(
    repository: string,
    subject: Descriptor,
    artifactType: string,
    payload: Payload,
    annotations?: Record<string, string>,
  ): Promise<Descriptor> {
    const { descriptor, manifest, blobs } = packReferrer(subject, artifactType, payload, annotations)
    for (const blob of blobs) await this.pushBlob(repository, blob)
    const { response } = await this.#pushManifest(repository, descriptor.digest, manifest, MediaType.manifest)
    // With this header the registry says that it keeps the list itself.
    if (response.headers['oci-subject'] === undefined) {
      const list = await this.#fallbackReferrers(repository, subject.digest)
      const tag = fallbackTag(subject.digest)
      await this.#pushManifest(repository, tag, addReferrer(list, descriptor), MediaType.index)
    }
    return descriptor
  }

  /** Connections are kept for the next request; a process that goes on ends them. */
  close(): void {
    this.#connection.close()
  }

  async #fallbackReferrers(repository: string, digest: string): Promise<Descriptor[]> {
    try {
      const { bytes } = await this.manifest({ registry: this.#host, repository, tag: fallbackTag(digest) })
      return (JSON.parse(Buffer.from(bytes).toString('utf8')) as Manifest).manifests ?? []
    } catch (error) {
      if (error instanceof RegistryError && error.status === 404) return []
      throw error
    }
  }

  async #manifest(method: 'GET' | 'HEAD', reference: Reference): Promise<HttpResponse> {
    const { repository, tag = 'latest', digest } = reference
    const path = `/v2/${repository}/manifests/${digest ?? tag}`
    const response = await this.#request({
      method,
      path,
      scopes: pull(repository),
      headers: { accept: ACCEPT },
      limit: MANIFEST_LIMIT,
    })
    if (response.status !== 200)
      throw answerError(`reading ${formatReference(reference)}`, response.status, response.body)
    return response
  }

  async #pushManifest(repository: string, reference: string, bytes: Uint8Array, mediaType: string) {
    const digest = digestOf(bytes)
    const path = `/v2/${repository}/manifests/${reference}`
    const headers = { 'content-type': mediaType }
    const response = await this.#request({ method: 'PUT', path, scopes: push(repository), headers, body: bytes })
    const { status, body } = response
    if (status !== 201 && status !== 200)
      throw answerError(`pushing the manifest ${repository}:${reference}`, status, body)
    const said = response.headers['docker-content-digest']
    if (typeof said === 'string') expectDigest(`the manifest that ${this.#host} says it has`, said, digest)
    return { digest, response }
  }

  #request(request: ApiRequest): Promise<HttpResponse> {
    return this.#connection.request(request)
  }
}

export function pull(repository: string): string[] {
  return [`repository:${repository}:pull`]
}

function push(repository: string): string[] {
  return [`repository:${repository}:pull,push`]
}

function mediaTypeOf({ headers }: HttpResponse): string {
  return String(headers['content-type'] ?? '')
    .split(';', 1)[0]!
    .trim()
}

function expectDigest(what: string, actual: string, expected: string): void {
  if (actual === expected) return
  throw new UserError(`${what} has the digest ${actual}, but ${expected} was expected`, 'OCI006')
}

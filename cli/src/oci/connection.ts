/** Requests to one registry: where its API is, with which credentials, and again where the network or the registry fails. */

import { UserError } from '../errors.ts'
import { Authorizer, missingCredentials } from './authorization.ts'
import { trustedCertificates } from './certificates.ts'
import { type Credentials, findCredentials } from './credentials.ts'
import { HttpClient, type HttpRequest, type HttpResponse, TooLong } from './http.ts'
import { apiHost, isLoopback, type Reference } from './reference.ts'
import { defaultRetry, isLoss, isTransient, Patience, type RetryOptions, stopped } from './retry.ts'

export interface RegistryOptions {
  /** Plain HTTP. */
  insecure?: boolean
  /** PEM file with certificates to trust beside the usual ones. */
  ca?: string
  /** Where Docker's config.json is, what credential helpers see, and which proxies there are. */
  env: Record<string, string | undefined>
  signal?: AbortSignal
  onProgress?: (event: { text: string; done: number; total: number }) => void
  retry?: RetryOptions
  /** How long a registry may be silent, in milliseconds. */
  timeout?: number
  /** Size of the pieces of an upload, in bytes. */
  chunkSize?: number
}

export interface ApiRequest extends Omit<HttpRequest, 'url' | 'signal'> {
  /** Path below the host, or what a registry gave as `Location`. */
  path: string | URL
  /** What a token has to allow, e.g. `repository:acme/hello:pull`. */
  scopes: readonly string[]
}

const TIMEOUT = 60_000

export class Connection {
  readonly patience: () => Patience
  readonly #registry: string
  readonly #options: RegistryOptions
  readonly #http: HttpClient
  readonly #authorizer: Authorizer
  #credentials: Promise<Credentials | undefined> | undefined
  #protocol: 'https:' | 'http:'
  /** Whether the registry has answered before. */
  #reached = false

  constructor({ registry }: Pick<Reference, 'registry'>, options: RegistryOptions) {
    this.#registry = registry
    this.#options = options
    const ca = options.insecure ? undefined : trustedCertificates(registry, options.ca, options.env)
    this.#http = new HttpClient({ ca, timeout: options.timeout ?? TIMEOUT, env: options.env })
    this.#protocol = options.insecure ? 'http:' : 'https:'
    this.patience = () => new Patience(options.retry ?? defaultRetry, options.signal)
    this.#authorizer = new Authorizer({
      registry,
      credentials: () => (this.#credentials ??= findCredentials(registry, options.env)),
      send: (request) => this.#patiently(() => this.#send(request)),
      plain: () => this.#protocol === 'http:',
    })
  }

  get signal(): AbortSignal | undefined {
    return this.#options.signal
  }

  url(path: string | URL): URL {
    return new URL(path, `${this.#protocol}//${apiHost(this.#registry)}`)
  }

  /** Once; credentials are found out about. For requests that may not simply be repeated. */
  async once({ path, scopes, headers = {}, ...rest }: ApiRequest, signal = this.signal): Promise<HttpResponse> {
    const send = (authorization: string | undefined) => {
      const url = this.url(path)
      // Other hosts get no credentials of this one.
      const own = url.origin === this.url('/').origin && authorization !== undefined
      return this.#send({ ...rest, url, headers: { ...headers, ...(own && { authorization }) }, signal })
    }
    const response = await send(await this.#authorizer.header(scopes))
    if (response.status !== 401) return response
    const authorization = await this.#authorizer.answer(response, scopes)
    if (authorization !== undefined) return send(authorization)
    if (response.headers['www-authenticate']) throw missingCredentials(this.#registry)
    return response
  }

  /** Again after a loss of the connection and where the registry fails for a time. */
  async request(request: ApiRequest): Promise<HttpResponse> {
    return this.#patiently(() => this.once(request))
  }

  /** Whether another attempt may help against this failure. */
  isLoss(error: unknown): boolean {
    return isLoss(error, this.#reached)
  }

  /** What a failure of the network means for the user. */
  explain(error: unknown): unknown {
    if (error instanceof UserError) return error
    if (this.signal?.aborted) return stopped()
    const { code = '', message } = error as NodeJS.ErrnoException
    if (error instanceof TooLong) return new UserError(`${this.#registry}: ${message}`, 'OCI006')
    if (code.startsWith('HPE_') && this.#protocol === 'http:') {
      return new UserError(`${this.#registry} answered no plain HTTP; leave out --insecure if it speaks TLS`, 'OCI003')
    }
    if (isPlainHttp(error)) {
      return new UserError(`${this.#registry} speaks no TLS; use --insecure if plain HTTP is meant`, 'OCI003')
    }
    if (
      /^(?:CERT_|UNABLE_TO_|SELF_SIGNED_|DEPTH_ZERO_|ERR_TLS_|ERR_SSL_|HOSTNAME_MISMATCH|INVALID_CA)/.test(code) ||
      code === 'EPROTO'
    ) {
      return new UserError(
        `the certificate of ${this.#registry} is not trusted: ${message}; name the certificate of its authority by --ca FILE or SSL_CERT_FILE`,
        'OCI003',
      )
    }
    return new UserError(`${this.#registry} can't be reached: ${message || code}`, 'OCI002')
  }

  close(): void {
    this.#http.close()
  }

  async #patiently(send: () => Promise<HttpResponse>): Promise<HttpResponse> {
    const patience = this.patience()
    for (;;) {
      let response: HttpResponse
      try {
        response = await send()
      } catch (error) {
        if (this.isLoss(error) && !this.signal?.aborted && (await patience.wait())) continue
        throw this.explain(error)
      }
      if (!isTransient(response.status) || !(await patience.wait(response))) return response
    }
  }

  async #send(request: HttpRequest): Promise<HttpResponse> {
    try {
      const response = await this.#http.request({ signal: this.signal, ...request })
      this.#reached = true
      return response
    } catch (error) {
      // As Docker does, registries of this machine may be without TLS.
      if (this.#reached || !isPlainHttp(error) || !isLoopback(this.#registry) || request.url.protocol !== 'https:')
        throw error
      this.#protocol = 'http:'
      const url = new URL(request.url)
      url.protocol = 'http:'
      return this.#send({ ...request, url })
    }
  }
}

/** TLS was tried with a server that has none. */
function isPlainHttp(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return (
    code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
    code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG' ||
    (code === 'EPROTO' && /wrong version number|packet length too long/.test(message))
  )
}

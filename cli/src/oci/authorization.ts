/** How a registry wants to be asked: not at all, by password, or by a token that another server gives. */

import { type Credentials } from './credentials.ts'
import { answerError, RegistryError } from './errors.ts'
import { type HttpClient, type HttpResponse } from './http.ts'

interface Challenge {
  scheme: string
  parameters: Record<string, string>
}

interface Token {
  header: string
  expires: number
}

export interface AuthorizerOptions {
  registry: string
  credentials: () => Promise<Credentials | undefined>
  /** With retries. */
  send: HttpClient['request']
  /** Whether the registry itself is asked without TLS. */
  plain: () => boolean
}

/** Registries promise 60 s at least, and clocks differ. */
const DEFAULT_LIFETIME = 60

export class Authorizer {
  readonly #options: AuthorizerOptions
  readonly #tokens = new Map<string, Token>()
  #challenge: Challenge | undefined

  constructor(options: AuthorizerOptions) {
    this.#options = options
  }

  /** The header for a request, as far as the registry has said what it wants. */
  async header(scopes: readonly string[]): Promise<string | undefined> {
    if (!this.#challenge) return undefined
    return this.#authorize(this.#challenge, scopes)
  }

  /** The header that answers a refusal; undefined where there is nothing to say. */
  async answer(response: HttpResponse, scopes: readonly string[]): Promise<string | undefined> {
    this.#challenge = chooseChallenge(response.headers['www-authenticate'])
    if (!this.#challenge) return undefined
    this.#tokens.delete(scopes.join(' '))
    return this.#authorize(this.#challenge, scopes)
  }

  async #authorize({ scheme, parameters }: Challenge, scopes: readonly string[]): Promise<string | undefined> {
    const credentials = await this.#options.credentials()
    if (credentials?.registryToken) return `Bearer ${credentials.registryToken}`
    if (scheme === 'basic') return basic(credentials)
    const key = scopes.join(' ')
    const known = this.#tokens.get(key)
    if (known && known.expires > Date.now()) return known.header
    const token = await this.#fetchToken(parameters, scopes, credentials)
    this.#tokens.set(key, token)
    return token.header
  }

  async #fetchToken(
    { realm = '', service }: Record<string, string>,
    scopes: readonly string[],
    credentials: Credentials | undefined,
  ): Promise<Token> {
    const { registry, send, plain } = this.#options
    const what = `asking for a token for ${registry}`
    const url = parseRealm(realm)
    if (!url)
      throw new RegistryError(
        `${what}: the registry names ${JSON.stringify(realm)} to ask, which is no URL of HTTP`,
        'OCI401',
        401,
      )
    if (credentials && url.protocol === 'http:' && !plain()) {
      throw new RegistryError(
        `${what}: the registry wants the credentials sent to ${url.origin}, which has no TLS`,
        'OCI401',
        401,
      )
    }
    let response: HttpResponse
    if (credentials?.identityToken) {
      const form = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: credentials.identityToken })
      form.set('client_id', 'meshscript')
      if (service) form.set('service', service)
      form.set('scope', scopes.join(' '))
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      response = await send({ method: 'POST', url, headers, body: Buffer.from(form.toString()) })
    } else {
      if (service) url.searchParams.set('service', service)
      for (const scope of scopes) url.searchParams.append('scope', scope)
      const authorization = basic(credentials)
      response = await send({ method: 'GET', url, ...(authorization && { headers: { authorization } }) })
    }
    if (response.status === 401 && !credentials) throw missingCredentials(registry)
    if (response.status !== 200) throw answerError(what, response.status, response.body)
    const answer = parseJson(response.body)
    const token = answer['token'] ?? answer['access_token']
    if (typeof token !== 'string')
      throw new RegistryError(`${what}: there is no token in the answer of ${url.origin}`, 'OCI010', 200)
    const lifetime = typeof answer['expires_in'] === 'number' ? answer['expires_in'] : DEFAULT_LIFETIME
    return { header: `Bearer ${token}`, expires: Date.now() + Math.max(lifetime - 10, 5) * 1000 }
  }
}

export function missingCredentials(registry: string): RegistryError {
  return new RegistryError(
    `${registry} asks for credentials, and Docker's config.json has none for it; run "docker login ${registry}"`,
    'OCI401',
    401,
  )
}

function basic(credentials: Credentials | undefined): string | undefined {
  if (credentials?.username === undefined) return undefined
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password ?? ''}`).toString('base64')}`
}

function parseRealm(realm: string): URL | undefined {
  const url = URL.canParse(realm) ? new URL(realm) : undefined
  return url && /^https?:$/.test(url.protocol) ? url : undefined
}

function parseJson(body: Buffer): Record<string, unknown> {
  try {
    return (JSON.parse(body.toString('utf8')) ?? {}) as Record<string, unknown>
  } catch {
    return {}
  }
}

/** Tokens before passwords, where the registry takes both. */
function chooseChallenge(header: string | undefined): Challenge | undefined {
  const challenges = parseChallenges(header ?? '')
  return ['bearer', 'basic'].map((wanted) => challenges.find(({ scheme }) => scheme === wanted)).find(Boolean)
}

/** `Bearer realm="https://…",service="…", Basic realm="…"` */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = []
  const part = /\s*,?\s*([\w-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,]+)))?/gy
  for (let match; (match = part.exec(header));) {
    const [, name = '', quoted, plain] = match
    const value = quoted?.replace(/\\(.)/g, '$1') ?? plain
    if (value === undefined) challenges.push({ scheme: name.toLowerCase(), parameters: {} })
    else if (challenges.length) challenges.at(-1).parameters[name.toLowerCase()] = value
  }
  return challenges
}

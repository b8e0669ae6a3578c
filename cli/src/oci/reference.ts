/** Names of images: `oci://HOST[:PORT]/REPOSITORY[:TAG][@sha256:…]`, read as Docker and Istio read them. */

import { UserError } from '../errors.ts'

export interface Reference {
  /** Host and port, e.g. `ghcr.io`. */
  registry: string
  repository: string
  tag?: string
  /** `sha256:…` */
  digest?: string
}

const DOCKER_HUB = 'docker.io'
const HOST = /^(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*|\[[0-9a-f:.]+\])(?::\d{1,5})?$/i
const REPOSITORY = /^[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*$/
const TAG = /^\w[\w.-]{0,127}$/
const DIGEST = /^sha256:[0-9a-f]{64}$/

/** The scheme may be left out. Without a host Docker Hub is meant. */
export function parseReference(text: string): Reference {
  const refuse = (reason: string): never => {
    throw new UserError(`${JSON.stringify(text)} is no name of an image: ${reason}`, 'OCI001')
  }
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(text)
  if (scheme && scheme[1]!.toLowerCase() !== 'oci') {
    return refuse(
      `write oci:// instead of ${scheme[0]}${scheme[1] === 'http' ? ', and --insecure for plain HTTP' : ''}`,
    )
  }
  let rest = text.slice(scheme?.[0].length ?? 0)
  const at = rest.indexOf('@')
  const digest = at < 0 ? undefined : rest.slice(at + 1)
  if (at >= 0) rest = rest.slice(0, at)
  const colon = rest.lastIndexOf(':')
  const tag = colon > rest.lastIndexOf('/') && rest.includes('/') ? rest.slice(colon + 1) : undefined
  if (tag !== undefined) rest = rest.slice(0, colon)

  const slash = rest.indexOf('/')
  const first = rest.slice(0, slash)
  const named = slash > 0 && (/[.:]/.test(first) || first === 'localhost' || first.startsWith('['))
  const registry = named ? first : DOCKER_HUB
  let repository = named ? rest.slice(slash + 1) : rest
  if (/[.:]/.test(rest) && slash < 0)
    return refuse(`after the registry comes the repository, as in oci://${rest}/hello:v1`)
  if (!HOST.test(registry)) return refuse(`${JSON.stringify(registry)} is no host`)
  if (repository === '') return refuse('there is no repository')
  if (repository !== repository.toLowerCase()) return refuse('repositories are written in small letters')
  if (!REPOSITORY.test(repository)) return refuse(`${JSON.stringify(repository)} is no repository`)
  if (registry === DOCKER_HUB && !repository.includes('/')) repository = `library/${repository}`
  if (repository.length < 2) return refuse('Istio takes no repository whose name has only one character')
  if (repository.length > 255) return refuse('the repository is longer than 255 characters')
  if (tag !== undefined) checkTag(tag, text)
  if (digest !== undefined && !DIGEST.test(digest))
    return refuse('after @ comes sha256: and 64 digits or letters from a to f')
  return { registry, repository, ...(tag !== undefined && { tag }), ...(digest !== undefined && { digest }) }
}

/** Throws where a tag is none; `text` is what the user wrote. */
export function checkTag(tag: string, text = tag): void {
  if (TAG.test(tag)) return
  throw new UserError(
    `${JSON.stringify(text)}: a tag has 1 to 128 letters, digits, _, . and -, and begins with no . or -`,
    'OCI001',
  )
}

export function formatReference({ registry, repository, tag, digest }: Reference): string {
  return `oci://${registry}/${repository}${tag === undefined ? '' : `:${tag}`}${digest === undefined ? '' : `@${digest}`}`
}

/** Where the API of a registry is: Docker Hub's is on another host than its name says. */
export function apiHost(registry: string): string {
  return registry === DOCKER_HUB || registry === 'index.docker.io' ? 'registry-1.docker.io' : registry
}

/** Whether a registry is on this machine. */
export function isLoopback(registry: string): boolean {
  const host = registry.replace(/:\d+$/, '')
  return host === 'localhost' || host.endsWith('.localhost') || /^127(?:\.\d{1,3}){3}$/.test(host) || host === '[::1]'
}

/** The module that is deployed: an image, or for Envoy a file or an address; and where the proxies will get it. */

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { isAbsolute, resolve } from 'node:path'
import { displayPath } from '../diagnostics.ts'
import { UsageError, UserError } from '../errors.ts'
import { HttpClient } from '../oci/http.ts'
import type { RegistryOptions } from '../oci/index.ts'
import type { Reference } from '../oci/reference.ts'
import { BLOB_LIMIT } from '../oci/registry.ts'
import type { Code, Form } from './request.ts'

/** Of silence, in milliseconds. */
const TIMEOUT = 60_000

export interface SourceOptions {
  /** `oci://…`, `https://…` or a file. */
  text: string
  /** Where the proxies get it, if not there. */
  code?: string
  digest?: string
  form: Form
  /** Whether the module itself is wanted. */
  load: boolean
  /** Whether registries may be asked. */
  online: boolean
  cwd: string
  /** Names the proxies. */
  env: Record<string, string | undefined>
  registry: (reference: Reference) => RegistryOptions
  signal?: AbortSignal
}

export interface DeploySource {
  code: Code
  /** As it was named. */
  name: string
  repository: string
  /** Undefined where it was not loaded. */
  module?: Uint8Array
}

export async function findSource(options: SourceOptions): Promise<DeploySource> {
  const { text } = options
  const source = await (/^https?:\/\//.test(text)
    ? fromUrl(options)
    : isFile(text)
      ? fromFile(options)
      : fromImage(options))
  if (options.code === undefined) return source
  return { ...source, code: await otherPlace(options.code, source, options) }
}

const isFile = (text: string) => text.startsWith('file://') || /\.wasm$/.test(text)

async function fromImage(options: SourceOptions): Promise<DeploySource> {
  const { text, digest: given, load, online, registry } = options
  const { formatReference, parseReference, pullModule, Registry } = await import('../oci/index.ts')
  const reference = parseReference(text)
  const { repository } = reference
  const named = reference.digest
  if (named !== undefined && given !== undefined && named !== given)
    throw new UsageError(`the image is named by ${named}, and --digest is ${given}`, 'DEP001')
  const wanted = given ?? named
  const code = (digest: string): Code => ({ kind: 'image', reference: { ...reference, digest: undefined }, digest })
  if (!online && wanted !== undefined) return { name: text, repository, code: code(wanted) }

  const connection = registry(reference)
  // By its tag, where there is one: what it names has to be what is meant.
  const asked = given === undefined || reference.tag === undefined ? { ...reference, digest: wanted } : reference
  if (load) {
    const { digest, module } = await pullModule(asked, connection)
    if (given !== undefined && digest !== given)
      throw new UserError(
        `${formatReference({ ...asked, digest: undefined })} is ${digest}, not ${given} as --digest says`,
        'DEP010',
      )
    return { name: text, repository, code: code(digest), module }
  }
  const client = Registry.open(asked, connection)
  try {
    const { digest, mediaType } = await client.resolve(asked)
    // Of an index a proxy takes the image for its platform.
    const isIndex = /index|manifest\.list/.test(mediaType)
    return { name: text, repository, code: code(isIndex ? (await pullModule(asked, connection)).digest : digest) }
  } finally {
    client.close()
  }
}

async function fromFile({ text, form, cwd, load }: SourceOptions): Promise<DeploySource> {
  if (form !== 'envoy' && form !== 'envoy-filter')
    throw new UsageError(`${text} is a file; meshes take images: meshscript push makes one`, 'DEP001')
  const file = text.replace(/^file:\/\//, '')
  const path = resolve(cwd, file)
  const repository = path
    .split(/[\\/]/)
    .at(-1)
    .replace(/\.wasm$/, '')
  const code: Code = { kind: 'file', path: text.startsWith('file://') ? file : path }
  return { name: text, repository, code, ...(load && { module: read(path, cwd) }) }
}

async function fromUrl({ text, digest, form, online, env, signal }: SourceOptions): Promise<DeploySource> {
  if (form === 'wasm-plugin' || form === 'traffic-extension')
    throw new UsageError(`${text} is no image; use --as envoy-filter, or meshscript push`, 'DEP001')
  const { pathname } = new URL(text)
  const repository = (pathname.split('/').at(-1) || 'filter').replace(/\.wasm$/, '')
  if (!online && digest !== undefined)
    return { name: text, repository, code: { kind: 'url', url: text, sha256: digest.slice(7) } }
  let module: Uint8Array
  const http = new HttpClient({ timeout: TIMEOUT, env })
  try {
    const { status, body } = await http.request({ method: 'GET', url: new URL(text), limit: BLOB_LIMIT, signal })
    if (status !== 200) throw new Error(`it answers ${status}`)
    module = body
  } catch (error) {
    throw new UserError(`${text} can't be fetched: ${(error as Error).message}`, 'DEP011')
  } finally {
    http.close()
  }
  const sha256 = sha256Of(module)
  if (digest !== undefined && digest !== `sha256:${sha256}`)
    throw new UserError(`${text} is sha256:${sha256}, not ${digest} as --digest says`, 'DEP010')
  return { name: text, repository, code: { kind: 'url', url: text, sha256 }, module }
}

/** `--code`: a copy of the module, in a file beside the proxy or behind an address. */
async function otherPlace(place: string, { name, module }: DeploySource, { form }: SourceOptions): Promise<Code> {
  if (form !== 'envoy' && form !== 'envoy-filter')
    throw new UsageError('--code is for --as envoy-filter and --as envoy', 'DEP001')
  if (/^https?:\/\//.test(place)) {
    if (!module)
      throw new UsageError(
        `${name} is not loaded, and so the hash of the module is not known: leave --digest out`,
        'DEP001',
      )
    return { kind: 'url', url: place, sha256: sha256Of(module) }
  }
  const path = place.replace(/^file:\/\//, '')
  if (!isAbsolute(path) && !path.startsWith('/'))
    throw new UsageError(`--code ${place}: write an absolute path at the proxy, or http(s)://…`, 'DEP001')
  return { kind: 'file', path }
}

const sha256Of = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')

function read(path: string, cwd: string): Uint8Array {
  try {
    return readFileSync(path)
  } catch (error) {
    throw new UserError(`${displayPath(path, cwd)} can't be read: ${(error as Error).message}`, 'DEP002')
  }
}

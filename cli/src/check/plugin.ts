/** Checks of the WasmPlugins in a file: whether a proxy will get the module that is meant, and whether that takes the configuration. */

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { UserError } from '../errors.ts'
import { type Images } from './images.ts'
import { type Category, type Check, type CheckContext, failure, type Finding, success, warning } from './types.ts'

/** The part of a WasmPlugin's spec that is checked, and of a TrafficExtension's `wasm`. */
interface PluginSpec {
  url?: unknown
  sha256?: unknown
  pluginConfig?: unknown
  pluginName?: unknown
  type?: unknown
}

interface Plugin {
  title: string
  spec: PluginSpec
}

/** A category for each plugin of the file. */
export function pluginChecks(file: string, { io }: CheckContext, images: Images): Category[] {
  return readPlugins(resolve(io.cwd, file), file).map(({ title, spec }) => ({
    categoryName: title,
    checks: checksOf(spec, images),
  }))
}

function readPlugins(path: string, name: string): Plugin[] {
  let text: string
  try {
    text = readFileSync(path, 'utf8')
  } catch (error) {
    throw new UserError(`${name} can't be read: ${(error as Error).message}`, 'CHK030')
  }
  const documents = parseAllDocuments(text)
  const broken = documents.flatMap(({ errors }) => errors)[0]
  if (broken) throw new UserError(`${name} is not valid YAML: ${broken.message}`, 'CHK030')
  const plugins = documents.flatMap((document) => pluginOf(document.toJS()))
  if (!plugins.length) throw new UserError(`${name} has no WasmPlugin and no TrafficExtension with wasm`, 'CHK030')
  return plugins
}

function pluginOf(value: unknown): Plugin[] {
  const { kind, metadata, spec } = (value ?? {}) as {
    kind?: unknown
    metadata?: { name?: string; namespace?: string }
    spec?: PluginSpec & { wasm?: PluginSpec }
  }
  const found = kind === 'WasmPlugin' ? spec : kind === 'TrafficExtension' ? spec?.wasm : undefined
  if (!found) return []
  const { namespace = 'default', name = '' } = metadata ?? {}
  return [{ title: `${String(kind)} ${namespace}/${name}`, spec: found }]
}

const DIGEST = /@sha256:([0-9a-f]{64})$/

function checksOf(spec: PluginSpec, images: Images): Check[] {
  const url = typeof spec.url === 'string' ? spec.url : ''
  // Without a scheme it is an image.
  const image = /^https?:|^file:/.test(url) ? undefined : url.replace(/^(oci:\/\/)?/, 'oci://')
  if (image === undefined) {
    const run = () => Promise.resolve(warning(`${url} is no image, and was not checked`, 'give an oci:// URL'))
    return [{ code: 'CHK031', description: 'the image can be pulled', run }]
  }
  return [
    {
      code: 'CHK031',
      description: 'the image can be pulled',
      run: async (signal) => {
        const { digest } = await images.resolve(image, signal)
        return success(`the image can be pulled (${digest})`)
      },
    },
    {
      code: 'CHK032',
      description: 'the digest is that of the image',
      run: (signal) => checkDigest(spec, image, images, signal),
    },
    {
      code: 'CHK033',
      description: 'the module takes the configuration',
      run: (signal) => checkConfiguration(spec, image, images, signal),
    },
  ]
}

async function checkDigest(
  { sha256 }: PluginSpec,
  image: string,
  images: Images,
  signal: AbortSignal,
): Promise<Finding | undefined> {
  const [, inUrl] = DIGEST.exec(image) ?? []
  if (typeof sha256 !== 'string' || sha256 === '') {
    if (inUrl) return success('the URL has the digest')
    return warning(
      'neither sha256 nor a digest in the URL: a tag may move',
      'write the resource with meshscript deploy',
    )
  }
  const digest = await images.resolve(image, signal).then(
    (found) => found.digest,
    // Said by the check of the image.
    () => undefined,
  )
  if (digest === undefined) return undefined
  if (digest === `sha256:${sha256}`) return success('the digest is that of the image')
  const hint = 'sha256 is the digest of the manifest, not of the module; write the resource with meshscript deploy'
  return failure(`sha256 is ${sha256}, but the image is ${digest}`, hint)
}

async function checkConfiguration(
  { pluginConfig, pluginName, type }: PluginSpec,
  image: string,
  images: Images,
  signal: AbortSignal,
): Promise<Finding | undefined> {
  let module: Uint8Array
  try {
    module = (await images.pull(image, signal)).module
  } catch (error) {
    // Whether the image is there has been asked; here it is about what is in it.
    if (!(error instanceof UserError)) throw error
    return (await images.resolve(image, signal).catch(() => undefined)) && failure(`${error.message} (${error.code})`)
  }
  const { guardedPreflight } = await import('../deploy/guarded.ts')
  const options = {
    module,
    configuration: pluginConfig === undefined ? undefined : JSON.stringify(pluginConfig),
    ...(typeof pluginName === 'string' && { rootId: pluginName }),
    ...(type === 'NETWORK' && { type: 'network' as const }),
  }
  const result = await guardedPreflight(options, undefined, signal)
  if (result.ok) return success()
  return failure(`${result.message} (${result.code})`, 'mend pluginConfig, or the version of the image')
}

/** Whether the image of a plugin can still be had, and whether it takes the plugin's configuration. */

import { UserError } from '../../errors.ts'
import type { RegistryOptions } from '../../oci/index.ts'
import type { Reference } from '../../oci/reference.ts'
import { guardedPreflight } from '../guarded.ts'
import { preflightOptions } from '../run.ts'
import { error, type Finding, ok, warning } from './finding.ts'
import type { Plugin } from './plugin.ts'

export async function imageFindings(
  plugin: Plugin,
  registry: (reference: Reference) => RegistryOptions,
  signal?: AbortSignal,
): Promise<Finding[]> {
  const { reference, spec, digest } = plugin
  if (!reference)
    return [
      warning('registry', `${spec.url ?? ''} names no image, and was not checked`, 'meshscript push makes an image'),
    ]
  const { pullModule } = await import('../../oci/index.ts')
  const moved = await tagFinding(plugin, registry)
  let pulled
  try {
    pulled = await pullModule(reference, registry(reference))
  } catch (failure) {
    if (!(failure instanceof UserError)) throw failure
    if (failure.code === 'DEP009' || signal?.aborted) throw failure
    return [unavailable(failure, reference), ...moved]
  }
  if (digest !== undefined && pulled.digest !== digest) {
    const message = `sha256 says that the digest is ${digest}, but the image is ${pulled.digest}: Istio's agent refuses it`
    return [error('registry', message, 'deploy again; sha256 is the digest of the manifest, not of the module')]
  }
  const there = digest
    ? ok('registry', 'the image is there, and has the digest')
    : warning(
        'registry',
        `the image is there (${pulled.digest}), but nothing says that it stays the same`,
        'deploy it by digest',
      )
  return [there, ...moved, await moduleFinding(plugin, pulled.module, signal)]
}

function unavailable({ message, code }: UserError, { digest }: Reference): Finding {
  const said = `${message} (${code})`
  if (code === 'OCI404')
    return error(
      'registry',
      `the registry has no image ${digest ? `with this digest: ` : 'of this name: '}${said}`,
      'push it again, or deploy a version that is there; meshscript deploy --rollback brings the former one back',
    )
  if (code === 'OCI005' || code === 'OCI006')
    return error('registry', said, 'push it again by meshscript push, and deploy that')
  // The cluster may reach what this machine or account can't.
  return warning(
    'registry',
    `the image could not be read from here: ${said}`,
    'run it where the registry can be reached',
  )
}

/** A tag that names another image by now is no fault: the digest holds. But it may be why somebody asks. */
async function tagFinding(
  { reference, digest }: Plugin,
  registry: (reference: Reference) => RegistryOptions,
): Promise<Finding[]> {
  if (reference?.tag === undefined || reference.digest === undefined) return []
  const { Registry } = await import('../../oci/index.ts')
  const byTag = { ...reference, digest: undefined }
  const client = Registry.open(byTag, registry(byTag))
  try {
    const now = await client.resolve(byTag)
    const isIndex = /index|manifest\.list/.test(now.mediaType)
    if (isIndex || now.digest === digest) return []
    return [
      {
        subject: 'tag',
        level: 'ok',
        message: `${reference.tag} names another digest by now, ${now.digest}; the proxies keep to theirs`,
      },
    ]
  } catch (failure) {
    if (failure instanceof UserError) return []
    throw failure
  } finally {
    client.close()
  }
}

async function moduleFinding({ spec }: Plugin, module: Uint8Array, signal?: AbortSignal): Promise<Finding> {
  const options = preflightOptions(module, {
    configuration: spec.pluginConfig,
    pluginName: spec.pluginName,
    type: spec.type === 'NETWORK' ? 'NETWORK' : 'HTTP',
    env: (spec.vmConfig?.env ?? []).filter(({ valueFrom }) => valueFrom !== 'HOST'),
  })
  const result = await guardedPreflight(options, undefined, signal)
  if (result.ok) return ok('module', 'the filter starts, and takes its configuration')
  const message = [
    `${result.message} (${result.code})`,
    ...result.logs.filter((line) => !result.message.includes(line.replace(/^\w+: /, ''))),
  ]
  return error('module', message.join('\n'), 'mend the configuration or the filter, and deploy again; or --rollback')
}

/** What checks learn from registries, by the credentials of the user. */

import { UserError } from '../errors.ts'
import { parseReference, readImage, type Reference, Registry, RegistryError } from '../oci/index.ts'
import { nameOf, proxyFor } from '../oci/proxy.ts'
import { apiHost } from '../oci/reference.ts'
import { type Images } from './images.ts'
import { type Check, type CheckContext, failure, success } from './types.ts'

/** Images as a proxy would get them. */
export function registryImages(context: CheckContext): Images {
  return {
    resolve: (name, signal) => ask(name, context, signal, (registry, reference) => registry.resolve(reference)),
    pull: (name, signal) => ask(name, context, signal, readImage),
  }
}

/** Whether the user's credentials open the repository that the project is pushed to. */
export function registryCheck(context: CheckContext, name: string): Check {
  return {
    code: 'CHK009',
    description: `the registry answers for ${name}${throughProxy(context, name)}`,
    async run(signal) {
      try {
        await ask(name, context, signal, (registry, reference) => registry.resolve(reference))
      } catch (error) {
        // That there is nothing yet is an answer, too.
        if (error instanceof RegistryError && error.status === 404) return success()
        if (!(error instanceof UserError)) throw error
        return failure(`${error.message} (${error.code})`)
      }
      return success()
    },
  }
}

/** Names the proxy, if there is one. What is wrong with it the check tells when it runs. */
function throughProxy({ io, insecure }: CheckContext, name: string): string {
  try {
    const host = apiHost(parseReference(name).registry)
    const proxy = proxyFor(new URL(`${insecure ? 'http' : 'https'}://${host}`), io.env)
    return proxy ? ` through ${nameOf(proxy)}` : ''
  } catch {
    return ''
  }
}

async function ask<T>(
  name: string,
  { io, insecure, ca }: CheckContext,
  signal: AbortSignal,
  question: (registry: Registry, reference: Reference) => Promise<T>,
): Promise<T> {
  const reference = parseReference(name)
  const registry = Registry.open(reference, { insecure, ca, env: io.env, signal })
  try {
    return await question(registry, reference)
  } finally {
    registry.close()
  }
}

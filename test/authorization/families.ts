/** Policies of SMI and Cilium, compiled and enforced: what the specs of both share. */
import { createHost, hostName, type Host, type Response } from '@meshscript/sdk/testing'
import { compileAuthorization, type CompileOptions } from '../../cli/src/compile/index.ts'
import { Source } from '../../cli/src/resources/source.ts'
import filter from '../../filters/authorization/assembly/index.ts?filter'
import type { SentRequest } from './cases.ts'
import { listenerOptions, PORT } from './listener.ts'
import { toRequestInit } from './requests.ts'

/** The port that policies have to name. */
export { PORT }

/** The workload `app` of namespace `shop`. */
const workload = { namespace: 'shop', name: 'app', labels: { app: 'app' }, serviceAccount: 'app' }

/** The principal of a caller of namespace `front`. */
export const caller = (account: string, namespace = 'front') => `spiffe://cluster.local/ns/${namespace}/sa/${account}`

/** A host whose filter has what the policies compile to. */
export async function hostFor(texts: readonly string[], options: Partial<CompileOptions> = {}): Promise<Host> {
  const sources = texts.map((text, index) => new Source(`${index}.yaml`, text))
  const { configuration, diagnostics } = compileAuthorization(sources, { workload, namespace: 'shop', ...options })
  if (!configuration) throw new Error(JSON.stringify(diagnostics.toJSON(), null, 2))
  return createHost({
    wasm: filter,
    configuration,
    ...listenerOptions({
      trustDomains: ['cluster.local'],
      strict: false,
      pathNormalization: 'NONE',
      jwtRules: [],
    }),
  })
}

/** One request; the answer as it is. */
export async function send(host: Host, request: SentRequest): Promise<Response> {
  return host.request(toRequestInit({ ...request, decision: '' }, hostName()))
}

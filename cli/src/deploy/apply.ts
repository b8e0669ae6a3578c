/** Applies a resource by the user's kubectl, keeps what was there before, and brings it back. */

import { setTimeout as sleep } from 'node:timers/promises'
import { UserError } from '../errors.ts'
import { type Kubectl, kubectlError } from './kubectl.ts'
import { MANAGED_BY, type Resource } from './resources.ts'

export const FIELD_MANAGER = 'meshscript'
/** The spec before the last change, as JSON. */
export const PREVIOUS = 'meshscript.dev/previous'
/** Kubernetes takes 256 KiB of annotations; others want some, too. */
const PREVIOUS_LIMIT = 192 << 10

export interface LiveResource extends Resource {
  metadata: Resource['metadata'] & { generation?: number }
  status?: LiveStatus
}

interface Condition {
  type?: string
  status?: string
  reason?: string
  message?: string
  observedGeneration?: number | string
}

interface LiveStatus {
  observedGeneration?: number | string
  conditions?: Condition[]
  validationMessages?: { level?: string; type?: { code?: string; name?: string } }[]
  /** Of Envoy Gateway. */
  ancestors?: { conditions?: Condition[] }[]
}

export interface Applied {
  /** As kubectl calls it, e.g. `wasmplugin.extensions.istio.io/hello`. */
  name: string
  change: 'created' | 'changed' | 'unchanged'
  warnings: string[]
}

/** The type as kubectl is asked for it. */
export const typeOf = ({ kind, apiVersion }: Pick<Resource, 'kind' | 'apiVersion'>) =>
  `${kind.toLowerCase()}.${apiVersion.split('/')[0]}`

/** By server-side apply: the fields of others stay theirs, unless conflicts are forced. */
export async function apply(kubectl: Kubectl, resource: Resource, forceConflicts = false): Promise<Applied> {
  const live = await kubectl.get<LiveResource>(typeOf(resource), resource.metadata.name)
  const { previous, warnings } = previousOf(live, resource)
  await send(kubectl, withPrevious(resource, previous), forceConflicts)
  const change = !live ? 'created' : sameJson(live.spec, resource.spec) ? 'unchanged' : 'changed'
  return { name: `${typeOf(resource)}/${resource.metadata.name}`, change, warnings }
}

/** What `apply` would change, as a unified diff; empty if nothing. */
export async function diff(kubectl: Kubectl, resource: Resource): Promise<string> {
  const live = await kubectl.get<LiveResource>(typeOf(resource), resource.metadata.name)
  // The annotation of what was before would only hide the difference in a longer one.
  const same = withPrevious(resource, live?.metadata.annotations?.[PREVIOUS])
  const args = ['diff', '--server-side', `--field-manager=${FIELD_MANAGER}`, '-f', '-']
  const answer = await kubectl.run(args, JSON.stringify(same))
  if (answer.code > 1 || (answer.code === 1 && answer.stdout === '')) throw kubectlError(answer)
  return answer.code === 0 ? '' : answer.stdout
}

/** Brings the spec from before the last change back; the one of now can then be brought back the same way. */
export async function rollback(
  kubectl: Kubectl,
  type: Pick<Resource, 'kind' | 'apiVersion'>,
  name: string,
): Promise<Applied & { resource: Resource }> {
  const live = await kubectl.get<LiveResource>(typeOf(type), name)
  if (!live) throw new UserError(`there is no ${typeOf(type)}/${name}`, 'DEP035')
  const text = live.metadata.annotations?.[PREVIOUS]
  if (text === undefined)
    throw new UserError(`${typeOf(type)}/${name} has nothing before it: it was not changed by meshscript`, 'DEP036')
  let spec: Resource['spec']
  try {
    spec = JSON.parse(text) as Resource['spec']
  } catch {
    throw new UserError(`the annotation ${PREVIOUS} of ${typeOf(type)}/${name} is no JSON`, 'DEP036')
  }
  const { namespace } = live.metadata
  const resource: Resource = {
    apiVersion: live.apiVersion,
    kind: live.kind,
    metadata: { name, ...(namespace && { namespace }), labels: { ...MANAGED_BY } },
    spec,
  }
  const { previous, warnings } = previousOf(live, resource)
  await send(kubectl, withPrevious(resource, previous))
  return { name: `${typeOf(type)}/${name}`, change: 'changed', warnings, resource }
}

async function send(kubectl: Kubectl, resource: Resource, forceConflicts = false): Promise<void> {
  const force = forceConflicts ? ['--force-conflicts'] : []
  const args = ['apply', '--server-side', `--field-manager=${FIELD_MANAGER}`, ...force, '-f', '-']
  await kubectl.ask(args, JSON.stringify(resource))
}

/** What the annotation shall be. An apply that changes nothing must not lose what was before. */
function previousOf(live: LiveResource | undefined, { spec }: Resource): { previous?: string; warnings: string[] } {
  if (!live) return { warnings: [] }
  const kept = live.metadata.annotations?.[PREVIOUS]
  if (sameJson(live.spec, spec)) return { previous: kept, warnings: [] }
  const previous = JSON.stringify(live.spec)
  if (Buffer.byteLength(previous) <= PREVIOUS_LIMIT) return { previous, warnings: [] }
  const warnings = [
    `the former spec has more than ${PREVIOUS_LIMIT >> 10} KiB, too much for an annotation: --rollback can't bring it back`,
  ]
  return { warnings }
}

function withPrevious(resource: Resource, previous: string | undefined): Resource {
  if (previous === undefined) return resource
  const { annotations, ...metadata } = resource.metadata
  return { ...resource, metadata: { ...metadata, annotations: { ...annotations, [PREVIOUS]: previous } } }
}

/** The API server gives fields back in another order. */
export function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sorted(item)]),
  )
}

/** How long a first sign of a status is waited for where most control planes write none. */
const GRACE = 2000
const INTERVAL = 250

export type Acceptance = { accepted: true; message: string } | { accepted: false; message: string } | 'no status'

/** Waits until the control plane says in the resource's status that it has taken it, or why not. */
export async function waitForStatus(
  kubectl: Kubectl,
  resource: Resource,
  timeout: number,
  signal?: AbortSignal,
): Promise<Acceptance> {
  const start = performance.now()
  let seen = false
  for (;;) {
    const live = await kubectl.get<LiveResource>(typeOf(resource), resource.metadata.name)
    const verdict = live && verdictOf(live)
    if (verdict) return verdict
    seen ||= hasStatus(live)
    // Envoy Gateway always writes one.
    const patience = seen || resource.kind === 'EnvoyExtensionPolicy' ? timeout : Math.min(timeout, GRACE)
    if (performance.now() - start + INTERVAL > patience) break
    try {
      await sleep(INTERVAL, undefined, { signal })
    } catch {
      throw new UserError('stopped; the resource has been applied', 'DEP009')
    }
  }
  if (!seen) return 'no status'
  throw new UserError(
    `the control plane has not taken ${typeOf(resource)}/${resource.metadata.name} within ${timeout / 1000} s`,
    'DEP037',
  )
}

const hasStatus = (live: LiveResource | undefined) => Object.keys(live?.status ?? {}).length > 0

/** Undefined as long as it is about an older generation, or says nothing. */
function verdictOf({ status = {}, metadata: { generation } }: LiveResource): Acceptance | undefined {
  const conditions = [
    ...(status.conditions ?? []),
    ...(status.ancestors ?? []).flatMap(({ conditions = [] }) => conditions),
  ]
  const isOld = (observed: number | string | undefined) =>
    generation !== undefined && observed !== undefined && Number(observed) < generation
  const problems = (status.validationMessages ?? []).filter(({ level }) => level === 'ERROR')
  if (problems.length && !isOld(status.observedGeneration)) {
    const said = problems.map(({ type }) => [type?.code, type?.name].filter(Boolean).join(' '))
    return { accepted: false, message: said.join('; ') }
  }
  const current = conditions.filter(({ observedGeneration }) => !isOld(observedGeneration ?? status.observedGeneration))
  const told = current.filter(({ type }) => /^(Accepted|Reconciled|Programmed|WaypointAccepted)$/.test(type ?? ''))
  const refused = told.find(({ status }) => status === 'False')
  const text = ({ type, reason, message }: Condition) => [type, reason, message].filter(Boolean).join(': ')
  if (refused) return { accepted: false, message: text(refused) }
  const accepted = told.find(({ status }) => status === 'True')
  return accepted && { accepted: true, message: text(accepted) }
}

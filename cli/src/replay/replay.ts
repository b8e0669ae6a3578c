/** Replays recorded requests through the filter with two sets of policies, and keeps those whose verdict is not the same. */
import type { Subject } from '../explain/fields.ts'
import type { PolicyRequest } from '../requests/request.ts'
import type { TrafficRecord, Unknown } from './record.ts'
import type { Side, SideVerdict } from './side.ts'
import { Unsure } from './unsure.ts'

/** Requests of the same method and path (without the query) for which the same changes. */
export interface Group {
  kind: 'changed' | 'undecided'
  method: string
  path: string
  count: number
  /** Of the first of them. */
  line: number
  old: SideVerdict
  new: SideVerdict
  /** What the records would have to tell. */
  dependsOn: string[]
}

type Difference = Pick<Group, 'kind' | 'old' | 'new' | 'dependsOn'>

export interface Counts {
  requests: number
  changed: number
  undecided: number
}

/** Requests beyond this many are judged again, so that a log of any size fits into memory. */
const REMEMBERED = 200_000

export class Replay {
  readonly counts: Counts = { requests: 0, changed: 0, undecided: 0 }
  readonly #old: Side
  readonly #new: Side
  readonly #unsure: Unsure
  readonly #used: Used
  readonly #groups = new Map<string, Group>()
  readonly #known = new Map<Unknown, Map<string, Difference | undefined>>()
  #remembered = 0

  constructor(old: Side, now: Side) {
    this.#old = old
    this.#new = now
    this.#unsure = new Unsure(old.configuration, now.configuration, now.mesh)
    this.#used = usedBy([...old.subjects, ...now.subjects])
  }

  async add({ request, unknown }: TrafficRecord, line: number): Promise<void> {
    this.counts.requests++
    const difference = await this.#difference(project(request, this.#used), unknown)
    if (!difference) return
    this.counts[difference.kind]++
    const path = request.path.replace(/[?#].*$/s, '')
    const key = JSON.stringify([request.method, path, difference])
    const group = this.#groups.get(key)
    if (group) group.count++
    else this.#groups.set(key, { ...difference, method: request.method, path, count: 1, line })
  }

  async close(): Promise<void> {
    for (const each of [this.#old, this.#new, this.#unsure]) await each.close()
  }

  /** The most frequent first; those that are sure before those that are not. */
  get groups(): Group[] {
    const order = ({ kind }: Group) => (kind === 'changed' ? 0 : 1)
    return [...this.#groups.values()].sort((a, b) => order(a) - order(b) || b.count - a.count || a.line - b.line)
  }

  /** Equal requests, as far as the policies can tell, are judged once. */
  async #difference(request: PolicyRequest, unknown: Unknown): Promise<Difference | undefined> {
    let known = this.#known.get(unknown)
    if (!known) {
      known = new Map<string, Difference | undefined>()
      this.#known.set(unknown, known)
    }
    const key = JSON.stringify(request)
    if (known.has(key)) return known.get(key)
    const difference = await this.#compare(request, unknown)
    if (this.#remembered++ >= REMEMBERED) {
      this.#remembered = 0
      for (const each of this.#known.values()) each.clear()
    }
    known.set(key, difference)
    return difference
  }

  async #compare(request: PolicyRequest, unknown: Unknown): Promise<Difference | undefined> {
    const old = await this.#old.judge(request, unknown)
    const now = await this.#new.judge(request, unknown)
    if (old.verdicts.length === 1 && now.verdicts.length === 1) {
      const isSame = old.verdicts[0] === now.verdicts[0] && old.provider === now.provider
      return isSame ? undefined : { kind: 'changed', old, new: now, dependsOn: [] }
    }
    const subjects = await this.#unsure.dependsOn(request, unknown)
    if (!subjects) return undefined
    return { kind: 'undecided', old, new: now, dependsOn: [...new Set(subjects.map(subjectName))].sort() }
  }
}

export function subjectName(subject: Subject): string {
  switch (subject.kind) {
    case 'header':
      return `header ${subject.name}`
    case 'claim':
      return `claim ${subject.path.join('.')}`
    case 'metadata':
      return `metadata ${subject.filter}`
    case 'requestPrincipal':
      return 'request principal'
    case 'sourceIp':
      return 'source address'
    case 'remoteIp':
      return 'remote address'
    case 'destinationIp':
      return 'destination address'
    default:
      return subject.kind
  }
}

interface Used {
  kinds: ReadonlySet<Subject['kind']>
  headers: ReadonlySet<string>
}

function usedBy(subjects: readonly Subject[]): Used {
  const headers = subjects.flatMap((each) => (each.kind === 'header' ? [each.name] : []))
  return { kinds: new Set(subjects.map(({ kind }) => kind)), headers: new Set(headers) }
}

/** The request without all that no policy looks at. */
function project(request: PolicyRequest, { kinds, headers }: Used): PolicyRequest {
  const { method, path, host, peer, sourceIp, destinationIp, port, sni, claims, metadata } = request
  const plain = path.replace(/\?.*$/s, '')
  const isRemote = (name: string) => name === 'x-forwarded-for' && kinds.has('remoteIp')
  return {
    method: kinds.has('method') || headers.has(':method') || method === 'CONNECT' ? method : 'GET',
    path: headers.has(':path') ? path : plain,
    host: kinds.has('host') || headers.has(':authority') ? host : 'localhost',
    headers: request.headers.filter(([name]) => headers.has(name) || isRemote(name)),
    peer: kinds.has('principal') ? peer : [],
    ...(kinds.has('sourceIp') || kinds.has('remoteIp') ? { sourceIp } : {}),
    ...(kinds.has('destinationIp') && { destinationIp }),
    ...(kinds.has('port') && { port }),
    ...(kinds.has('sni') && { sni }),
    ...((kinds.has('claim') || kinds.has('requestPrincipal')) && { claims }),
    ...(kinds.has('metadata') && { metadata }),
  }
}

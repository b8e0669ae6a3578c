/** A request as a log recorded it, and what the record does not tell. */
import type { Subject } from '../explain/fields.ts'
import type { PolicyRequest } from '../requests/request.ts'

type Telling = Exclude<Subject['kind'], 'header' | 'claim' | 'requestPrincipal'> | 'claims'

/** What a record leaves open. Equal ones are the same object, so that policies are looked at once for each. */
export interface Unknown {
  kinds: ReadonlySet<Telling>
  /** Whether headers that the record does not have were not in the request either. */
  headersComplete: boolean
  /** Those that are known, present or not, where the others are not; else those that are not known. */
  headers: ReadonlySet<string>
}

export interface TrafficRecord {
  request: PolicyRequest
  unknown: Unknown
}

export type SkipReason = 'outbound' | 'inbound' | 'not HTTP' | 'a response' | 'for another workload'

/** Requests to the workload, or those that it makes. */
export type Direction = 'inbound' | 'outbound'

/** A record that is none of a request to the workload. */
export interface Skipped {
  skip: SkipReason
}

export function isUnknown(subject: Subject, { kinds, headersComplete, headers }: Unknown): boolean {
  switch (subject.kind) {
    case 'header':
      return !subject.name.startsWith(':') && headersComplete === headers.has(subject.name)
    case 'claim':
    case 'requestPrincipal':
      return kinds.has('claims')
    default:
      return kinds.has(subject.kind)
  }
}

const interned = new Map<string, Unknown>()

export function unknown(kinds: readonly Telling[], headersComplete: boolean, headers: readonly string[]): Unknown {
  const key = JSON.stringify([[...kinds].sort(), headersComplete, [...headers].sort()])
  let found = interned.get(key)
  if (!found) interned.set(key, (found = { kinds: new Set(kinds), headersComplete, headers: new Set(headers) }))
  return found
}

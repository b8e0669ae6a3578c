/** What is known of a kind of resource. A family of resources (`istio.ts`, …) describes its kinds in this form. */
import type { Diagnostics } from './diagnostics.ts'
import type { Schema } from './schema.ts'

/** Fields beside `apiVersion`, `kind`, `metadata` and `status`. */
export type Fields = Record<string, Schema>

export interface ReadKind {
  use: 'read'
  versions: readonly string[]
  /** The same for all versions, or those of a version. Mostly just `spec`. */
  fields: Fields | ((version: string) => Fields)
  /** Fields that must be there, beside `metadata`. */
  required?: readonly string[]
  /** Reports what the schema can't say. It is called only where the fields are as the schema says. */
  check?: (resource: never, diagnostics: Diagnostics) => void
  /** Keys match in any case, as in Go's own decoder; a warning names the right one, and the resource holds that. */
  caseInsensitive?: boolean
  /** It is in no namespace: `metadata.namespace` is the empty text. */
  clusterScoped?: boolean
  /** It speaks of this alone: who compiles for something else passes over it, mistakes included. */
  about?: Subject
  /** Why it is passed over then. Default: that it has no bearing on what is compiled. */
  unread?: string
}

/** What a configuration is compiled for. */
export type Subject = 'authorization' | 'traffic' | 'gateways' | 'telemetry'

export type Kind =
  /** Parsed and checked. */
  | ReadKind
  /** Of no consequence for the filters. */
  | { use: 'ignore'; versions: readonly string[]; why: string }

/** Kinds that belong together. */
export interface Family {
  /** Kinds by name, by API group. The core group is the empty text. */
  groups: Record<string, Record<string, Kind>>
  /** Groups whose every kind is there: a kind that is misspelt in them must not pass as one of no consequence. */
  complete?: readonly string[]
}

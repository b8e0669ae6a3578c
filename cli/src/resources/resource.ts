import type { Node } from 'yaml'
import type { Code } from './codes.ts'
import type { Diagnostics, Severity } from './diagnostics.ts'
import { formatPath, type Path, type Tree } from './nodes.ts'
import type { Span } from './source.ts'

export interface Metadata {
  name: string
  /** Empty for kinds that are in no namespace. */
  namespace: string
  labels?: Record<string, string>
  annotations?: Record<string, string>
}

/** A resource whose fields have been checked, with the places that they came from. */
export class Resource<Spec = unknown> {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly metadata: Metadata
  readonly spec: Spec
  /** All fields as they are written, for the kinds that have others than `spec`. */
  readonly fields: Readonly<Record<string, unknown>>
  readonly #tree: Tree
  readonly #root: Node

  constructor(type: { group: string; version: string; kind: string }, value: Content<Spec>, tree: Tree, root: Node) {
    this.group = type.group
    this.version = type.version
    this.kind = type.kind
    this.metadata = value.metadata
    this.spec = value.spec
    this.fields = value.fields
    this.#tree = tree
    this.#root = root
  }

  /** `AuthorizationPolicy payments/allow-frontend` */
  get title(): string {
    const { namespace, name } = this.metadata
    return `${this.kind} ${namespace ? `${namespace}/` : ''}${name}`
  }

  /** The place of a field. */
  locate(path: Path): Span {
    return this.#tree.locate(this.#root, path)
  }

  /** Reports on a field of this resource. */
  report(to: Diagnostics, severity: Severity, code: Code, path: Path, message: string, hint?: string) {
    to.add(severity, code, message, {
      resource: this.title,
      field: formatPath(path),
      span: this.locate(path),
      ...(hint && { hint }),
    })
  }
}

export interface Content<Spec> {
  metadata: Metadata
  spec: Spec
  fields: Readonly<Record<string, unknown>>
}

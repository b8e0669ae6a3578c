/** Reading a YAML document's syntax tree where the places matter, not only the values. */
import { isAlias, isMap, isScalar, isSeq, type Document, type Node, type Scalar, type YAMLMap } from 'yaml'
import type { Source, Span } from './source.ts'

export type Path = readonly (string | number)[]

/** `spec.rules[0].when[1].key`; keys that are no identifiers are quoted: `metadata.labels["a.b/c"]`. */
export function formatPath(path: Path): string {
  let text = ''
  for (const step of path) {
    if (typeof step === 'number') text += `[${step}]`
    else if (/^[\w-]+$/.test(step)) text += text === '' ? step : `.${step}`
    else text += `[${JSON.stringify(step)}]`
  }
  return text
}

export interface Entry {
  key: string
  keyNode: Node
  /** Null where nothing, or `null`, is written. */
  value: Node | null
}

/** A document's syntax tree with the text that it was read from. */
export class Tree {
  readonly source: Source
  readonly document: Document

  constructor(source: Source, document: Document) {
    this.source = source
    this.document = document
  }

  /** Follows an alias; an empty node and `null` become null. */
  resolve(node: unknown): Node | null {
    const target = isAlias(node) ? node.resolve(this.document) : (node as Node | null | undefined)
    return target == null || (isScalar(target) && target.value === null) ? null : target
  }

  /** The entries of a mapping, those of merge keys (`<<: *base`) included. */
  entries(map: YAMLMap): Entry[] {
    const own: Entry[] = []
    const merged: Entry[] = []
    for (const pair of map.items) {
      const keyNode = this.resolve(pair.key) as Scalar | null
      // A symbol stands for `<<` where it is a merge key.
      if (keyNode && (keyNode.value === '<<' || typeof keyNode.value === 'symbol')) {
        const value = this.resolve(pair.value)
        for (const each of isSeq(value) ? value.items : [value]) {
          const base = this.resolve(each)
          if (isMap(base)) merged.push(...this.entries(base))
        }
      } else if (keyNode && isScalar(keyNode)) {
        own.push({ key: String(keyNode.value), keyNode, value: this.resolve(pair.value) })
      }
    }
    if (merged.length === 0) return own
    const names = new Set(own.map((entry) => entry.key))
    return [...own, ...merged.filter((entry) => !names.has(entry.key) && names.add(entry.key))]
  }

  /** A node as plain data, without the keys that have no value. */
  value(node: Node | null): unknown {
    if (isMap(node)) {
      const entries = this.entries(node).filter((entry) => entry.value)
      return Object.fromEntries(entries.map(({ key, value }) => [key, this.value(value)]))
    }
    if (isSeq(node)) return node.items.map((item) => this.value(this.resolve(item)))
    return isScalar(node) ? node.value : null
  }

  /** The place of a node's own text, without what follows it. */
  span(node: Node | null): Span {
    const [start, end] = node?.range ?? [0, 0]
    return { source: this.source, start, end }
  }

  /** The place of the value at `path` below `root`, or of the deepest part of it that there is. */
  locate(root: Node, path: Path): Span {
    let node: Node = root
    let found: Node = root
    for (const step of path) {
      if (isMap(node)) {
        const entry = this.entries(node).find((each) => each.key === step)
        if (!entry) break
        found = entry.value && !isMap(entry.value) && !isSeq(entry.value) ? entry.value : entry.keyNode
        if (!entry.value) break
        node = entry.value
      } else if (isSeq(node) && typeof step === 'number') {
        const item = this.resolve(node.items[step])
        if (!item) break
        found = node = item
      } else break
    }
    return this.span(found)
  }
}

/** Texts → resources: YAML or JSON, several documents, lists. */
import { isAlias, isMap, isScalar, isSeq, parseAllDocuments, visit, type Document, type Node, type YAMLMap } from 'yaml'
import type { Diagnostics } from './diagnostics.ts'
import type { ReadKind, Subject } from './kind.ts'
import { apiVersionOf, findKind } from './kinds.ts'
import { metadataSchema } from './metadata.ts'
import { Tree } from './nodes.ts'
import { Resource, type Metadata } from './resource.ts'
import { checkSchema } from './schema.ts'
import type { Source } from './source.ts'

export interface ParseOptions {
  /** The namespace of resources that name none, as `kubectl -n`. Default `default`, with a warning. */
  namespace?: string
  /** What the resources are read for. Default: everything. */
  about?: Subject | readonly Subject[]
}

export interface Parsed {
  /** Those without errors. */
  resources: Resource[]
  /** How many were checked, those with errors included. */
  checked: number
  /** How many are of kinds that are not checked. */
  ignored: number
}

/** Reads all resources of the texts. Those with errors are left out; `diagnostics` says why. */
export function parseResources(
  sources: readonly Source[],
  diagnostics: Diagnostics,
  options: ParseOptions = {},
): Resource[] {
  return parseAll(sources, diagnostics, options).resources
}

/** The same, with what became of how many. */
export function parseAll(sources: readonly Source[], diagnostics: Diagnostics, options: ParseOptions = {}): Parsed {
  const reader = new Reader(diagnostics, options)
  for (const source of sources) {
    for (const document of parseYaml(source, diagnostics)) {
      if (document.contents) reader.readNode(new Tree(source, document), document.contents)
    }
  }
  reader.reportIgnored()
  if (!reader.found && !diagnostics.hasErrors) diagnostics.add('warning', 'MS1007', 'there is no resource in the input')
  return reader
}

/** With a point and at least one digit. */
const FLOAT = /^[-+]?(?:[0-9][0-9_]*\.[0-9_]*|\._*[0-9][0-9_]*)$/

/**
 * Parses YAML as Kubernetes does: YAML 1.1, where `yes` and `on` are truth values, but without its times and base-60 numbers.
 * Of a document with errors the first is reported, and the document is left out: the others mostly follow from it.
 */
export function parseYaml(source: Source, diagnostics: Diagnostics): Document[] {
  const report = (message: string, start: number, end: number) =>
    diagnostics.add('error', 'MS1002', message, { span: { source, start, end } })
  let documents: Document[]
  try {
    documents = [
      ...parseAllDocuments(source.text, {
        version: '1.1',
        merge: true,
        prettyErrors: false,
        customTags: (tags) =>
          tags
            .filter(
              (tag) =>
                typeof tag === 'string' ||
                !(tag.tag === 'tag:yaml.org,2002:timestamp' || ('format' in tag && tag.format === 'TIME')),
            )
            // The library takes a lone dot, as of `exportTo: [.]`, for a number.
            .map((tag) => (typeof tag === 'object' && tag.test?.test('.') ? { ...tag, test: FLOAT } : tag)),
      }),
    ]
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    report('the text is nested too deeply', 0, 0)
    return []
  }
  return documents.filter((document) => {
    const [problem] = [...document.errors, ...document.warnings]
    const key = problem ? undefined : findOddKey(document)
    if (problem) report(problem.message, problem.pos[0], problem.pos[1])
    else if (key) report('a key must be a text; templates, as of Helm, have to be rendered before', ...key)
    else if (document.contents && source.text.includes('&')) {
      // An alias that unfolds to very much is stopped here, before anything walks the tree.
      try {
        document.toJS({ maxAliasCount: 1000 })
      } catch (error) {
        report((error as Error).message.toLowerCase(), 0, 0)
        return false
      }
    }
    return !problem && !key
  })
}

/** The place of a key that is no text, number or truth value: Kubernetes takes no other. `{{ .Values.spec }}` has a mapping as one. */
function findOddKey(document: Document): [start: number, end: number] | undefined {
  let place: [number, number] | undefined
  visit(document, {
    Pair(_, { key }) {
      const target = isAlias(key) ? key.resolve(document) : key
      if (isScalar(target) && target.value !== null) return undefined
      const [start, end] = (key as Node | null)?.range ?? [0, 0]
      place = [start, end]
      return visit.BREAK
    },
  })
  return place
}

class Reader implements Parsed {
  readonly resources: Resource[] = []
  checked = 0
  ignored = 0
  /** Whether there was any resource, used or not. */
  found = false
  readonly #diagnostics: Diagnostics
  readonly #namespace: string | undefined
  readonly #about: readonly Subject[]
  readonly #seen = new Map<string, Resource>()
  readonly #ignored = new Map<string, { count: number; why: string; tree: Tree; node: Node }>()

  constructor(diagnostics: Diagnostics, options: ParseOptions) {
    this.#diagnostics = diagnostics
    this.#namespace = options.namespace
    this.#about = [options.about ?? []].flat()
  }

  /** Reads a resource or a list of some; `defaults` are the type of a typed list's items. */
  readNode(tree: Tree, node: Node, defaults: { apiVersion?: string; kind?: string } = {}) {
    const fail = (message: string, hint: string, at: Node = node) =>
      this.#diagnostics.add('error', 'MS1003', message, { span: tree.span(at), hint })
    if (!isMap(node)) {
      // `null` and comments alone are an empty document.
      if (tree.resolve(node)) fail('expected a Kubernetes resource', 'a document is a mapping with apiVersion and kind')
      return
    }
    const { apiVersion, kind } = { ...defaults, ...stringFields(tree, node, ['apiVersion', 'kind']) }
    if (!apiVersion || !kind) {
      const missing = [!apiVersion && 'apiVersion', !kind && 'kind'].filter(Boolean).join(' and ')
      fail(
        `a Kubernetes resource needs ${missing}`,
        `e.g. apiVersion: ${apiVersionOf(kind) ?? 'security.istio.io/v1'}`,
        node.items[0]?.key as Node,
      )
      return
    }
    const items = tree.entries(node).find((entry) => entry.key === 'items')?.value
    if (kind.endsWith('List') && isSeq(items)) {
      const itemType = kind === 'List' ? {} : { apiVersion, kind: kind.slice(0, -'List'.length) }
      for (const item of items.items) {
        const resolved = tree.resolve(item)
        if (resolved) this.readNode(tree, resolved, itemType)
      }
      this.found = true
      return
    }
    this.found = true
    this.#readResource(tree, node, apiVersion, kind)
  }

  /** One note per kind: a folder may hold hundreds of Services. */
  reportIgnored() {
    for (const [type, { count, why, tree, node }] of this.#ignored) {
      const subject = count === 1 ? type : `${count} × ${type}`
      this.#diagnostics.add('info', 'MS1006', `ignored ${subject}: ${why}`, { span: tree.span(node) })
    }
  }

  #readResource(tree: Tree, node: YAMLMap, apiVersion: string, kind: string) {
    const slash = apiVersion.lastIndexOf('/')
    const group = apiVersion.slice(0, Math.max(slash, 0))
    const version = apiVersion.slice(slash + 1)
    const found = findKind(group, version, kind)
    const isOther = found.use === 'read' && this.#about.length > 0 && found.about && !this.#about.includes(found.about)
    const why = isOther && (found.unread ?? `it has no bearing on ${this.#about[0]}`)
    const known = why ? { use: 'ignore' as const, why } : found
    const place = (field: string) => tree.locate(node, [field])
    if (known.use === 'ignore') this.ignored++
    else this.checked++
    if (known.use === 'unknown') {
      const { field, hint } = known
      this.#diagnostics.add('error', 'MS1004', known.message, { field, span: place(field), hint })
    } else if (known.use === 'ignore') {
      const entry = this.#ignored.get(kind) ?? { count: 0, why: known.why, tree, node: node.items[0]?.key as Node }
      this.#ignored.set(kind, { ...entry, count: entry.count + 1 })
    } else this.#readKnown(tree, node, { group, version, kind }, known)
  }

  #readKnown(tree: Tree, node: YAMLMap, type: { group: string; version: string; kind: string }, known: ReadKind) {
    const diagnostics = this.#diagnostics
    const metadataNode = tree.entries(node).find((entry) => entry.key === 'metadata')?.value
    const { name, namespace } = isMap(metadataNode) ? stringFields(tree, metadataNode, ['name', 'namespace']) : {}
    const title = [type.kind, [namespace, name].filter(Boolean).join('/')].filter(Boolean).join(' ')

    const before = diagnostics.count('error')
    const fields = typeof known.fields === 'function' ? known.fields(type.version) : known.fields
    const schema = {
      type: 'object' as const,
      properties: { apiVersion: {}, kind: {}, metadata: metadataSchema, status: {}, ...fields },
      required: ['metadata', ...(known.required ?? [])],
    }
    const { caseInsensitive } = known
    checkSchema({ tree, diagnostics, resource: title, ...(caseInsensitive && { caseInsensitive }) }, node, schema, [])
    if (diagnostics.count('error') > before) return

    const value = tree.value(node) as { metadata: Partial<Metadata> & { name: string } } & Record<string, unknown>
    const given = known.clusterScoped ? '' : (value.metadata.namespace ?? this.#namespace)
    const metadata = { ...value.metadata, namespace: given ?? 'default' }
    const resource = new Resource(type, { metadata, fields: value, spec: value.spec ?? {} }, tree, node)
    if (given === undefined) {
      const hint = 'write metadata.namespace, or give --namespace'
      resource.report(diagnostics, 'warning', 'MS1008', ['metadata'], 'no namespace: taken as "default"', hint)
    }

    const id = `${type.group} ${resource.title}`
    const earlier = this.#seen.get(id)
    if (earlier) {
      const { source, start } = earlier.locate(['metadata', 'name'])
      const message = `already defined at ${source.name}:${source.position(start).line}`
      resource.report(diagnostics, 'error', 'MS1005', ['metadata', 'name'], message, 'rename or remove one of them')
      return
    }
    this.#seen.set(id, resource)
    known.check?.(resource as never, diagnostics)
    if (diagnostics.count('error') === before) this.resources.push(resource)
  }
}

function stringFields<Name extends string>(tree: Tree, node: YAMLMap, names: readonly Name[]) {
  const found: Partial<Record<Name, string>> = {}
  for (const { key, value } of tree.entries(node)) {
    if (names.includes(key as Name) && isScalar(value) && typeof value.value === 'string') {
      found[key as Name] = value.value
    }
  }
  return found
}

// Which classes of the sources are contexts, found by their names: the parser knows no types yet.

import { CommonFlags, DiagnosticCode, NodeKind } from 'assemblyscript'
import { parseClassMembers, parseStatements } from './snippet.js'

/** Callback → the ABI function that calls it, with the parameters that it may leave out. */
const COMMON = {
  onDone: { abi: 'proxy_on_done', parameters: '' },
  onDelete: { abi: 'proxy_on_delete', parameters: '' },
}
const ROOT = {
  ...COMMON,
  onStart: { abi: 'proxy_on_vm_start', parameters: '' },
  onConfigure: { abi: 'proxy_on_configure', parameters: 'configuration: Configuration' },
  onTick: { abi: 'proxy_on_tick', parameters: '' },
  onQueueReady: { abi: 'proxy_on_queue_ready', parameters: 'queueId: u32' },
  onForeignFunction: { abi: 'proxy_on_foreign_function', parameters: 'functionId: u32, argumentsSize: u32' },
  onResolveDns: { abi: 'envoy_on_resolve_dns', parameters: 'token: u32, result: DnsResult' },
  onStatsUpdate: { abi: 'envoy_on_stats_update', parameters: 'stats: Buffer' },
}
const HTTP = {
  ...COMMON,
  onRequestHeaders: { abi: 'proxy_on_request_headers', parameters: 'endOfStream: bool' },
  onRequestBody: { abi: 'proxy_on_request_body', parameters: 'size: u32, endOfStream: bool' },
  onRequestTrailers: { abi: 'proxy_on_request_trailers', parameters: '' },
  onRequestMetadata: { abi: 'proxy_on_request_metadata', parameters: '' },
  onResponseHeaders: { abi: 'proxy_on_response_headers', parameters: 'endOfStream: bool' },
  onResponseBody: { abi: 'proxy_on_response_body', parameters: 'size: u32, endOfStream: bool' },
  onResponseTrailers: { abi: 'proxy_on_response_trailers', parameters: '' },
  onResponseMetadata: { abi: 'proxy_on_response_metadata', parameters: '' },
  onLog: { abi: 'proxy_on_log', parameters: '' },
}
const STREAM = {
  ...COMMON,
  onNewConnection: { abi: 'proxy_on_new_connection', parameters: '' },
  onDownstreamData: { abi: 'proxy_on_downstream_data', parameters: 'size: u32, endOfStream: bool' },
  onUpstreamData: { abi: 'proxy_on_upstream_data', parameters: 'size: u32, endOfStream: bool' },
  onDownstreamClose: { abi: 'proxy_on_downstream_connection_close', parameters: 'peer: PeerType' },
  onUpstreamClose: { abi: 'proxy_on_upstream_connection_close', parameters: 'peer: PeerType' },
  onLog: { abi: 'proxy_on_log', parameters: '' },
}

/** Context classes of the SDK by name, with their callbacks. */
const BASES = {
  RootContext: { kind: 'root', callbacks: ROOT },
  HttpContext: { kind: 'http', callbacks: HTTP },
  HttpContextBase: { kind: 'http', callbacks: HTTP },
  StreamContext: { kind: 'stream', callbacks: STREAM },
  StreamContextBase: { kind: 'stream', callbacks: STREAM },
}

/**
 * The context classes of an author's sources.
 *
 * @param bases The classes that make one, as `BASES`.
 * @returns {{ name: string, kind: 'root'|'http'|'stream', declaration: object, source: object, isExported: boolean,
 *   isAbstract: boolean, callbacks: { method: object, abi: string, parameters: string }[] }[]}
 */
export function findContexts(sources, bases = BASES) {
  const classes = new Map()
  for (const source of sources) {
    if (isSdk(source)) continue
    const names = exportedNames(source)
    for (const declaration of classDeclarations(source)) {
      const name = declaration.name.text
      const isExported = names.has(name) || (declaration.flags & CommonFlags.Export) !== 0
      classes.set(name, { declaration, source, isExported })
    }
  }
  const contexts = []
  for (const [name, { declaration, source, isExported }] of classes) {
    const base = baseOf(name, classes, bases)
    if (!base) continue
    const callbacks = []
    for (const method of declaration.members) {
      if (method.kind !== NodeKind.MethodDeclaration) continue
      const callback = base.callbacks[method.name.text]
      if (callback) callbacks.push({ method, ...callback })
    }
    contexts.push({
      name,
      kind: base.kind,
      declaration,
      source,
      isExported,
      isAbstract: (declaration.flags & CommonFlags.Abstract) !== 0,
      callbacks,
    })
  }
  return contexts
}

/** Adds the parameters that callbacks leave out, since AssemblyScript wants an override to have them all. */
export function completeParameters(contexts, Parser) {
  const imported = new Set()
  const importType = (source, type) => {
    const key = `${source.internalPath} ${type}`
    if (!imported.has(key)) {
      const text = `import { ${type} as __${type} } from '@meshscript/sdk'`
      source.statements.unshift(...parseStatements(Parser, text, source.range))
    }
    imported.add(key)
    return `__${type}`
  }
  for (const { callbacks, source } of contexts) {
    for (const { method, parameters } of callbacks) {
      if (!parameters) continue
      const given = method.signature.parameters
      const count = parameters.split(',').length
      if (given.length >= count) continue
      // The author's file need not import the SDK's types: they are imported for it, under names of their own.
      const text = parameters.replace(/: ([A-Z]\w*)/g, (_, type) => `: ${importType(source, type)}`)
      const [declaration] = parseClassMembers(Parser, `__unused(${text}): void {}`, method.range)
      given.push(...declaration.signature.parameters.slice(given.length))
    }
  }
}

/** Warns of methods whose name is nearly that of a callback: nobody would call them, and nothing else would tell. */
export function warnOfMisspelt(contexts, parser) {
  for (const { kind, declaration } of contexts) {
    const names = Object.keys(Object.values(BASES).find((base) => base.kind === kind).callbacks)
    for (const { kind: memberKind, name } of declaration.members) {
      if (memberKind !== NodeKind.MethodDeclaration || names.includes(name.text)) continue
      const meant = names.find((callback) => isNear(name.text, callback))
      if (!meant) continue
      const message = `${name.text} is no callback: did you mean ${meant}?`
      parser.warning(DiagnosticCode.User_defined_0, name.range, message)
    }
  }
}

/** True when one letter more, less, other or in another case makes the difference. */
function isNear(name, other) {
  const [a, b] = [name.toLowerCase(), other.toLowerCase()]
  let start = 0
  while (start < a.length && a[start] === b[start]) start++
  let end = 0
  while (end < Math.min(a.length, b.length) - start && a.at(-1 - end) === b.at(-1 - end)) end++
  return Math.max(a.length, b.length) - start - end <= 1
}

/** True for the SDK's own sources. */
export function isSdk(source) {
  return source.internalPath.startsWith('~lib/@meshscript/sdk/')
}

export function classDeclarations(source) {
  return source.statements
    .map((statement) => (statement.kind === NodeKind.ExportDefault ? statement.declaration : statement))
    .filter((statement) => statement.kind === NodeKind.ClassDeclaration)
}

/** Names in `export { … }` and behind `export default`. */
function exportedNames(source) {
  const names = new Set()
  for (const statement of source.statements) {
    if (statement.kind === NodeKind.ExportDefault) names.add(statement.declaration.name.text)
    if (statement.kind !== NodeKind.Export || statement.path) continue
    for (const { localName } of statement.members ?? []) names.add(localName.text)
  }
  return names
}

/** The SDK's class that a class extends, through any number of the author's own; `bases` has it. */
function baseOf(className, classes, bases) {
  const seen = new Set()
  for (let name = className; !seen.has(name);) {
    seen.add(name)
    const known = classes.get(name)
    const parent = known?.declaration.extendsType?.name.identifier.text
    if (!parent) return undefined
    name = importedAs(parent, known.source)
    if (!classes.has(name)) return bases[name]
  }
  return undefined
}

/** `import { HttpContext as Stream }`: the name in the other file. */
function importedAs(name, source) {
  for (const { kind, declarations } of source.statements) {
    if (kind !== NodeKind.Import) continue
    const declaration = declarations?.find((candidate) => candidate.name.text === name)
    if (declaration) return declaration.foreignName.text
  }
  return name
}

// Which classes of the sources are contexts, found by their names: the parser knows no types yet.

import { NodeKind } from 'assemblyscript'
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

const FLAG_ABSTRACT = 128
const FLAG_EXPORT = 2

/**
 * The context classes of an author's sources.
 *
 * @returns {{ name: string, kind: 'root'|'http'|'stream', declaration: object, source: object, isExported: boolean,
 *   isAbstract: boolean, callbacks: { method: object, abi: string, parameters: string }[] }[]}
 */
export function findContexts(sources) {
  const classes = new Map()
  for (const source of sources) {
    if (isSdk(source)) continue
    for (const { declaration, isExported } of classDeclarations(source)) {
      classes.set(declaration.name.text, { declaration, source, isExported })
    }
  }
  const contexts = []
  for (const [name, { declaration, source, isExported }] of classes) {
    const base = baseOf(declaration, classes)
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
      isExported: isExported || (declaration.flags & FLAG_EXPORT) !== 0,
      isAbstract: (declaration.flags & FLAG_ABSTRACT) !== 0,
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

/** True for the SDK's own sources. */
export function isSdk(source) {
  return source.internalPath.startsWith('~lib/@meshscript/sdk/')
}

function* classDeclarations(source) {
  for (const statement of source.statements) {
    if (statement.kind === NodeKind.ClassDeclaration) yield { declaration: statement, isExported: false }
    if (statement.kind === NodeKind.ExportDefault && statement.declaration.kind === NodeKind.ClassDeclaration) {
      yield { declaration: statement.declaration, isExported: true }
    }
  }
  // `class X …; export { X }`
}

function baseOf(declaration, classes) {
  const seen = new Set()
  for (let at = declaration; at?.extendsType;) {
    const name = at.extendsType.name.identifier.text
    const known = classes.get(name)
    if (!known) return BASES[name]
    if (seen.has(name)) return undefined
    seen.add(name)
    at = known.declaration
  }
  return undefined
}

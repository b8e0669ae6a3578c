// Which classes of the sources are contexts, found by their names: the parser knows no types yet.

import { CommonFlags, DiagnosticCode, NodeKind } from 'assemblyscript'
import { Names } from './names.js'
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
 * @returns {{ name: string, kind: 'root'|'http'|'stream', declaration: object, source: object, isAbstract: boolean,
 *   root: import('./names.js').Class | undefined, callbacks: { method: object, abi: string, parameters: string }[] }[]}
 *   `root` is the class that a stream's `root` is said to be.
 */
export function findContexts(sources, bases = BASES) {
  const names = new Names(sources.filter((source) => !isSdk(source)))
  const contexts = []
  for (const { name, declaration, source } of names.classes.values()) {
    const found = findBase({ declaration, source }, names, bases)
    if (!found) continue
    const callbacks = []
    for (const method of declaration.members) {
      if (method.kind !== NodeKind.MethodDeclaration) continue
      const callback = found.base.callbacks[method.name.text]
      if (callback) callbacks.push({ method, ...callback })
    }
    const isAbstract = (declaration.flags & CommonFlags.Abstract) !== 0
    contexts.push({ name, kind: found.base.kind, declaration, source, isAbstract, root: found.root, callbacks })
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

/**
 * The SDK's class that a class extends, through any number of the author's own (`bases` has it), and the class that stands
 * for its `R`.
 */
function findBase(start, names, bases) {
  const seen = new Set()
  let { declaration, source } = start
  /** What the type parameters of `declaration` stand for. */
  let known = new Map()
  while (!seen.has(declaration)) {
    seen.add(declaration)
    const type = declaration.extendsType
    if (!type) return undefined
    const given = (type.typeArguments ?? []).map((argument) => {
      // A function's type has no name.
      if (!argument.name) return undefined
      const name = argument.name.identifier.text
      return known.has(name) ? known.get(name) : names.findType(argument.name, source)
    })
    const parent = names.findType(type.name, source)
    if (!parent.declaration) {
      const base = Object.hasOwn(bases, parent.foreign) ? bases[parent.foreign] : undefined
      return base && { base, root: given[0]?.declaration && given[0] }
    }
    ;({ declaration, source } = parent)
    known = new Map(
      (declaration.typeParameters ?? []).map(({ name, defaultType, extendsType }, index) => {
        const fallback = defaultType ?? extendsType
        return [name.text, given[index] ?? (fallback?.name && names.findType(fallback.name, source))]
      }),
    )
  }
  return undefined
}

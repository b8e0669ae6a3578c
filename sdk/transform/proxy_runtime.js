// Filters that are written for the npm package `@solo-io/proxy-runtime`, and compile against compat/proxy-runtime.

import { NodeKind, Parser } from 'assemblyscript'
import { completeParameters, findContexts, isSdk } from './contexts.js'
import { findMain, pathOf, replaceEntry } from './entry.js'
import { classDeclarations } from './names.js'
import { report } from './report.js'
import { rewrite } from './rewrite.js'
import { instrumentRuntime } from './runtime.js'

const MODULE = '@meshscript/sdk/compat/proxy-runtime'

/** Always exported: the base class keeps the configuration, so the host has to hand it over. */
const ALWAYS = ['proxy_abi_version_0_2_1', 'proxy_on_memory_allocate', 'proxy_on_context_create', 'proxy_on_configure']

const COMMON = {
  onDone: { abi: 'proxy_on_done', parameters: '' },
  onDelete: { abi: 'proxy_on_delete', parameters: '' },
}
const ROOT = {
  ...COMMON,
  createContext: { parameters: 'context_id: u32' },
  cancelPendingRequests: { abi: 'proxy_on_done', parameters: '' },
  validateConfiguration: { abi: 'proxy_validate_configuration', parameters: 'configuration_size: usize' },
  onStart: { abi: 'proxy_on_vm_start', parameters: 'vm_configuration_size: usize' },
  onConfigure: { abi: 'proxy_on_configure', parameters: 'configuration_size: u32' },
  onTick: { abi: 'proxy_on_tick', parameters: '' },
  onQueueReady: { abi: 'proxy_on_queue_ready', parameters: 'token: u32' },
  onHttpCallResponse: {
    abi: 'proxy_on_http_call_response',
    parameters: 'token: u32, headers: u32, body_size: u32, trailers: u32',
  },
  on_grpc_receive_initial_metadata: {
    abi: 'proxy_on_grpc_receive_initial_metadata',
    parameters: 'token: u32, headers: u32',
  },
  on_grpc_trailing_metadata: {
    abi: 'proxy_on_grpc_receive_trailing_metadata',
    parameters: 'token: u32, trailers: u32',
  },
  on_grpc_receive: { abi: 'proxy_on_grpc_receive', parameters: 'token: u32, response_size: u32' },
  on_grpc_close: { abi: 'proxy_on_grpc_close', parameters: 'token: u32, status_code: u32' },
}
const STREAM = {
  ...COMMON,
  onNewConnection: { abi: 'proxy_on_new_connection', parameters: '' },
  onDownstreamData: { abi: 'proxy_on_downstream_data', parameters: 'size: usize, end: bool' },
  onUpstreamData: { abi: 'proxy_on_upstream_data', parameters: 'size: usize, end: bool' },
  onDownstreamConnectionClose: { abi: 'proxy_on_downstream_connection_close', parameters: 't: i32' },
  onUpstreamConnectionClose: { abi: 'proxy_on_upstream_connection_close', parameters: 't: i32' },
  onRequestHeaders: { abi: 'proxy_on_request_headers', parameters: 'a: u32, end_of_stream: bool' },
  onRequestMetadata: { abi: 'proxy_on_request_metadata', parameters: 'a: u32' },
  onRequestBody: { abi: 'proxy_on_request_body', parameters: 'body_buffer_length: usize, end_of_stream: bool' },
  onRequestTrailers: { abi: 'proxy_on_request_trailers', parameters: 'a: u32' },
  onResponseHeaders: { abi: 'proxy_on_response_headers', parameters: 'a: u32, end_of_stream: bool' },
  onResponseMetadata: { abi: 'proxy_on_response_metadata', parameters: 'a: u32' },
  onResponseBody: { abi: 'proxy_on_response_body', parameters: 'body_buffer_length: usize, end_of_stream: bool' },
  onResponseTrailers: { abi: 'proxy_on_response_trailers', parameters: 's: u32' },
  onLog: { abi: 'proxy_on_log', parameters: '' },
}
const BASES = {
  RootContext: { kind: 'root', callbacks: ROOT },
  Context: { kind: 'stream', callbacks: STREAM },
}
const CALLBACKS = { ...ROOT, ...STREAM }

/** A callout's answer comes by a callback, and its cancellation by another: the base class passes both on. */
const CALLOUT = [/\b(httpCall|proxy_http_call)\b/, ['proxy_on_http_call_response', 'proxy_on_done']]

export function isProxyRuntimeFilter({ sources }) {
  return sources.some(({ internalPath }) => internalPath.startsWith(`~lib/${MODULE}/`))
}

/** Prepares the program as `MeshscriptTransform` does for filters of this SDK; answers the names of the exported callbacks. */
export function addProxyRuntimeEntry(parser) {
  const own = parser.sources.filter(isOwn)
  for (const source of own) bypassAlias(source, parser.sources)
  completeParameters(findContexts(own, BASES), Parser)
  for (const source of parser.sources) {
    // Rewrites go by the names of this SDK, which mean something else in a filter that does not know it.
    if (isSdk(source) || /@meshscript\/sdk(?!\/compat)/.test(source.text)) rewrite(source, Parser)
  }
  instrumentRuntime(parser.sources, Parser)

  const main = findMain(own)
  if (!main) return []
  if (!own.some(({ text }) => /\bregisterRootContext\s*\(/.test(text))) {
    const message = 'A filter for proxy-runtime calls registerRootContext(…); this file does not.'
    report(parser, { declaration: main }, message)
    return []
  }
  const callbacks = [...findCallbacks(own)]
  replaceEntry(parser, main, [
    `import '${pathOf(main)}'`,
    `export { ${callbacks.join(', ')} } from '${MODULE}/exports'`,
  ])
  return callbacks
}

/** The filter's own sources and the packages that are written for proxy-runtime. */
function isOwn(source) {
  if (isSdk(source)) return false
  return !source.internalPath.startsWith('~lib/') || source.text.includes('/proxy-runtime')
}

/**
 * An aliased module is a file that says `export * from` the other one, which asc leaves out of `import * as`:
 * such an import is led to where the names are.
 */
function bypassAlias(source, sources) {
  for (const statement of source.statements) {
    if (statement.kind !== NodeKind.Import || !statement.namespaceName) continue
    const target = sources.find(({ internalPath }) => internalPath === statement.internalPath)
    const [only, second] = target?.statements ?? []
    const isAlias = only?.kind === NodeKind.Export && only.path && !only.members && !second
    if (isAlias) statement.internalPath = only.internalPath
  }
}

/** By the methods of all classes, whatever they extend: a callback too many costs a little, one that is missing is a fault. */
function findCallbacks(sources) {
  const found = new Set(ALWAYS)
  for (const source of sources) {
    for (const { members } of classDeclarations(source)) {
      for (const { kind, name } of members) {
        const abi =
          kind === NodeKind.MethodDeclaration && Object.hasOwn(CALLBACKS, name.text) && CALLBACKS[name.text].abi
        if (abi) found.add(abi)
      }
    }
    const [use, names] = CALLOUT
    if (use.test(source.text)) names.forEach((name) => found.add(name))
  }
  return found
}

// Which contexts live in this VM, and how new ones are made.

import { Status } from './abi/enums'
import * as host from './abi/hostcalls'
import { Context, ContextKind, HttpContextBase, RootContext, StreamContextBase } from './context'
import { IdMap } from './memory/id_map'
import { ByteString, slot, utf8 } from './memory/bytes'

export { setHttpFactory, setStreamFactory } from './context'

/** All contexts of this VM: plugins, HTTP streams and connections. Some of them are gone: see `forgetDead`. */
const contexts = new IdMap()

/** Number of contexts at which it is time to look which of them are gone. */
let limit: u32 = 256

/**
 * A call into the VM costs a fifth of a microsecond, so a filter that does not override `onDelete` is not told when a stream ends.
 * Now and then the SDK asks the host instead which streams it still has, for a quarter of that price.
 */
function forgetDead(current: u32): void {
  contexts.retain((context) => host.set_effective_context(context.id) != Status.BadArgument)
  host.set_effective_context(current)
  limit = max<u32>(256, contexts.used * 2)
}

/** Makes the root context of any plugin; those registered by root id come first. */
let rootFactory: () => RootContext = () => new RootContext()

class NamedRoot {
  constructor(
    public rootId: string,
    public factory: () => RootContext,
    public next: NamedRoot | null,
  ) {}
}
let namedRoots: NamedRoot | null = null

/** Makes the root context of plugins whose root id nobody registered. */
export function setRootFactory(factory: () => RootContext): void {
  rootFactory = factory
}

/**
 * Registers a root context class for a root id, where one module carries several filters.
 * Call it at the top level of the file; a module with one filter need not, since it then accepts any root id.
 */
export function registerRoot(rootId: string, factory: () => RootContext): void {
  namedRoots = new NamedRoot(rootId, factory, namedRoots)
}

export function findContext(id: u32): Context | null {
  return changetype<Context | null>(contexts.get(id))
}

/** The root context with this id. */
export function findRoot(id: u32): RootContext | null {
  const context = findContext(id)
  return context && context.kind == ContextKind.Root ? changetype<RootContext>(context) : null
}

/** The HTTP stream with this id. */
// @ts-ignore: decorator
@inline
export function findHttp(id: u32): HttpContextBase | null {
  const context = findContext(id)
  return context && context.kind == ContextKind.Http ? changetype<HttpContextBase>(context) : null
}

/** The connection with this id. */
export function findStream(id: u32): StreamContextBase | null {
  const context = findContext(id)
  return context && context.kind == ContextKind.Stream ? changetype<StreamContextBase>(context) : null
}

/** The host announces a context: a root when it has no parent, else a stream of that root. Ids that make no sense are passed over. */
export function createContext(id: u32, parentId: u32): void {
  if (!id || contexts.get(id)) return
  // A new plugin mostly comes in the place of one, whose configuration may be large.
  if (contexts.used >= limit || (!parentId && contexts.used)) forgetDead(id)
  if (!parentId) {
    add(id, ContextKind.Root, createRoot())
    return
  }
  const root = findRoot(parentId)
  if (!root) return
  const http = root.createHttpContext()
  if (http) {
    http.rootContext = root
    add(id, ContextKind.Http, http)
    return
  }
  addStream(id, root)
}

/**
 * The connection with this id. The host does not say of what kind a new context is, and a module with both kinds has made an HTTP one:
 * the first callback of a connection replaces it.
 */
export function findNewConnection(id: u32): StreamContextBase | null {
  const http = findHttp(id)
  if (http) {
    contexts.remove(id)
    addStream(id, http.rootContext)
  }
  return findStream(id)
}

export function deleteContext(id: u32): void {
  const context = findContext(id)
  if (!context) return
  contexts.remove(id)
  context.isDeleted = true
  context.onDelete()
}

function addStream(id: u32, root: RootContext): void {
  const stream = root.createStreamContext()
  if (!stream) return
  stream.rootContext = root
  add(id, ContextKind.Stream, stream)
}

function add(id: u32, kind: ContextKind, context: Context): void {
  context.id = id
  context.kind = kind
  contexts.add(context)
}

function createRoot(): RootContext {
  if (namedRoots) {
    const path = utf8('plugin_root_id')
    const rootId = slot()
    const out = changetype<usize>(rootId)
    host.get_property(path.ptr, path.length, out, out + 4)
    const named = findNamed(rootId)
    if (named) return named.factory()
  }
  return rootFactory()
}

function findNamed(rootId: ByteString): NamedRoot | null {
  let named = namedRoots
  while (named && !rootId.equals(named.rootId)) named = named.next
  return named
}

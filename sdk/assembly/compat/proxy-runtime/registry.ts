// Which contexts live in this VM, and how root contexts are made. Filters name context classes by functions here,
// so the old package's classes have a registry of their own.

import { Status } from '../../abi/enums'
import * as host from '../../abi/hostcalls'
import { Identified, IdMap } from '../../memory/id_map'
import { BaseContext, Context, RootContext } from './contexts'
import { LogLevelValues } from './enums'
import { get_property, log } from './host'

class Entry extends Identified {
  constructor(
    id: u32,
    readonly context: BaseContext,
    readonly isRoot: bool,
  ) {
    super()
    this.id = id
  }
}

const contexts = new IdMap()

/** Number of contexts at which it is time to ask the host which of them are gone. */
let limit: u32 = 256

class Factory {
  constructor(
    public name: string,
    public make: (context_id: u32) => RootContext,
    public next: Factory | null,
  ) {}
}
let factories: Factory | null = null

/**
 * Registers what makes the root context of plugins with root id `name`. A module that registers one only uses it for any root id.
 */
export function registerRootContext(root_context_factory: (context_id: u32) => RootContext, name: string): void {
  const known = findFactory(name)
  if (known) known.make = root_context_factory
  else factories = new Factory(name, root_context_factory, factories)
}

function findFactory(name: string): Factory | null {
  let factory = factories
  while (factory && factory.name != name) factory = factory.next
  return factory
}

function find(id: u32): Entry | null {
  return changetype<Entry | null>(contexts.get(id))
}

export function findBase(id: u32): BaseContext | null {
  const entry = find(id)
  return entry ? entry.context : null
}

export function findRoot(id: u32): RootContext | null {
  const entry = find(id)
  return entry && entry.isRoot ? changetype<RootContext>(entry.context) : null
}

export function findStream(id: u32): Context | null {
  const entry = find(id)
  return entry && !entry.isRoot ? changetype<Context>(entry.context) : null
}

/** The root context of this id, made if need be. Null where the filter has registered several, and none of that root id. */
export function createRoot(id: u32): RootContext | null {
  const known = findRoot(id)
  if (known) return known
  const rootId = String.UTF8.decode(get_property('plugin_root_id'))
  let factory = findFactory(rootId)
  if (!factory && factories && !factories!.next) factory = factories
  if (!factory) {
    log(LogLevelValues.critical, `no root context is registered for root id '${rootId}', only for ${factoryNames()}`)
    return null
  }
  const root = factory.make(id)
  root.context_id = id
  contexts.remove(id)
  contexts.add(new Entry(id, root, true))
  return root
}

function factoryNames(): string {
  let names = ''
  let factory = factories
  while (factory) {
    if (names.length) names += ', '
    names += `'${factory.name}'`
    factory = factory.next
  }
  return names.length ? names : 'none'
}

/** The host announces a context. */
export function createContext(id: u32, parentId: u32): void {
  if (contexts.used >= limit) forgetDead(id)
  if (!parentId) {
    createRoot(id)
    return
  }
  const root = createRoot(parentId)
  if (root && !find(id)) contexts.add(new Entry(id, root.createContext(id), false))
}

export function deleteContext(context_id: u32): void {
  contexts.remove(context_id)
}

/** Without `onDelete` nobody says when a stream ends: see the SDK's own registry. */
function forgetDead(current: u32): void {
  contexts.retain((context) => host.set_effective_context(context.id) != Status.BadArgument)
  host.set_effective_context(current)
  limit = max<u32>(256, contexts.used * 2)
}

/** The root context of this id, made if need be. Aborts where that is impossible. */
export function ensureRootContext(root_context_id: u32): RootContext {
  return createRoot(root_context_id)!
}

export function ensureContext(context_id: u32, root_context_id: u32): void {
  createContext(context_id, root_context_id)
}

/** Aborts when there is no such context, as do the next two. */
export function getBaseContext(context_id: u32): BaseContext {
  const context = findBase(context_id)
  if (!context) throw new Error(`no context ${context_id}`)
  return context
}

export function getContext(context_id: u32): Context {
  const context = findStream(context_id)
  if (!context) throw new Error(`no stream context ${context_id}`)
  return context
}

export function getRootContext(context_id: u32): RootContext {
  const context = findRoot(context_id)
  if (!context) throw new Error(`no root context ${context_id}`)
  return context
}

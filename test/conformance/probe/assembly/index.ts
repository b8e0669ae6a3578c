// A filter that does what its configuration says, host function by host function, and writes down what came back: one
// module for every detail of the ABI, on every host. It uses the raw functions, so that nothing comes between.
//
// Callbacks and operations become log lines (`request_headers 6 1`, `get 0 x-user -> 0 "bob"`); callbacks that
// the script does not have leave none, and answer as a filter without them would.

import * as host from '../../../../sdk/assembly/abi/hostcalls'
import { Runner, say, traceAllocations } from './operations'
import { Script } from './script'

class Context {
  script: Script | null = null
  /** Calls so far by callback. */
  counts: Map<string, u32> = new Map()
  constructor(public root: u32) {}
}

const contexts = new Map<u32, Context>()
const OUT = memory.data(8)
const VM_CONFIGURATION: u32 = 6
const PLUGIN_CONFIGURATION: u32 = 7

export function proxy_abi_version_0_2_1(): void {}

export function proxy_on_memory_allocate(size: usize): usize {
  if (traceAllocations) say('allocate ' + size.toString())
  return heap.alloc(size)
}

export function proxy_on_context_create(context: u32, parent: u32): void {
  const created = new Context(parent ? parent : context)
  contexts.set(context, created)
  if (!parent) {
    callback(context, 'root_create', '', 0)
    return
  }
  created.script = contexts.get(parent).script
  const script = created.script
  if (script) callback(context, 'create', (++script.streams).toString(), 0)
}

export function proxy_on_vm_start(root: u32, size: u32): u32 {
  return callback(root, 'vm_start', size.toString(), 1)
}

export function proxy_on_configure(root: u32, size: u32): u32 {
  const context = contexts.get(root)
  if (!context.script) context.script = readScript()
  return callback(root, 'configure', size.toString(), 1)
}

export function proxy_on_tick(root: u32): void {
  callback(root, 'tick', '', 0)
}

export function proxy_on_queue_ready(root: u32, queue: u32): void {
  callback(root, 'queue_ready', variable(root, queue), 0)
}

export function proxy_on_foreign_function(root: u32, id: u32, size: u32): void {
  callback(root, 'foreign_function', id.toString() + ' ' + size.toString(), 0)
}

export function proxy_on_new_connection(context: u32): u32 {
  return callback(context, 'new_connection', '', 0)
}

export function proxy_on_downstream_data(context: u32, size: u32, end: u32): u32 {
  return callback(context, 'downstream_data', size.toString() + ' ' + end.toString(), 0)
}

export function proxy_on_upstream_data(context: u32, size: u32, end: u32): u32 {
  return callback(context, 'upstream_data', size.toString() + ' ' + end.toString(), 0)
}

export function proxy_on_downstream_connection_close(context: u32, peer: u32): void {
  callback(context, 'downstream_close', peer.toString(), 0)
}

export function proxy_on_upstream_connection_close(context: u32, peer: u32): void {
  callback(context, 'upstream_close', peer.toString(), 0)
}

export function proxy_on_request_headers(context: u32, count: u32, end: u32): u32 {
  return callback(context, 'request_headers', count.toString() + ' ' + end.toString(), 0)
}

export function proxy_on_request_body(context: u32, size: u32, end: u32): u32 {
  return callback(context, 'request_body', size.toString() + ' ' + end.toString(), 0)
}

export function proxy_on_request_trailers(context: u32, count: u32): u32 {
  return callback(context, 'request_trailers', count.toString(), 0)
}

export function proxy_on_request_metadata(context: u32, count: u32): u32 {
  return callback(context, 'request_metadata', count.toString(), 0)
}

export function proxy_on_response_headers(context: u32, count: u32, end: u32): u32 {
  return callback(context, 'response_headers', count.toString() + ' ' + end.toString(), 0)
}

export function proxy_on_response_body(context: u32, size: u32, end: u32): u32 {
  return callback(context, 'response_body', size.toString() + ' ' + end.toString(), 0)
}

export function proxy_on_response_trailers(context: u32, count: u32): u32 {
  return callback(context, 'response_trailers', count.toString(), 0)
}

export function proxy_on_response_metadata(context: u32, count: u32): u32 {
  return callback(context, 'response_metadata', count.toString(), 0)
}

export function proxy_on_http_call_response(root: u32, call: u32, headers: u32, body: u32, trailers: u32): void {
  const sizes = headers.toString() + ' ' + body.toString() + ' ' + trailers.toString()
  called(root, 'http_call_response', call, sizes)
}

export function proxy_on_grpc_receive_initial_metadata(root: u32, call: u32, count: u32): void {
  called(root, 'grpc_initial_metadata', call, count.toString())
}

export function proxy_on_grpc_receive(root: u32, call: u32, size: u32): void {
  called(root, 'grpc_receive', call, size.toString())
}

export function proxy_on_grpc_receive_trailing_metadata(root: u32, call: u32, count: u32): void {
  called(root, 'grpc_trailing_metadata', call, count.toString())
}

export function proxy_on_grpc_close(root: u32, call: u32, status: u32): void {
  called(root, 'grpc_close', call, status.toString())
}

export function proxy_on_done(context: u32): u32 {
  return callback(context, isRoot(context) ? 'root_done' : 'done', '', 1)
}

export function proxy_on_log(context: u32): void {
  callback(context, isRoot(context) ? 'root_log' : 'log', '', 0)
}

export function proxy_on_delete(context: u32): void {
  callback(context, isRoot(context) ? 'root_delete' : 'delete', '', 0)
  contexts.delete(context)
}

function isRoot(context: u32): bool {
  return contexts.has(context) && contexts.get(context).root == context
}

/** A callback of a call that was made earlier: `NAME VARIABLE …`. */
function called(root: u32, name: string, call: u32, detail: string): void {
  callback(root, name, variable(root, call) + ' ' + detail, 0)
}

/** The stream that callbacks of the root context may act for: the last one that ran a callback. */
let lastStream: u32 = 0

/** Name under which the script keeps an id. */
function variable(root: u32, id: u32): string {
  const script = contexts.has(root) ? contexts.get(root).script : null
  if (!script) return '?'
  const names = script.variables.keys()
  for (let i = 0; i < names.length; i++) if (script.variables.get(names[i]) == <u64>id) return names[i]
  return '?'
}

/** Runs what the script has for the callback, and gives its answer. */
function callback(id: u32, name: string, detail: string, fallback: u32): u32 {
  if (!contexts.has(id)) {
    say(name + ' of an unknown context')
    return fallback
  }
  const context = contexts.get(id)
  if (!context.script) context.script = readScript()
  const script = context.script
  if (!script) return fallback
  if (context.root != id) lastStream = id
  const count = (context.counts.has(name) ? context.counts.get(name) : 0) + 1
  context.counts.set(name, count)
  const operations = script.section(name, count)
  if (!operations) return fallback
  say(detail.length ? name + ' ' + detail : name)
  const runner = new Runner(script, context.root, lastStream, fallback)
  for (let i = 0; i < operations.length; i++) runner.run(operations[i])
  return runner.result
}

/** The script from either configuration, whichever has one and can be read now. */
function readScript(): Script | null {
  const fromPlugin = readBuffer(PLUGIN_CONFIGURATION)
  return fromPlugin ? fromPlugin : readBuffer(VM_CONFIGURATION)
}

function readBuffer(buffer: u32): Script | null {
  store<u64>(OUT, 0)
  if (host.get_buffer_bytes(buffer, 0, u32.MAX_VALUE, OUT, OUT + 4)) return null
  return Script.decode(load<usize>(OUT), load<usize>(OUT, 4))
}

// Arrays and objects are read when somebody asks for what is in them, and forgotten when that is released.

import { hasConfigurationError } from '../configuration_error'
import { allocate, epoch, mark, rewind } from '../memory/arena'
import { JsonKind, JsonNode, outOfMemory } from './node'
import { readOpened } from './parser'

/**
 * Says that something in the arena belongs to a node: its items, or the missing members that it was asked for.
 * The openings are a stack, so that `close` sees what would get lost along with the node's own.
 */
// @ts-ignore: decorator
@unmanaged
@final
export class Opening {
  node: JsonNode
  before: Opening | null
  /** Of the arena, before it. */
  mark: usize
}

let latest: Opening | null = null
let latestEpoch: u32 = 0

/** Reads the items of an array or object unless they are read. False when there are none to be had: never after an error. */
export function open(node: JsonNode): bool {
  if (node.opening) return true
  if (!node.isContainer || hasConfigurationError()) return false
  node.opening = push(node)
  if (node.opening && readOpened(node)) return true
  node.opening = null
  node.kind = JsonKind.Missing
  node.length = 0
  node.first = null
  return false
}

/** Says that a missing member is kept for `node`. */
export function touch(node: JsonNode): void {
  if (!latest || latestEpoch != epoch || latest!.node != node) push(node)
}

/** Forgets what was read of an array or object. After an error, whose message may be in the arena, everything stays. */
export function close(node: JsonNode): void {
  const own = node.opening
  if (!own || hasConfigurationError()) return
  // What others have taken in between would get lost: then the memory is not used again.
  let opening = latest
  while (opening && opening != own) {
    if (!isWithin(opening.node, node)) return
    opening = opening.before
  }
  if (!opening) return
  latest = own.before
  rewind(own.mark)
  forget(node)
}

/** Makes it an array or object that is not read. */
export function forget(node: JsonNode): void {
  node.opening = null
  node.first = null
  node.isOpened = false
  node.length = 0
}

function push(node: JsonNode): Opening | null {
  const before = latestEpoch == epoch ? latest : null
  const start = mark()
  const opening = changetype<Opening>(start ? allocate(offsetof<Opening>()) : 0)
  if (!changetype<usize>(opening)) {
    outOfMemory()
    return null
  }
  opening.node = node
  opening.before = before
  opening.mark = start
  latest = opening
  latestEpoch = epoch
  return opening
}

function isWithin(node: JsonNode | null, outer: JsonNode): bool {
  while (node && node != outer) node = node.parent
  return node !== null
}

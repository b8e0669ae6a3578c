// The items of an array or object, once all are read: pointers in order, followed, for an object, by a hash table of
// pointers (open addressing). Both come from one piece of the arena.

import { allocate } from '../memory/arena'
import { ByteString } from '../memory/bytes'
import { JsonKind, JsonNode } from './node'

/** Slots of the table: a power of two, never full. */
function slotsOf(node: JsonNode): u32 {
  return (<u32>2) << (32 - clz(node.length))
}

/** Lays out the items that `first` leads to. Answers the first one whose name was there before; null when there is none. */
export function indexItems(node: JsonNode): JsonNode | null {
  const isObject = node.kind == JsonKind.Object
  const size = (<usize>node.length + (isObject ? <usize>slotsOf(node) : 0)) << 2
  const items = allocate(size)
  if (!items) {
    node.length = 0
    return null
  }
  memory.fill(items, 0, size)
  node.ptr = items
  let at = items
  let item = node.first
  while (item) {
    store<usize>(at, changetype<usize>(item))
    at += sizeof<usize>()
    if (isObject) {
      const slot = findSlot(node, item.name, item.key)
      if (load<usize>(slot)) return item
      store<usize>(slot, changetype<usize>(item))
    }
    item = item.next
  }
  node.first = null
  return null
}

export function findMember(node: JsonNode, name: ByteString): JsonNode | null {
  return load<JsonNode | null>(findSlot(node, name, name.hash()))
}

/** The slot that has the member, or the free one where the search ends. */
function findSlot(node: JsonNode, name: ByteString, hash: u32): usize {
  const mask = slotsOf(node) - 1
  const table = node.ptr + ((<usize>node.length) << 2)
  while (true) {
    const slot = table + ((hash++ & mask) << 2)
    const member = load<JsonNode | null>(slot)
    if (!member || member.name.equals(name)) return slot
  }
}

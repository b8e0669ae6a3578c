import { reportConfigurationError } from '../configuration_error'
import { allocate, epoch } from '../memory/arena'
import { ByteString, utf8 } from '../memory/bytes'
import { Opening } from './opening'

/** What a JSON value is. `Missing` is what a member that is not there answers. */
export enum JsonKind {
  Missing,
  Null,
  Boolean,
  Number,
  String,
  Array,
  Object,
}

/**
 * One value of a document, in the arena: what a `JsonValue` looks like inside.
 *
 * The text of the document stays untouched, so that places in it can be told when an error is reported.
 */
// @ts-ignore: decorator
@unmanaged
@final
export class JsonNode {
  kind: JsonKind
  /** Somebody asked for this value, by its name or its index. */
  isAsked: bool
  /** Somebody asked this object for a member by name. */
  isOpened: bool
  /** The array or object that it is in; null for the root. */
  parent: JsonNode | null
  /** Where its text begins; 0 for a missing value. */
  start: usize
  /** Where its name begins, quotes included; for the root, where the document begins. */
  nameStart: usize
  /** Hash of the name; index of an item. */
  key: u32

  // Two views: their fields are those of a ByteString.
  namePtr: usize
  nameLength: i32
  nameEpoch: u32
  /** Bytes of a decoded string, text of a number, items of an array or object (then, for an object, its hash table). */
  ptr: usize
  /** Bytes or items. For a boolean: 1 for true. */
  length: i32
  epoch: u32

  /** Next item of the parent; next missing member that the parent was asked for. */
  next: JsonNode | null
  /** First item while the text is read; afterwards the missing members that were asked for. */
  first: JsonNode | null
  /** Of an array or object whose items are read; else null. */
  opening: Opening | null

  /** A missing value. Where memory is used up, which is then reported, always the same one. */
  static create(parent: JsonNode | null): JsonNode {
    const address = allocate(offsetof<JsonNode>())
    const node = changetype<JsonNode>(address ? address : SPARE)
    memory.fill(changetype<usize>(node), 0, offsetof<JsonNode>())
    if (address) node.parent = parent
    else outOfMemory()
    if (isDefined(MESHSCRIPT_DEBUG)) node.epoch = node.nameEpoch = epoch
    return node
  }

  /** True when there was no room for the node. */
  get isSpare(): bool {
    return changetype<usize>(this) == SPARE
  }

  get name(): ByteString {
    return changetype<ByteString>(changetype<usize>(this) + offsetof<JsonNode>('namePtr'))
  }

  /** Only of strings and numbers. */
  get bytes(): ByteString {
    return changetype<ByteString>(changetype<usize>(this) + offsetof<JsonNode>('ptr'))
  }

  /** Only of arrays and objects that are open, within their length. */
  item(index: i32): JsonNode {
    return load<JsonNode>(this.ptr + ((<usize>index) << 2))
  }

  get isContainer(): bool {
    return this.kind >= JsonKind.Array
  }
}

const SPARE: usize = memory.data(64, 8)

export function outOfMemory(): bool {
  reportConfigurationError(utf8('configuration: it does not fit into the memory of the VM'))
  return false
}

import { Attribute } from './dimension'

/**
 * Which of very many attributes a request has values of at all, such as those headers of a thousand that are there:
 * the others need no look.
 */
export abstract class Directory {
  /** Places of the attributes with values; as many are valid as `find` has answered. A place may be there twice. */
  found: StaticArray<i32> = new StaticArray<i32>(0)

  /** Takes an attribute in under a number. False: it isn't of the kind that this knows about. */
  abstract add(attribute: Attribute, place: i32): bool

  /** Looks which attributes the request has. */
  abstract find(): i32
}

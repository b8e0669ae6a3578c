// The rules of all policies as one index. Each way in which a rule can match (one entry of `from`, one of `to`, all of `when`) is an
// *alternative*, a number. An attribute of a request is looked up once, which gives the alternatives that it satisfies; those that all attributes
// satisfy have matched. DENY comes before ALLOW, and within an action decisions are in the order of their ids, so the least alternative decides.

import { Bytes, ByteString, Pairs } from '@meshscript/sdk'
import { BitSet } from '../../common/assembly/bitset'
import { PatternKind, StringIndex } from '../../common/assembly/string_index'
import { Peer } from './peer'

export enum Attribute {
  Principal,
  /** `:path` without query and fragment. */
  Path,
  Header,
}

/** What one alternative wants of one attribute. An alternative that wants two things of it has conditions in two dimensions. */
@final
export class Dimension {
  /** Alternatives by the texts that they want, and those that want any. */
  private wanted: StringIndex
  private constrained: BitSet
  /** Alternatives by the texts that they exclude. */
  private excluded: StringIndex
  private hasExclusions: bool = false
  /** Alternatives with a condition of either kind. */
  private concerned: BitSet

  constructor(
    readonly attribute: Attribute,
    /** Name of the header, lower case. */
    readonly header: Bytes,
    size: i32,
  ) {
    this.wanted = new StringIndex(size)
    this.constrained = new BitSet(size)
    this.excluded = new StringIndex(size)
    this.concerned = new BitSet(size)
  }

  isFree(alternative: i32): bool {
    return !this.concerned.has(alternative)
  }

  want(alternative: i32, kind: PatternKind, text: ByteString): void {
    this.wanted.add(kind, text, alternative)
    this.constrained.add(alternative)
    this.concerned.add(alternative)
  }

  exclude(alternative: i32, kind: PatternKind, text: ByteString): void {
    this.excluded.add(kind, text, alternative)
    this.hasExclusions = true
    this.concerned.add(alternative)
  }

  /** Takes out of `active` what the request does not satisfy. Answers whether anything is left. */
  apply(active: BitSet, request: RequestView, found: BitSet, excluded: BitSet): bool {
    if (!active.intersects(this.concerned)) return true
    found.clear()
    if (this.hasExclusions) excluded.clear()
    if (this.attribute == Attribute.Header) {
      const headers = request.headers
      const name = this.header.view
      for (let i = headers.indexOf(name); i >= 0; i = headers.indexOf(name, i + 1)) {
        this.find(headers.value(i), found, excluded)
      }
    } else if (this.attribute == Attribute.Path) {
      const path = request.path
      if (path) this.find(path, found, excluded)
    } else {
      const peer = request.peer
      if (peer) {
        this.wanted.findPresent(found)
        if (this.hasExclusions) this.excluded.findPresent(excluded)
        for (let i = 0; i < peer.principals.length; i++) {
          this.find(unchecked(peer.principals[i]).view, found, excluded)
        }
      }
    }
    if (!active.keep(found, this.constrained)) return false
    return !this.hasExclusions || active.removeAll(excluded)
  }

  private find(text: ByteString, found: BitSet, excluded: BitSet): void {
    this.wanted.find(text, found)
    if (this.hasExclusions) this.excluded.find(text, excluded)
  }
}

/** What the index asks of a request; each attribute is read at most once. */
export abstract class RequestView {
  abstract get peer(): Peer | null
  abstract get path(): ByteString | null
  abstract get headers(): Pairs
}

/** A rule that decides. */
@final
export class Decision {
  constructor(
    /** `ns[NAMESPACE]-policy[NAME]-rule[INDEX]` */
    readonly id: Bytes,
    readonly isDeny: bool,
  ) {}
}

@final
export class RuleIndex {
  /** Dimensions in the order of what reading their attribute costs. */
  private dimensions: Dimension[] = []
  private all: BitSet
  private active: BitSet
  private found: BitSet
  private excluded: BitSet

  constructor(
    /** The decision of each alternative, in order. */
    private decisions: Decision[],
    /** With an ALLOW policy, what no rule allows is refused. */
    readonly hasAllowPolicy: bool,
  ) {
    const size = decisions.length
    const all = new BitSet(size)
    for (let i = 0; i < size; i++) all.add(i)
    this.all = all
    this.active = new BitSet(size)
    this.found = new BitSet(size)
    this.excluded = new BitSet(size)
  }

  /** A dimension of this attribute in which the alternative has no condition yet. */
  dimension(attribute: Attribute, header: Bytes, alternative: i32): Dimension {
    const dimensions = this.dimensions
    for (let i = 0; i < dimensions.length; i++) {
      const known = dimensions[i]
      if (known.attribute == attribute && known.header.equals(header) && known.isFree(alternative)) return known
    }
    const added = new Dimension(attribute, header, this.decisions.length)
    // Headers and path come with one hostcall, which the path's callers have mostly made already; the peer takes another.
    if (attribute == Attribute.Principal) dimensions.push(added)
    else dimensions.unshift(added)
    return added
  }

  /** The rule that decides on the request, or null when none matches. */
  decide(request: RequestView): Decision | null {
    const active = this.active
    active.copyFrom(this.all)
    const dimensions = this.dimensions
    for (let i = 0; i < dimensions.length; i++) {
      if (!unchecked(dimensions[i]).apply(active, request, this.found, this.excluded)) return null
    }
    const first = active.first()
    return first < 0 ? null : unchecked(this.decisions[first])
  }
}

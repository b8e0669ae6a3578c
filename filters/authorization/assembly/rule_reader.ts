// The rules of a policy, read into an index.

import { Bytes, JsonValue, utf8 } from '@meshscript/sdk'
import {
  AddressAttribute,
  AddressKind,
  HeaderAttribute,
  HostAttribute,
  JoinedHeaderAttribute,
  MetadataAttribute,
  PathAttribute,
  PeerAttribute,
  PortAttribute,
  ServerNameAttribute,
  ValueKind,
} from '../../common/assembly/request/attributes'
import { addBlock, addMatcher, addPort, MatcherOptions } from '../../common/assembly/request/matchers'
import { CurrentRequest } from '../../common/assembly/request/request'
import { Attribute, Dimension } from '../../common/assembly/rules/dimension'
import { RuleIndex } from '../../common/assembly/rules/rule_index'
import { Decision } from './decision'
import { addRequestPrincipal, RequestPrincipalAttribute } from './request_principal'

const TEXT = new MatcherOptions(true)
const HEADER = new MatcherOptions(false)
const HOST = new MatcherOptions(false, true)
const PATH = new MatcherOptions(true, false, true)

/** How the items of a list are read. */
enum Items {
  Matchers,
  Blocks,
  Ports,
  RequestPrincipals,
}

/** Attributes of which there is one each. The first three are the kinds of addresses. */
enum Single {
  DirectAddress,
  RemoteAddress,
  DestinationAddress,
  Port,
  ServerName,
  Peer,
  RequestPrincipal,
  Path,
  Method,
  Host,
}

/** Conditions by `attribute`; the first seven of `Single` in order. */
const ATTRIBUTES = [
  'source.ip',
  'remote.ip',
  'destination.ip',
  'destination.port',
  'connection.sni',
  'source.principal',
  'request.principal',
]

/** Adds rules to an index. What is made here is made once: nothing is collected while a configuration is read. */
@final
export class RuleReader {
  readonly index: RuleIndex<Decision> = new RuleIndex<Decision>()
  private singles: StaticArray<Dimension | null> = new StaticArray<Dimension | null>(10)
  private headerNames: Bytes[] = []
  private headers: Dimension[] = []
  /** Whether a condition holds whose attribute can't be known: of all but ALLOW it does, so that the request is refused. */
  private holdsIfUnknown: bool = false

  constructor(private request: CurrentRequest) {}

  /** One alternative for each way through `from` and `to`. */
  add(json: JsonValue, decision: Decision, holdsIfUnknown: bool): void {
    this.holdsIfUnknown = holdsIfUnknown
    const sources = optionalList(json.get('from'))
    const operations = optionalList(json.get('to'))
    const conditions = optionalList(json.get('when'))
    for (let s = 0; s < max(sources.length, 1); s++) {
      for (let o = 0; o < max(operations.length, 1); o++) {
        this.index.beginAlternative(decision)
        if (operations.length) this.addOperation(operations[o])
        for (let c = 0; c < conditions.length; c++) this.addCondition(conditions[c])
        if (sources.length) this.addSource(sources[s])
      }
    }
  }

  private addSource(json: JsonValue): void {
    let count = this.addBoth(Single.Peer, json.get('principals'), json.get('notPrincipals'), TEXT)
    count += this.addBoth(Single.Peer, json.get('namespaces'), json.get('notNamespaces'), TEXT)
    count += this.addBoth(Single.Peer, json.get('serviceAccounts'), json.get('notServiceAccounts'), TEXT)
    count += this.addBoth(Single.Peer, json.get('trustDomains'), json.get('notTrustDomains'), TEXT)
    count += this.addBoth(
      Single.RequestPrincipal,
      json.get('requestPrincipals'),
      json.get('notRequestPrincipals'),
      TEXT,
    )
    count += this.addBoth(Single.DirectAddress, json.get('ipBlocks'), json.get('notIpBlocks'), TEXT)
    count += this.addBoth(Single.RemoteAddress, json.get('remoteIpBlocks'), json.get('notRemoteIpBlocks'), TEXT)
    refuseNothing(json, count)
  }

  private addOperation(json: JsonValue): void {
    let count = this.addBoth(Single.Path, json.get('paths'), json.get('notPaths'), PATH)
    count += this.addBoth(Single.Method, json.get('methods'), json.get('notMethods'), HEADER)
    count += this.addBoth(Single.Host, json.get('hosts'), json.get('notHosts'), HOST)
    count += this.addBoth(Single.Port, json.get('ports'), json.get('notPorts'), TEXT)
    refuseNothing(json, count)
  }

  private addCondition(json: JsonValue): void {
    const header = json.get('header')
    const claim = json.get('claim')
    const metadata = json.get('metadata')
    const attribute = json.get('attribute')
    const values = json.get('values')
    const notValues = json.get('notValues')
    let count: i32
    if (i32(header.exists) + i32(claim.exists) + i32(metadata.exists) + i32(attribute.exists) != 1) {
      return json.fail('expected one of "header", "claim", "metadata" and "attribute"')
    }
    if (header.exists) {
      const dimension = this.header(header, json.get('joined').bool(false))
      count = this.addLists(dimension, values, notValues, Items.Matchers, HEADER)
    } else if (claim.exists) {
      const path = [utf8('envoy.filters.http.jwt_authn').persist(), utf8('payload').persist()]
      readPath(claim, path)
      const dimension = this.index.dimension(new MetadataAttribute(this.request, path, ValueKind.TextOrList))
      count = this.addLists(dimension, values, notValues, Items.Matchers, TEXT)
    } else if (metadata.exists) {
      const path = [metadata.get('filter').bytes()]
      readPath(metadata.get('path'), path)
      const kind = json.get('list').bool(false) ? ValueKind.List : ValueKind.Text
      const dimension = this.index.dimension(new MetadataAttribute(this.request, path, kind))
      count = this.addLists(dimension, values, notValues, Items.Matchers, TEXT)
    } else {
      count = this.addBoth(<Single>attribute.oneOf(ATTRIBUTES), values, notValues, TEXT)
    }
    refuseNothing(json, count)
  }

  /** The dimension of a header. */
  private header(json: JsonValue, isJoined: bool): Dimension {
    const name = json.byteString()
    // Envoy has names in lower case, so that any other would match nothing.
    if (!name.length || !name.toLowerCase().equals(name)) json.fail('expected the name of a header, in lower case')
    if (isJoined) return this.index.dimension(new JoinedHeaderAttribute(this.request, name.persist()))
    for (let i = 0; i < this.headers.length; i++) if (this.headerNames[i].equals(name)) return this.headers[i]
    const kept = name.persist()
    const dimension = this.index.dimension(new HeaderAttribute(this.request, kept))
    this.headerNames.push(kept)
    this.headers.push(dimension)
    return dimension
  }

  private single(which: Single): Dimension {
    const known = this.singles[which]
    if (known) return known
    const dimension = this.index.dimension(this.makeAttribute(which))
    this.singles[which] = dimension
    return dimension
  }

  private makeAttribute(which: Single): Attribute {
    const request = this.request
    if (which <= Single.DestinationAddress) return new AddressAttribute(request, <AddressKind>(<i32>which))
    if (which == Single.Port) return new PortAttribute()
    if (which == Single.ServerName) return new ServerNameAttribute()
    if (which == Single.Peer) return new PeerAttribute(request)
    if (which == Single.Path) return new PathAttribute(request)
    if (which == Single.Method) return new HeaderAttribute(request, utf8(':method').persist())
    if (which == Single.Host) return new HostAttribute(request)
    const payload = [utf8('envoy.filters.http.jwt_authn').persist(), utf8('payload').persist()]
    const issuer = payload.concat([utf8('iss').persist()])
    return new RequestPrincipalAttribute(request, issuer, payload.concat([utf8('sub').persist()]))
  }

  /** Adds what an attribute must and must not be; answers how many of both lists are there. */
  private addBoth(which: Single, wanted: JsonValue, excluded: JsonValue, options: MatcherOptions): i32 {
    if (!wanted.exists && !excluded.exists) return 0
    let items = Items.Matchers
    if (which <= Single.DestinationAddress) items = Items.Blocks
    else if (which == Single.Port) items = Items.Ports
    else if (which == Single.RequestPrincipal) items = Items.RequestPrincipals
    return this.addLists(this.single(which), wanted, excluded, items, options)
  }

  private addLists(
    dimension: Dimension,
    wanted: JsonValue,
    excluded: JsonValue,
    items: Items,
    options: MatcherOptions,
  ): i32 {
    return (
      i32(this.addList(dimension, wanted, false, items, options)) +
      i32(this.addList(dimension, excluded, true, items, options))
    )
  }

  private addList(dimension: Dimension, list: JsonValue, isNegated: bool, items: Items, options: MatcherOptions): bool {
    if (!list.exists) return false
    const values = optionalList(list)
    for (let i = 0; i < values.length; i++) this.index.addPattern(addItem(dimension, values[i], items, options))
    this.index.addCondition(dimension, isNegated, this.holdsIfUnknown)
    return true
  }
}

function addItem(dimension: Dimension, value: JsonValue, items: Items, options: MatcherOptions): i32 {
  if (items == Items.Matchers) return addMatcher(dimension, value, options)
  if (items == Items.Blocks) return addBlock(dimension, value)
  if (items == Items.Ports) return addPort(dimension, value)
  return addRequestPrincipal(dimension, value)
}

/** Adds the names of a list to a path. */
function readPath(json: JsonValue, path: Bytes[]): void {
  const names = json.array()
  if (!names.length) json.fail('expected at least one name')
  for (let i = 0; i < names.length; i++) path.push(names[i].bytes())
}

/** The items of a list that may be left out, but not be empty. */
function optionalList(json: JsonValue): JsonValue {
  const items = json.optionalArray()
  if (json.exists && !items.length) {
    json.fail('expected at least one entry; leave the field out where everything matches')
  }
  return items
}

/** An entry that asks for nothing would match everything, which is hardly what its author means. */
function refuseNothing(json: JsonValue, count: i32): void {
  if (!count) json.fail('expected a field to compare')
}

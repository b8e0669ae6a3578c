import { ByteString, utf8 } from '@meshscript/sdk'
import { Writer } from '../export/writer'

const MAX_TEXT: i32 = 256

/**
 * Writes the policy that an id names, as a list: `[{"name":"viewer","namespace":"shop","kind":"AuthorizationPolicy"}]`.
 * Ids are those that istiod and `meshscript compile` give: `ns[shop]-policy[viewer]-rule[0]`.
 */
export function writePolicy(line: Writer, id: ByteString, isRateLimit: bool): void {
  line.raw(utf8('[{"name":'))
  if (isRateLimit) writeRateLimit(line, id)
  else writeAuthorization(line, withoutRule(id))
  line.raw(utf8('}]'))
}

/** `shop/web-limit[total]`, or the name of a rule. */
function writeRateLimit(line: Writer, rule: ByteString): void {
  const slash = rule.indexOfByte(0x2f)
  const bracket = rule.indexOfByte(0x5b, slash)
  if (slash > 0 && bracket > slash)
    writeResource(line, rule.slice(slash + 1, bracket), rule.slice(0, slash), utf8('HTTPLocalRateLimitPolicy'))
  else line.string(rule, MAX_TEXT)
}

function writeAuthorization(line: Writer, id: ByteString): void {
  // What comes behind it, as -deny, is not the resource's.
  const last = id.lastIndexOfByte(0x5d)
  if (last > 5 && id.startsWith(utf8('ccnp[')))
    return writeResource(line, id.slice(5, last), ByteString.empty, utf8('CiliumClusterwideNetworkPolicy'))
  const end = id.startsWith(utf8('ns[')) ? id.indexOfByte(0x5d) : -1
  const bracket = end < 0 ? -1 : id.indexOfByte(0x5b, end)
  const kind = bracket < 0 ? ByteString.empty : kindOf(id.slice(end + 1, bracket))
  if (kind.isEmpty) line.string(id, MAX_TEXT)
  else writeResource(line, id.slice(bracket + 1, last), id.slice(3, end), kind)
}

function kindOf(mark: ByteString): ByteString {
  if (mark.equals(utf8('-policy'))) return utf8('AuthorizationPolicy')
  if (mark.equals(utf8('-cnp'))) return utf8('CiliumNetworkPolicy')
  return mark.equals(utf8('-target')) ? utf8('TrafficTarget') : ByteString.empty
}

function writeResource(line: Writer, name: ByteString, namespace: ByteString, kind: ByteString): void {
  line.string(name, MAX_TEXT)
  if (!namespace.isEmpty) line.raw(utf8(',"namespace":')).string(namespace, MAX_TEXT)
  line.raw(utf8(',"kind":')).string(kind)
}

/** Without `-rule[I]` at the end. */
function withoutRule(id: ByteString): ByteString {
  const bracket = id.byteAt(id.length - 1) == 0x5d ? id.lastIndexOfByte(0x5b) : -1
  return bracket >= 5 && id.slice(bracket - 5, bracket).equals(utf8('-rule')) ? id.slice(0, bracket - 5) : id
}

import { Bytes, ByteString, HeaderMap, JsonValue } from '@meshscript/sdk'
import { joinedHeader } from '../../common/assembly/request/attributes'

export enum Mismatch {
  Log,
  Add,
  Delete,
  Replace,
}

/**
 * What Cilium does to a header that is not as a rule wants it; the rule matches all the same.
 * Source: cilium/proxy, cilium/network_policy.cc, `HeaderMatch::matches`.
 */
@final
export class HeaderAction {
  constructor(
    readonly header: Bytes,
    /** Null: the header has only to be there. */
    private value: Bytes | null,
    readonly onMismatch: Mismatch,
  ) {}

  static read(json: JsonValue): HeaderAction {
    const header = json.get('header')
    const name = header.bytes()
    if (!name.length || !name.view.toLowerCase().equals(name))
      header.fail('expected the name of a header, in lower case')
    const value = json.get('value')
    const onMismatch = <Mismatch>json.get('onMismatch').oneOf(['LOG', 'ADD', 'DELETE', 'REPLACE'])
    return new HeaderAction(name, value.exists ? value.bytes() : null, onMismatch)
  }

  /** Answers false when the header was not as wanted. */
  run(headers: HeaderMap): bool {
    const name = this.header.view
    // Read anew: an action before may have changed it.
    const found = joinedHeader(headers.all(), name)
    const value = this.value
    if (found && (!value || isSame(found, value.view))) return true
    // Of a header that only has to be there, Cilium makes an empty one.
    const wanted = value ? value.view : ByteString.empty
    const action = this.onMismatch
    if (action == Mismatch.Add) headers.add(name, wanted)
    else if (action == Mismatch.Replace) headers.set(name, wanted)
    // One that only has to be there isn't, so there is nothing to delete.
    else if (action == Mismatch.Delete && found) headers.remove(name)
    return false
  }
}

/** Compares in a time that does not tell where they differ, since the value may be a secret. */
function isSame(a: ByteString, b: ByteString): bool {
  if (a.length != b.length) return false
  let difference = 0
  for (let i = 0; i < a.length; i++) difference |= a.byteAt(i) ^ b.byteAt(i)
  return difference == 0
}

import { Bytes, ByteString, JsonValue } from '@meshscript/sdk'
import { joinedHeader, PathAttribute } from '../../common/assembly/request/attributes'
import { addRegex } from '../../common/assembly/request/matchers'
import { textOf } from '../../common/assembly/request/metadata'
import { CurrentRequest, currentRequest } from '../../common/assembly/request/request'
import { templateToRegex } from '../../common/assembly/path_template'
import { claimPath } from '../../common/assembly/routes/match'
import { Dimension } from '../../common/assembly/rules/dimension'
import { IndexedRule, RuleIndex } from '../../common/assembly/rules/rule_index'

/** What of requests a limit tells apart: those with the same values share a counter. */
export abstract class Descriptor {
  constructor(
    /** Its name for a global service. */
    readonly key: Bytes,
  ) {}

  /** The value of the current request, valid in the callback; null when it has none. */
  abstract value(request: CurrentRequest): ByteString | null
}

@final
class HeaderDescriptor extends Descriptor {
  constructor(
    key: Bytes,
    private name: Bytes,
  ) {
    super(key)
  }

  /** All lines of the name: a second one is no way to another counter. */
  value(request: CurrentRequest): ByteString | null {
    return joinedHeader(request.headers, this.name.view)
  }
}

@final
class PrincipalDescriptor extends Descriptor {
  value(request: CurrentRequest): ByteString | null {
    const peer = request.peer
    if (!peer || !peer.sans.length) return null
    const name = peer.sans[0].view
    return name.startsWith('spiffe://') ? name.slice(9) : name
  }
}

@final
class ClaimDescriptor extends Descriptor {
  constructor(
    key: Bytes,
    private path: Bytes[],
  ) {
    super(key)
  }

  value(request: CurrentRequest): ByteString | null {
    const value = request.metadata.find(this.path)
    return value ? textOf(value) : null
  }
}

@final
class RemoteAddressDescriptor extends Descriptor {
  value(request: CurrentRequest): ByteString | null {
    return request.remoteAddress
  }
}

@final
class ConstantDescriptor extends Descriptor {
  constructor(
    key: Bytes,
    private text: Bytes,
  ) {
    super(key)
  }

  value(request: CurrentRequest): ByteString | null {
    return this.text.view
  }
}

@final
class Template extends IndexedRule {}

/** The first template that the path is of, itself: `/users/1` and `/users/2` are both `/users/{*}`. */
@final
class PathDescriptor extends Descriptor {
  private index: RuleIndex<Template> = new RuleIndex<Template>()

  constructor(key: Bytes, json: JsonValue) {
    super(key)
    const templates = json.array()
    if (!templates.length) json.fail('expected at least one path template, e.g. /shops/{*}')
    const dimension = this.index.dimension(new PathAttribute(currentRequest()))
    for (let i = 0; i < templates.length; i++) this.add(dimension, templates[i], i)
    if (!json.hasError) this.index.compile()
  }

  private add(dimension: Dimension, json: JsonValue, place: i32): void {
    const regex = templateToRegex(json.byteString())
    if (!regex) return json.fail('expected a path template, e.g. /shops/{*}/orders/{**}')
    this.index.beginAlternative(new Template(place, json.bytes()))
    this.index.addPattern(addRegex(dimension, json, regex))
    this.index.addCondition(dimension)
  }

  value(request: CurrentRequest): ByteString | null {
    const template = this.index.first()
    return template ? template.id.view : null
  }
}

/** Reads `{"header": …}` and its like, with `as`. */
export function readDescriptor(json: JsonValue): Descriptor {
  json.object()
  const as = json.get('as')
  if (as.exists && as.byteString().isEmpty) as.fail('expected a name')
  const header = json.get('header')
  if (header.exists) {
    const name = header.bytes()
    const text = name.view
    if (!text.length || !text.toLowerCase().equals(text)) header.fail('expected the name of a header, in lower case')
    return new HeaderDescriptor(as.bytes(text), name)
  }
  const method = json.get('method')
  if (method.exists && method.bool()) return new HeaderDescriptor(as.bytes('method'), Bytes.from(':method'))
  const path = json.get('path')
  if (path.exists) return new PathDescriptor(as.bytes('path'), path)
  const principal = json.get('principal')
  if (principal.exists && principal.bool()) return new PrincipalDescriptor(as.bytes('principal'))
  const claim = json.get('claim')
  if (claim.exists) return new ClaimDescriptor(as.bytes('claim'), claimPath(claim))
  const remoteAddress = json.get('remoteAddress')
  if (remoteAddress.exists && remoteAddress.bool()) return new RemoteAddressDescriptor(as.bytes('remote_address'))
  const constant = json.get('constant')
  if (constant.exists) return new ConstantDescriptor(as.bytes('generic_key'), constant.bytes())
  json.fail(
    'expected one of {"header": …}, {"method": true}, {"path": […]}, {"principal": true}, {"claim": […]}, {"remoteAddress": true} or {"constant": …}',
  )
  return new ConstantDescriptor(Bytes.from(''), Bytes.from(''))
}

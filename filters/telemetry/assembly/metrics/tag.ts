import { Bytes, ByteString, Expression, JsonValue, property, utf8 } from '@meshscript/sdk'
import { Attribute, Attributes, NAMES } from '../attributes'
import { MAX_TEXT } from './key'
import { PathTemplates } from './path_templates'

/** Further attributes that are text: to ask for one by name is cheaper than to evaluate an expression. */
const TEXTS: string[] = [
  'request.useragent',
  'connection.requested_server_name',
  'connection.uri_san_peer_certificate',
  'source.address',
  'upstream.address',
  'xds.cluster_name',
  'xds.route_name',
]

/** The value of a label as a CEL expression says, or templates of paths. */
@final
export class Tag {
  /** Where one of the common attributes says it; else -1. */
  private common: i32 = -1
  /** Where another attribute says it: its path. */
  private path: Bytes | null = null
  private expression: Expression | null = null
  private templates: PathTemplates | null = null
  private value: ByteString = ByteString.empty

  constructor(
    /** The expression, or what stands for the templates. */
    readonly source: Bytes,
  ) {}

  /** The template that the path matches. */
  static ofPaths(templates: PathTemplates, attributes: Attributes): Tag {
    const tag = new Tag(templates.source)
    tag.templates = templates
    attributes.expect(Attribute.UrlPath)
    return tag
  }

  /** Null, and an error at its place, where the host can't read the expression. */
  static read(json: JsonValue, attributes: Attributes): Tag | null {
    const source = json.byteString()
    const tag = new Tag(source.persist())
    for (let i: i32 = Attribute.Authority; i < Attribute.Upstream; i++) {
      if (!source.equals(NAMES[i])) continue
      attributes.expect(i)
      tag.common = i
      return tag
    }
    for (let i = 0; i < TEXTS.length; i++) {
      if (!source.equals(TEXTS[i])) continue
      tag.path = pathOf(source)
      return tag
    }
    // A line of its own, so that a comment ends.
    tag.expression = Expression.compile(utf8('string(').concat(source).concat(utf8('\n)')))
    if (!tag.expression) {
      json.fail('expected an expression of the Common Expression Language that Envoy can evaluate')
      return null
    }
    return tag
  }

  /** Asks the host. `unknown` where there is no value. */
  evaluate(attributes: Attributes): ByteString {
    const path = this.path
    const templates = this.templates
    let value: ByteString | null
    if (templates) {
      value = attributes.get(Attribute.UrlPath)
      if (value) value = templates.nameOf(value)
    } else if (this.common >= 0) value = attributes.get(this.common)
    else value = path ? property.get(path.view) : this.expression!.evaluate()
    this.value = value ? value.slice(0, MAX_TEXT) : utf8('unknown')
    return this.value
  }

  /** What was evaluated last, in the same callback. */
  get last(): ByteString {
    return this.value
  }
}

/** `a.b` → `a\0b`. */
function pathOf(attribute: ByteString): Bytes {
  const path = attribute.persist()
  for (let i = 0; i < path.length; i++) {
    if (path.view.byteAt(i) == 0x2e) store<u8>(path.view.ptr + i, 0)
  }
  return path
}

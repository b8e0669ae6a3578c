import { Bytes, ByteString, environment, JsonValue, Pairs } from '@meshscript/sdk'

/** An attribute that the configuration adds to spans. */
@final
export class CustomTag {
  constructor(
    readonly name: Bytes,
    /** Empty: the value is known beforehand. */
    private header: Bytes,
    /** Of the header that is not there; null where the tag is left out then. */
    private fallback: Bytes | null,
  ) {}

  /** Null where the span goes without it. */
  value(headers: Pairs): ByteString | null {
    const fallback = this.fallback
    const value = this.header.length ? headers.get(this.header.view) : null
    return value ? value : fallback ? fallback.view : null
  }
}

/** `{NAME: {"literal": …} | {"environment": …, "default": …} | {"header": …, "default": …}}` */
export function readTags(json: JsonValue): CustomTag[] {
  const tags: CustomTag[] = []
  const items = json.optionalObject()
  for (let i = 0; i < items.length; i++) {
    const item = items.at(i)
    const name = item.name.persist()
    const literal = item.get('literal')
    const variable = item.get('environment')
    const header = item.get('header')
    if (i32(literal.exists) + i32(variable.exists) + i32(header.exists) != 1) {
      item.fail('expected one of "literal", "environment" and "header"')
      continue
    }
    const none = new Bytes(ByteString.empty)
    if (literal.exists) {
      tags.push(new CustomTag(name, none, literal.bytes()))
      continue
    }
    const json = item.get('default')
    const fallback = json.exists ? json.bytes() : null
    if (header.exists) {
      const bytes = header.bytes()
      if (!bytes.length) header.fail('expected the name of a header')
      tags.push(new CustomTag(name, bytes.view.toLowerCase().persist(), fallback))
    } else {
      const value = environment.get(variable.byteString())
      tags.push(new CustomTag(name, none, value ? value.persist() : fallback))
    }
  }
  return tags
}

import { Bytes, ByteString, JsonValue, utf8 } from '@meshscript/sdk'
import { templateToRegex } from '../../../common/assembly/path_template'
import { RegexSet } from '../../../common/assembly/regex/index'

/** Names paths by the templates that they match, so that a label has no more values than there are templates. Their number costs a request nothing. */
@final
export class PathTemplates {
  /** What it is made of: the same text is the same templates. */
  readonly source!: Bytes
  private set: RegexSet = new RegexSet()
  private texts: Bytes[] = []
  private other!: Bytes

  /** Reads `{"pathTemplates": [TEMPLATE], "other": TEXT}`. */
  constructor(json: JsonValue) {
    const templates = json.get('pathTemplates').array()
    let source = utf8('\0')
    for (let i = 0; i < templates.length; i++) {
      const text = templates[i].byteString()
      source = source.concat(text).concat(utf8('\0'))
      this.add(templates[i], text)
    }
    if (!templates.length) templates.fail('expected a template at least')
    this.other = json.get('other').bytes('unknown')
    this.source = source.concat(this.other.view).persist()
    this.set.compile()
  }

  private add(json: JsonValue, text: ByteString): void {
    const pattern = templateToRegex(text)
    const number = pattern ? this.set.add(pattern) : -1
    if (!pattern) json.fail('expected a path template, e.g. /users/{id} or /files/**')
    else if (number < 0) json.fail(this.set.error)
    // The first of those that mean the same.
    if (number == this.texts.length) this.texts.push(text.persist())
  }

  /** The first template that the path matches. */
  nameOf(path: ByteString): ByteString {
    return this.set.match(path) ? this.texts[unchecked(this.set.matched[0])].view : this.other.view
  }
}

import { Bytes, ByteString, HeaderMap, JsonValue } from '@meshscript/sdk'
import { isProtected } from '../../../common/assembly/header_lines'

/** A list of header names: exact, by prefix or by suffix. */
@final
export class HeaderNames {
  private exact: Bytes[] = []
  private prefixes: Bytes[] = []
  private suffixes: Bytes[] = []

  /** No names when the list is not there. */
  static read(json: JsonValue): HeaderNames {
    const names = new HeaderNames()
    const items = json.optionalArray()
    for (let i = 0; i < items.length; i++) names.add(items[i])
    return names
  }

  get isEmpty(): bool {
    return !this.exact.length && !this.prefixes.length && !this.suffixes.length
  }

  /** `name` is in lower case. */
  matches(name: ByteString): bool {
    for (let i = 0; i < this.exact.length; i++) if (name.equals(unchecked(this.exact[i]))) return true
    for (let i = 0; i < this.prefixes.length; i++) if (name.startsWith(unchecked(this.prefixes[i]))) return true
    for (let i = 0; i < this.suffixes.length; i++) if (name.endsWith(unchecked(this.suffixes[i]))) return true
    return false
  }

  private add(matcher: JsonValue): void {
    let list = this.exact
    let text = matcher.get('exact')
    if (!text.exists) {
      list = this.prefixes
      text = matcher.get('prefix')
    }
    if (!text.exists) {
      list = this.suffixes
      text = matcher.get('suffix')
    }
    if (!text.exists) return matcher.fail('expected {"exact": …}, {"prefix": …} or {"suffix": …}')
    list.push(headerName(text).persist())
  }
}

/** The name of a header, or a part of one, which Envoy has in lower case. */
function headerName(json: JsonValue): ByteString {
  const name = json.byteString()
  if (name.isEmpty || !name.toLowerCase().equals(name)) json.fail('expected the name of a header, in lower case')
  return name
}

/** Removes a header that a provider names, as far as that may be. */
export function removeHeader(headers: HeaderMap, name: ByteString): void {
  if (!name.isEmpty && !isProtected(name)) headers.remove(name)
}

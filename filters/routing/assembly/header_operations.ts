import { Bytes, HeaderMap, JsonValue, Pairs } from '@meshscript/sdk'

/** What is done to headers: first some are removed, then set, then added. Envoy does it in this order, whatever the configuration's. */
@final
export class HeaderOperations {
  private removed: Bytes[] = []
  private set: Bytes[] = []
  private added: Bytes[] = []

  /** Null where there is nothing to do. */
  static read(json: JsonValue): HeaderOperations | null {
    if (!json.exists) return null
    const operations = new HeaderOperations()
    const removed = json.get('remove').optionalArray()
    for (let i = 0; i < removed.length; i++) {
      const name = removed[i].bytes()
      checkName(removed[i], name)
      operations.removed.push(name)
    }
    readLines(json.get('set'), operations.set)
    readLines(json.get('add'), operations.added)
    return operations.removed.length + operations.set.length + operations.added.length ? operations : null
  }

  /** `known`: the headers, where no operation has changed them yet; saves hostcalls for those that are not there. */
  run(headers: HeaderMap, known: Pairs | null): void {
    const removed = this.removed
    for (let i = 0; i < removed.length; i++) {
      const name = unchecked(removed[i]).view
      if (!known || known.indexOf(name) >= 0) headers.remove(name)
    }
    const set = this.set
    for (let i = 0; i < set.length; i += 2) headers.set(unchecked(set[i]), unchecked(set[i + 1]))
    const added = this.added
    for (let i = 0; i < added.length; i += 2) headers.add(unchecked(added[i]), unchecked(added[i + 1]))
  }
}

function readLines(json: JsonValue, lines: Bytes[]): void {
  const members = json.optionalObject()
  for (let i = 0; i < members.length; i++) {
    const name = members[i].name.persist()
    checkName(members[i], name)
    lines.push(name)
    lines.push(members[i].bytes())
  }
}

function checkName(json: JsonValue, name: Bytes): void {
  const text = name.view
  if (!text.length || !text.toLowerCase().equals(text)) json.fail('expected the name of a header, in lower case')
  if (text.startsWith(':') || text.equals('host')) json.fail('only "rewrite" changes host and path')
}

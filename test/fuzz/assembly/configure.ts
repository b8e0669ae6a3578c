import { JsonKind, JsonValue } from '@meshscript/sdk'
import { consume } from './bytes'

/** Reads a whole document, by getters that fit and some that do not; names and paths like those of real configurations. */
export function readDocument(json: JsonValue): bool {
  consume(json.get('version').integer(1, 0, 9))
  consume(json.get('name').string('').length + json.get('text').bytes('').length)
  consume(json.get('mode').oneOf(['enforce', 'audit'], 0))
  consume(<u64>(<i64>json.get('ratio').number(0.5)) + u64(json.get('on').bool(false)))
  const rules = json.get('rules').optionalArray()
  for (let i = 0; i < rules.length; i++) {
    consume(rules[i].get('path').byteString('').hash())
    if (rules[i].get('limit').integer(1) < 0) rules[i].fail('must not be negative')
  }
  const labels = json.get('labels').optionalObject()
  for (let i = 0; i < labels.length; i++) consume(labels.at(i).name.hash())
  walk(json)
  return json.get('strict').bool(false) ? json.refuseUnknown() : !json.hasError
}

function walk(json: JsonValue): void {
  consume(u64(json.exists) + u64(json.isNull) + json.name.hash())
  if (json.kind == JsonKind.Boolean) consume(u64(json.bool()))
  if (json.kind == JsonKind.Number) consume(<u64>reinterpret<i64>(json.number()))
  if (json.kind == JsonKind.String) consume(json.string().length + json.bytes().length)
  for (let i = 0; i < json.length; i++) walk(json.at(i))
  consume(u64(json.at(json.length).exists) + u64(json.at(-1).exists))
}

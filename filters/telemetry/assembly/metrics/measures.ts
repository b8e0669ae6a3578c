import { JsonKind, JsonValue } from '@meshscript/sdk'
import { Attributes } from '../attributes'
import { LABELS } from './labels'
import { Kind, Measure } from './measure'
import { PathTemplates } from './path_templates'
import { Tag } from './tag'

/** Reads metrics, and gathers the tags that several may have. */
@final
export class MeasureReader {
  readonly tags: Tag[] = []

  constructor(
    private attributes: Attributes,
    private maxSeries: i32,
  ) {}

  /** `{"remove": [LABEL], "tags": {LABEL: EXPRESSION, LABEL: {"pathTemplates": [TEMPLATE]}}}` */
  read(json: JsonValue, kind: Kind, standard: StaticArray<i32>): Measure {
    const tags = json.get('tags').optionalObject()
    const names: string[] = []
    const values: i32[] = []
    for (let i = 0; i < tags.length; i++) {
      names.push(readName(tags[i]))
      values.push(LABELS.length + this.tagOf(tags[i]))
    }
    const removed: string[] = []
    const remove = json.get('remove').optionalArray()
    for (let i = 0; i < remove.length; i++) removed.push(remove[i].string())
    const labels: string[] = []
    const places: i32[] = []
    for (let i = 0; i < standard.length; i++) {
      const name = LABELS[standard[i]]
      if (removed.includes(name)) continue
      const own = names.indexOf(name)
      labels.push(name)
      places.push(own < 0 ? standard[i] : values[own])
    }
    // Those that Istio does not have come behind, in the order of their names.
    const added = names.slice(0).sort()
    for (let i = 0; i < added.length; i++) {
      if (labels.includes(added[i]) || removed.includes(added[i])) continue
      labels.push(added[i])
      places.push(values[names.indexOf(added[i])])
    }
    return new Measure(kind, labels, StaticArray.fromArray(places), this.maxSeries)
  }

  private tagOf(json: JsonValue): i32 {
    const templates = json.kind == JsonKind.Object ? new PathTemplates(json) : null
    const source = templates ? templates.source.view : json.byteString()
    for (let i = 0; i < this.tags.length; i++) if (this.tags[i].source.equals(source)) return i
    const tag = templates ? Tag.ofPaths(templates, this.attributes) : Tag.read(json, this.attributes)
    return tag ? this.tags.push(tag) - 1 : 0
  }
}

function readName(json: JsonValue): string {
  const name = json.name
  for (let i = 0; i < name.length; i++) {
    const byte = name.byteAt(i) | 0x20
    const isLetter = <u32>(byte - 0x61) < 26 || name.byteAt(i) == 0x5f
    if (!isLetter && (!i || <u32>(name.byteAt(i) - 0x30) > 9)) {
      json.fail('expected a name of letters, digits and _ for the label')
      break
    }
  }
  if (!name.length) json.fail('expected a name for the label')
  return name.toString()
}

/** Label selectors of Kubernetes, with the sources of labels that Cilium has: `k8s:app=x`, `reserved:world`. */

type Test = (labels: readonly Label[]) => boolean

interface Label {
  source: string
  key: string
  value: string
}

/** What a list of labels such as `k8s:app=x` has to have. Throws a RangeError. */
export function parseSelector(text: string): (labels: readonly string[]) => boolean {
  const parts = split(text).map(parseRequirement)
  return (labels) => {
    const parsed = labels.map(parseLabel)
    return parts.every((test) => test(parsed))
  }
}

/** At commas that are not within parentheses. */
function split(text: string): string[] {
  const parts = text.match(/(?:[^,(]|\([^)]*\)?)+/g) ?? []
  if (!parts.length || text.replace(/\([^)]*\)?/g, '_').split(',').length !== parts.length) {
    throw new RangeError('expected a selector such as app=x, tier!=web or env in (a, b)')
  }
  return parts.map((part) => part.trim())
}

const KEY = '([A-Za-z0-9$][-A-Za-z0-9_./:]*)'

function parseRequirement(text: string): Test {
  const absent = new RegExp(`^!\\s*${KEY}$`).exec(text)
  if (absent) return not(hasKey(absent[1]!))
  const present = new RegExp(`^${KEY}$`).exec(text)
  if (present) return hasKey(present[1]!)
  const set = new RegExp(`^${KEY}\\s+(in|notin)\\s*\\(([^()]*)\\)$`).exec(text)
  if (set) {
    const values = set[3]!.split(',').map((value) => checkValue(value.trim()))
    const isIn = hasValue(set[1]!, (value) => values.includes(value))
    return set[2] === 'in' ? isIn : not(isIn)
  }
  const order = new RegExp(`^${KEY}\\s*([<>])\\s*(-?\\d+)$`).exec(text)
  if (order) {
    const bound = BigInt(order[3]!)
    const isNumber = (value: string) => /^-?\d{1,18}$/.test(value)
    return hasValue(
      order[1]!,
      (value) => isNumber(value) && (order[2] === '<' ? BigInt(value) < bound : BigInt(value) > bound),
    )
  }
  const equal = new RegExp(`^${KEY}\\s*(==?|!=)\\s*(.*)$`, 's').exec(text)
  if (!equal)
    throw new RangeError(`expected a selector such as app=x, tier!=web or env in (a, b), not ${JSON.stringify(text)}`)
  const wanted = checkValue(equal[3]!)
  const isEqual = hasValue(equal[1]!, (value) => value === wanted)
  return equal[2] === '!=' ? not(isEqual) : isEqual
}

function checkValue(value: string): string {
  if (!/^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/.test(value)) {
    throw new RangeError(
      `${JSON.stringify(value)} is no value of a label: letters, digits and - _ . between them, at most 63`,
    )
  }
  return value
}

const not =
  (test: Test): Test =>
  (labels) =>
    !test(labels)

const hasKey = (key: string): Test => hasValue(key, () => true)

/** The first label of that name counts. */
function hasValue(name: string, test: (value: string) => boolean): Test {
  const { source, key } = parseKey(name)
  return (labels) => {
    const label = labels.find((each) => each.key === key && (source === 'any' || each.source === source))
    return label !== undefined && test(label.value)
  }
}

function parseKey(name: string): { source: string; key: string } {
  const colon = name.indexOf(':')
  return colon < 0 ? { source: 'any', key: name } : { source: name.slice(0, colon), key: name.slice(colon + 1) }
}

function parseLabel(text: string): Label {
  const colon = text.indexOf(':')
  const rest = text.slice(colon + 1)
  const equals = rest.indexOf('=')
  return {
    source: colon < 0 ? 'unspec' : text.slice(0, colon),
    key: equals < 0 ? rest : rest.slice(0, equals),
    value: equals < 0 ? '' : rest.slice(equals + 1),
  }
}

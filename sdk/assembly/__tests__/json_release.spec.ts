import { takeConfigurationError } from '../configuration_error'
import { parseDocument } from '../json/parser'
import { JsonValue } from '../json/value'
import { allocate, reset } from '../memory/arena'
import { encode, utf8 } from '../memory/bytes'

function read(text: string): JsonValue {
  reset()
  takeConfigurationError()
  return JsonValue.of(parseDocument(encode(text)))
}

function error(): string {
  const message = takeConfigurationError()
  return message ? message.toString() : 'none'
}

function errorOf(text: string): string {
  read(text)
  return error()
}

/** Has it read before the name in `get`, which only here goes into the arena, too. */
function opened(value: JsonValue): JsonValue {
  expect(value.length).toBeGreaterThan(0)
  return value
}

/** An object of members `m0` to before `count`, then what is given. */
function objectOf(count: i32, rest: string): string {
  let text = '{'
  for (let i = 0; i < count; i++) text += '"m' + i.toString() + '":' + i.toString() + ','
  return text + rest + '}'
}

describe('JSON: what is read later', () => {
  test('is checked at once, and errors have the whole path', () => {
    expect(errorOf('{"a": [0, {"b": {"c d": [1, {"e": tru}]}}]}')).toBe(
      'configuration:1:35: a[1].b["c d"][1].e: expected a value, got "t"',
    )
    expect(errorOf('[[{"a": ["\\x"]}]]')).toBe('configuration:1:11: [0][0].a[0]: invalid escape')
    expect(errorOf('[[{"\\u00": 1}]]')).toBe('configuration:1:5: [0][0]: invalid escape')
    expect(errorOf('[[{"a": [1.]}]]')).toBe('configuration:1:12: [0][0].a[0]: expected a digit, got "]"')
    expect(errorOf('[{"a": {"b": 1 "c": 2}}]')).toBe('configuration:1:16: [0].a: expected "," or "}", got """')
  })

  test('duplicates are told where their object ends', () => {
    expect(errorOf('[{"a": {"x": 1, "y": 2, "x": 3}, "b": tru}]')).toBe('configuration:1:25: [0].a.x: duplicate field')
    expect(errorOf('[{"x": 1, "x": 2, "b": tru}]')).toBe('configuration:1:24: [0].b: expected a value, got "t"')
    expect(errorOf('[[{"a": 1, "\\u0061": 2}]]')).toBe('configuration:1:12: [0][0].a: duplicate field')
    expect(errorOf('[' + objectOf(100, '"m7":0') + ']').endsWith(': [0].m7: duplicate field')).toBe(true)
    expect(errorOf('{"a": {"x": 1}, "b": {"x": {"x": 1}}, "x": 1}')).toBe('none')
  })

  test('objects with many members, or names of the same hash, are no error', () => {
    const many = read('{"a": [[' + objectOf(100, '"o": ' + objectOf(100, '"z": {"y": 1}')) + ']]}')
    const object = many.get('a')[0][0]
    expect(object.length).toBe(101)
    expect(object.get('m99').integer()).toBe(99)
    expect(object.get('o').get('z').get('y').integer()).toBe(1)
    expect(error()).toBe('none')
    // FNV-1a of both is the same.
    expect(utf8('costarring').hash()).toBe(utf8('liquid').hash())
    const same = read('[{"costarring": 1, "liquid": 2}]')
    expect(same[0].get('costarring').integer()).toBe(1)
    expect(same[0].get('liquid').integer()).toBe(2)
    expect(error()).toBe('none')
  })

  test('more names than are remembered, in objects around each other', () => {
    let text = '1'
    for (let i = 0; i < 12; i++) text = objectOf(60, '"in": ' + text)
    let value = read(text)
    for (let i = 0; i < 12; i++) {
      expect(value.length).toBe(61)
      value = value.get('in')
    }
    expect(value.integer()).toBe(1)
    expect(error()).toBe('none')
  })

  test('brackets and quotes in strings are text', () => {
    const json = read('{"a": {"]}": ["\\"]}", "\\\\", "{["]}, "b": [["}"]]}')
    expect(json.get('a').get(']}')[0].string()).toBe('"]}')
    expect(json.get('a').get(']}')[1].string()).toBe('\\')
    expect(json.get('a').get(']}')[2].string()).toBe('{[')
    expect(json.get('b')[0][0].string()).toBe('}')
    expect(json.get('b').length).toBe(1)
    expect(error()).toBe('none')
  })

  test('after an error nothing more is read', () => {
    const json = read('{"a": 1, "list": [1, 2]}')
    json.get('a').string()
    expect(json.get('list').length).toBe(0)
    expect(json.get('list')[0].integer()).toBe(0)
    expect(json.get('list').get('x').string('y')).toBe('')
    expect(error()).toBe('configuration:1:7: a: expected string, got number')
  })

  test('no text at all is an object, of which a field can be missing', () => {
    read('').get('limit').integer()
    expect(error()).toBe('configuration:1:1: missing field "limit"')
  })
})

describe('JSON: release', () => {
  test('the memory is used again', () => {
    const json = read('{"rules": [{"a": [1, {"b": "\\n"}]}, {"a": [2]}, ' + objectOf(2000, '"a": [3]') + ']}')
    const rules = json.get('rules').array()
    expect(rules.length).toBe(3)
    const start = allocate(0)
    let sum: i64 = 0
    for (let i = 0; i < rules.length; i++) {
      const rule = opened(rules[i])
      sum += rule.get('a')[0].integer()
      rule.get('missing').integer(0)
      rule.get('a')[1].get('b').string('')
      if (i == 2) for (let j = 0; j < rule.length; j++) rule.at(j)
      if (i == 2) for (let j = 0; j < 2000; j++) rule.get(rule[j].name)
      rule.release()
      expect(allocate(0)).toBe(start)
    }
    expect(sum).toBe(6)
    expect(json.refuseUnknown()).toBe(true)
    expect(error()).toBe('none')
  })

  test('one in another', () => {
    const json = read('[{"rules": [{"a": 1}, {"a": 2}], "n": 1}, {"rules": [{"a": 3}], "n": 2}]')
    expect(json.length).toBe(2)
    const start = allocate(0)
    let sum: i64 = 0
    for (let i = 0; i < json.length; i++) {
      const policy = opened(json[i])
      const rules = policy.get('rules')
      for (let j = 0; j < rules.length; j++) {
        const rule = opened(rules[j])
        sum += rule.get('a').integer()
        rule.release()
      }
      sum += 10 * policy.get('n').integer()
      policy.release()
    }
    expect(sum).toBe(36)
    expect(allocate(0)).toBe(start)
    json.release()
    expect(allocate(0) < start).toBe(true)
    expect(json[1].get('rules')[0].get('a').integer()).toBe(3, 'it can be read again')
    expect(error()).toBe('none')
  })

  test('reports unknown members, and the parent does not', () => {
    const first = read('[{"path": 1, "other": {"a": 1}}]')
    first[0].get('path').integer()
    first[0].release()
    expect(error()).toBe('configuration:1:14: [0].other: unknown field')
    const second = read('[{"path": 1, "others": [{"pth": 1}]}]')
    second[0].get('path').integer()
    second[0].get('others')[0].get('path').integer(1)
    second[0].release()
    expect(error()).toBe('configuration:1:26: [0].others[0].pth: unknown field; did you mean "path"?')
    const third = read('{"list": [{"path": 1}], "pat": 1}')
    third.get('list')[0].get('path').integer()
    third.get('list')[0].release()
    third.get('list').release()
    third.get('path').integer(1)
    third.refuseUnknown()
    expect(error()).toBe('configuration:1:25: pat: unknown field; did you mean "path"?')
  })

  test('keeps what parents were asked for in between', () => {
    const json = read('{"list": [{"path": 1}, {"path": 2}], "more": [1], "limits": 1}')
    const item = json.get('list')[0]
    item.get('path').integer()
    const start = allocate(0)
    json.get('limit').integer(1)
    const more = json.get('more')
    expect(more.length).toBe(1)
    item.release()
    expect(allocate(0) > start).toBe(true)
    const other = json.get('list')[1]
    other.get('path').integer()
    other.release()
    expect(more[0].integer()).toBe(1)
    json.refuseUnknown()
    expect(error()).toBe('configuration:1:51: limits: unknown field; did you mean "limit"?')
  })

  test('of what is no array or object, or was not read, does nothing', () => {
    const json = read('{"a": 1, "b": [1]}')
    json.get('a').release()
    json.get('b').release()
    json.get('c').release()
    expect(json.get('a').integer()).toBe(1)
    expect(json.get('b')[0].integer()).toBe(1)
    json.get('b').release()
    json.get('b').release()
    expect(json.get('b')[0].integer()).toBe(1)
    expect(error()).toBe('none')
  })

  test('of one of two documents', () => {
    const first = read('[[1]]')
    expect(first[0].length).toBe(1)
    const second = JsonValue.of(parseDocument(encode('[[2]]')))
    first[0].release()
    expect(second[0][0].integer()).toBe(2)
    expect(first[0][0].integer()).toBe(1)
    expect(error()).toBe('none')
  })
})

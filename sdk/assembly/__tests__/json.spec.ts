import { takeConfigurationError } from '../configuration_error'
import { JsonKind } from '../json/node'
import { parseDocument } from '../json/parser'
import { JsonValue, REQUIRED } from '../json/value'
import { reset } from '../memory/arena'
import { Bytes, encode, utf8 } from '../memory/bytes'

/** Begins anew with a document. */
function read(text: string): JsonValue {
  reset()
  takeConfigurationError()
  return JsonValue.of(parseDocument(encode(text)))
}

/** What was reported since `read`. */
function error(): string {
  const message = takeConfigurationError()
  return message ? message.toString() : 'none'
}

/** What is wrong with the text of a document. */
function errorOf(text: string): string {
  read(text)
  return error()
}

describe('JSON: values', () => {
  test('of every kind', () => {
    const json = read(
      '{"n": null, "b": true, "f": false, "i": -12, "d": 0.1, "s": "a\\u00e9\\n", "a": [1, "x"], "o": {}}',
    )
    expect(json.kind).toBe(JsonKind.Object)
    expect(json.length).toBe(8)
    expect(json.get('n').isNull).toBe(true)
    expect(json.get('n').exists).toBe(true)
    expect(json.get('b').bool()).toBe(true)
    expect(json.get('f').bool()).toBe(false)
    expect(json.get('i').integer()).toBe(-12)
    expect(json.get('d').number()).toBe(0.1)
    expect(json.get('s').string()).toBe('aé\n')
    expect(json.get('s').bytes().length).toBe(4)
    expect(json.get('s').byteString().equals('aé\n')).toBe(true)
    const items = json.get('a').array()
    expect(items.length).toBe(2)
    expect(items[0].integer()).toBe(1)
    expect(items.at(1).string()).toBe('x')
    expect(json.get('o').object().length).toBe(0)
    expect(json.refuseUnknown()).toBe(true)
    expect(error()).toBe('none')
  })

  test('members, with their names, in order', () => {
    const members = read('{"b": 1, "a\\t": 2}').object()
    expect(members.length).toBe(2)
    expect(members[0].name.toString()).toBe('b')
    expect(members[1].name.toString()).toBe('a\t')
    expect(members[1].integer()).toBe(2)
    expect(members.refuseUnknown()).toBe(true)
    expect(members.get(utf8('b')).integer()).toBe(1)
    expect(members.get(Bytes.from('a\t')).integer()).toBe(2)
  })

  test('names are found among many', () => {
    let text = '{'
    for (let i = 0; i < 1000; i++) text += (i ? ',' : '') + '"m' + i.toString() + '":' + i.toString()
    const json = read(text + '}')
    let sum: i64 = 0
    for (let i = 0; i < 1000; i++) sum += json.get('m' + i.toString()).integer()
    expect(sum).toBe(499500)
    expect(json.get('m1000').exists).toBe(false)
    expect(error()).toBe('none')
  })

  test('defaults stand for what is missing', () => {
    const json = read('')
    expect(json.kind).toBe(JsonKind.Object)
    expect(json.get('x').exists).toBe(false)
    expect(json.get('x').kind).toBe(JsonKind.Missing)
    expect(json.get('x').bool(true)).toBe(true)
    expect(json.get('x').bool(false)).toBe(false)
    expect(json.get('x').integer(7)).toBe(7)
    expect(json.get('x').integer(0)).toBe(0)
    expect(json.get('x').number(0.5)).toBe(0.5)
    expect(json.get('x').string('abc')).toBe('abc')
    expect(json.get('x').string('')).toBe('')
    expect(json.get('x').bytes('abc').toString()).toBe('abc')
    expect(json.get('x').bytes(Bytes.from('abc')).toString()).toBe('abc')
    expect(json.get('x').byteString(utf8('abc')).toString()).toBe('abc')
    expect(json.get('x').oneOf(['A', 'B'], 1)).toBe(1)
    expect(json.get('x').optionalArray().length).toBe(0)
    expect(json.get('x').optionalObject().length).toBe(0)
    expect(json.get('x').get('y').get('z').integer(3)).toBe(3)
    expect(json.get('x').at(4).get('z').bool(true)).toBe(true)
    expect(error()).toBe('none')
  })

  test('persisted bytes outlive the document', () => {
    const bytes = read('{"a": "kept"}').get('a').bytes()
    read('{"b": "something else"}')
    expect(bytes.toString()).toBe('kept')
  })
})

describe('JSON: errors in values', () => {
  test('tell line, column, path, what was expected and what is there', () => {
    const json = read('{\n  "rules": [{"path": "a"},\n    {"ä": 1, "path": 5}]\n}')
    const rules = json.get('rules').array()
    expect(rules[0].get('path').string()).toBe('a')
    expect(rules[1].get('path').string('default')).toBe('')
    expect(error()).toBe('configuration:3:22: rules[1].path: expected string, got number')
  })

  test('a column is a character', () => {
    read('{"é€😀": []}').get('é€😀').bool(true)
    expect(error()).toBe('configuration:1:9: ["é€😀"]: expected boolean, got array')
  })

  test('of the root have no path', () => {
    expect(read('  []').get('a').integer(3)).toBe(0)
    expect(error()).toBe('configuration:1:3: expected object, got array')
  })

  test('every getter refuses other kinds, null too', () => {
    expect(read('null').bool(true)).toBe(false)
    expect(error()).toBe('configuration:1:1: expected boolean, got null')
    expect(read('"1"').integer(1)).toBe(0)
    expect(error()).toBe('configuration:1:1: expected number, got string')
    expect(read('true').number(1)).toBe(0)
    expect(error()).toBe('configuration:1:1: expected number, got boolean')
    expect(read('{}').bytes('x').length).toBe(0)
    expect(error()).toBe('configuration:1:1: expected string, got object')
    expect(read('1').array().length).toBe(0)
    expect(error()).toBe('configuration:1:1: expected array, got number')
    expect(read('[1]').optionalObject().length).toBe(0)
    expect(error()).toBe('configuration:1:1: expected object, got array')
    expect(read('1').oneOf(['a'], 0)).toBe(0)
    expect(error()).toBe('configuration:1:1: expected string, got number')
  })

  test('missing fields are those of the innermost object that is there', () => {
    const json = read('{"rules": [\n{}]}')
    expect(json.get('rules')[0].get('path').string()).toBe('')
    expect(error()).toBe('configuration:2:1: rules[0]: missing field "path"')
    json.get('a').get('b').integer()
    expect(error()).toBe('configuration:1:1: missing field "a"')
    json.get('rules')[3].get('path').bool()
    expect(error()).toBe('configuration:1:11: rules: missing item 3')
    json.get('list').array()
    expect(error()).toBe('configuration:1:1: missing field "list"')
    json.get('mode').oneOf(['A', 'B'])
    expect(error()).toBe('configuration:1:1: missing field "mode"')
    json.get('ratio').number()
    expect(error()).toBe('configuration:1:1: missing field "ratio"')
  })

  test('the first one wins, and getters answer nothing from then on', () => {
    const json = read('{"a": 1}')
    expect(json.hasError).toBe(false)
    json.get('a').bool()
    expect(json.hasError).toBe(true)
    json.get('b').string()
    expect(json.get('c').integer(5)).toBe(0)
    expect(json.get('c').string('x')).toBe('')
    expect(json.refuseUnknown()).toBe(false)
    expect(error()).toBe('configuration:1:7: a: expected boolean, got number')
  })

  test('nothing can be read from a broken document', () => {
    const json = read('{"a": 1')
    expect(json.exists).toBe(false)
    expect(json.get('a').integer()).toBe(0)
    expect(json.get('a').array()[7].get('b').bool(true)).toBe(false)
    expect(error()).toBe('configuration:1:8: expected "," or "}", got the end')
  })

  test('of the filter itself', () => {
    const json = read('{"rules": ["/a", "b"]}')
    json.get('rules')[1].fail('must begin with /')
    expect(error()).toBe('configuration:1:18: rules[1]: must begin with /')
    json.get('other').fail(utf8('is needed with "rules"'))
    expect(error()).toBe('configuration:1:1: other: is needed with "rules"')
    json.fail('no')
    expect(error()).toBe('configuration:1:1: no')
  })

  test('one of several strings', () => {
    const json = read('{"mode": "DENY", "other": "deny\\n"}')
    expect(json.get('mode').oneOf(['ALLOW', 'DENY'])).toBe(1)
    expect(json.get('other').oneOf(['ALLOW', 'DENY', 'AUDIT'])).toBe(0)
    expect(error()).toBe('configuration:1:27: other: expected "ALLOW", "DENY" or "AUDIT", got "deny?"')
  })

  test('long names and paths are cut, between characters', () => {
    const long = 'é'.repeat(500)
    read('{"' + long + '": 1}')
      .get(long)
      .bool()
    const message = error()
    expect(message.startsWith('configuration:1:506: ["' + 'é'.repeat(32) + '…"]: expected boolean')).toBe(true, message)
    let text = '1'
    for (let i = 0; i < 60; i++) text = '{"abcdefghé' + i.toString() + '": ' + text + '}'
    let value = read(text)
    for (let i = 59; i >= 0; i--) value = value.get('abcdefghé' + i.toString())
    value.bool()
    const cut = error()
    expect(cut.length).toBeLessThan(1024)
    expect(cut.endsWith('["abcdefgh: expected boolean, got number')).toBe(true, cut)
  })
})

describe('JSON: numbers', () => {
  test('integers are exact over 64 bits', () => {
    expect(read('9223372036854775807').integer()).toBe(i64.MAX_VALUE)
    expect(read('-9223372036854775808').integer()).toBe(i64.MIN_VALUE)
    expect(read('9007199254740993').integer()).toBe(9007199254740993)
    expect(read('-0').integer()).toBe(0)
    expect(read('1e3').integer()).toBe(1000)
    expect(read('1.5e+1').integer()).toBe(15)
    expect(read('2.000').integer()).toBe(2)
    expect(read('1200e-2').integer()).toBe(12)
    expect(read('0e999999999999999999999').integer()).toBe(0)
    expect(read('0.00092233720368547758070000000000000000000e22').integer()).toBe(i64.MAX_VALUE)
    expect(error()).toBe('none')
  })

  test('what is no integer is refused', () => {
    read('10.5').integer()
    expect(error()).toBe('configuration:1:1: expected integer, got 10.5')
    read('1e-1').integer()
    expect(error()).toBe('configuration:1:1: expected integer, got 1e-1')
    read('0.00000000000000000000000000000000001').integer()
    expect(error()).toBe('configuration:1:1: expected integer, got 0.00000000000000000000000000000000001')
  })

  test('what does not fit is refused', () => {
    expect(read('9223372036854775808').integer()).toBe(0)
    expect(error()).toBe('configuration:1:1: expected integer of at most 9223372036854775807, got 9223372036854775808')
    expect(read('-9223372036854775809').integer()).toBe(0)
    expect(error()).toBe(
      'configuration:1:1: expected integer of at least -9223372036854775808, got -9223372036854775809',
    )
    read('1e19').integer()
    expect(error()).toBe('configuration:1:1: expected integer of at most 9223372036854775807, got 1e19')
    read('18446744073709551617').integer()
    expect(error()).toBe('configuration:1:1: expected integer of at most 9223372036854775807, got 18446744073709551617')
    read('1e999999999999999999999').integer()
    expect(error().startsWith('configuration:1:1: expected integer of at most')).toBe(true)
  })

  test('ranges', () => {
    expect(read('1').integer(5, 1, 10)).toBe(1)
    expect(read('10').integer(5, 1, 10)).toBe(10)
    expect(read('{}').get('a').integer(50, 1, 10)).toBe(50, 'the default need not be within')
    expect(error()).toBe('none')
    expect(read('0').integer(5, 1, 10)).toBe(0)
    expect(error()).toBe('configuration:1:1: expected integer of at least 1, got 0')
    expect(read('11').integer(REQUIRED, 1, 10)).toBe(0)
    expect(error()).toBe('configuration:1:1: expected integer of at most 10, got 11')
    expect(read('{}').get('port').integer(REQUIRED, 1, 10)).toBe(0)
    expect(error()).toBe('configuration:1:1: missing field "port"')
    read('1.5').integer(0, 1, 10)
    expect(error()).toBe('configuration:1:1: expected integer, got 1.5')
  })

  test('doubles are the nearest ones', () => {
    expect(read('0.1').number()).toBe(0.1)
    expect(read('1e-3').number()).toBe(0.001)
    expect(read('12.5').number()).toBe(12.5)
    expect(read('-3').number()).toBe(-3)
    expect(read('1.7976931348623157e308').number()).toBe(f64.MAX_VALUE)
    expect(read('5e-324').number()).toBe(reinterpret<f64>(<u64>1))
    expect(read('1e-400').number()).toBe(0)
    expect(read('9007199254740993').number()).toBe(9007199254740992, 'ties to even')
    expect(reinterpret<u64>(read('-0').number())).toBe(0x8000000000000000)
    expect(error()).toBe('none')
    expect(read('1e309').number()).toBe(0)
    expect(error()).toBe('configuration:1:1: expected a number that fits into 64 bits, got 1e309')
  })
})

describe('JSON: unknown fields', () => {
  test('are reported where they stand, with the name that was meant', () => {
    const json = read('{"rules": [{"path": "/"},\n {"pathh": "/b"}]}')
    const rules = json.get('rules').array()
    for (let i = 0; i < rules.length; i++) rules[i].get('path').string('')
    expect(json.refuseUnknown()).toBe(false)
    expect(error()).toBe('configuration:2:3: rules[1].pathh: unknown field; did you mean "path"?')
  })

  test('without a name that is near', () => {
    const json = read('{"a": 1, "xyz": 2}')
    json.get('a').integer()
    json.get('limit').integer(1)
    json.refuseUnknown()
    expect(error()).toBe('configuration:1:10: xyz: unknown field')
  })

  test('near are other case, other style, swapped and missing letters', () => {
    const names = ['MaxSize', 'max_size', 'maxSzie', 'maxize', 'maxSizes', 'axSize', 'mxaSize']
    for (let i = 0; i < names.length; i++) {
      const json = read('{"' + names[i] + '": 1}')
      json.get('other').integer(1)
      json.get('maxSize').integer(1)
      json.refuseUnknown()
      expect(error()).toBe('configuration:1:2: ' + names[i] + ': unknown field; did you mean "maxSize"?')
    }
    const short = read('{"abx": 1}')
    short.get('ab').bool(true)
    short.refuseUnknown()
    expect(error().endsWith('did you mean "ab"?')).toBe(true)
    const json = read('{"mod": 1}')
    json.get('node_count').integer(1)
    json.get('m').integer(1)
    json.get('mx').integer(1)
    json.refuseUnknown()
    expect(error()).toBe('configuration:1:2: mod: unknown field')
  })

  test('objects that nobody looked into may hold anything', () => {
    const json = read('{"labels": {"a": 1}, "list": [{"b": 2}]}')
    expect(json.get('labels').exists).toBe(true)
    json.get('list').array()
    expect(json.refuseUnknown()).toBe(true)
    expect(error()).toBe('none')
  })
})

describe('JSON: text', () => {
  test('is refused with its place', () => {
    expect(errorOf(' ')).toBe('configuration:1:2: expected a value, got the end')
    expect(errorOf('{"a": tru}')).toBe('configuration:1:7: a: expected a value, got "t"')
    expect(errorOf('[1,]')).toBe('configuration:1:4: [1]: expected a value, got "]"')
    expect(errorOf('[1 2]')).toBe('configuration:1:4: expected "," or "]", got "2"')
    expect(errorOf('{"a": {"b": [1, {"c" 5}]}}')).toBe('configuration:1:22: a.b[1].c: expected ":", got "5"')
    expect(errorOf('{a: 1}')).toBe('configuration:1:2: expected a name in quotes, got "a"')
    expect(errorOf('{"a": 1,\n}')).toBe('configuration:2:1: expected a name in quotes, got "}"')
    expect(errorOf('{“a”: 1}')).toBe('configuration:1:2: expected a name in quotes, got "“"')
    expect(errorOf('{} x')).toBe('configuration:1:4: expected the end, got "x"')
    expect(errorOf('\ufeff{}')).toBe('configuration:1:1: expected a value, got "\ufeff"')
    expect(errorOf('{"a": 01}')).toBe('configuration:1:8: expected "," or "}", got "1"')
    expect(errorOf('[-]')).toBe('configuration:1:3: [0]: expected a digit, got "]"')
    expect(errorOf('[1.]')).toBe('configuration:1:4: [0]: expected a digit, got "]"')
    expect(errorOf('[1e+]')).toBe('configuration:1:5: [0]: expected a digit, got "]"')
    expect(errorOf('{"a": "b')).toBe('configuration:1:7: a: string without an end')
    expect(errorOf('"\n"')).toBe('configuration:1:2: control character in a string')
    expect(errorOf('["\\x"]')).toBe('configuration:1:3: [0]: invalid escape')
    expect(errorOf('["ab\\u12g4"]')).toBe('configuration:1:5: [0]: invalid escape')
    expect(errorOf('"\\ud83d"')).toBe('configuration:1:2: invalid escape')
    expect(errorOf('"\\')).toBe('configuration:1:1: string without an end')
    expect(errorOf('{"a": 1, "\\u0061": 2}')).toBe('configuration:1:10: a: duplicate field')
  })

  test('is limited in depth', () => {
    expect(errorOf('['.repeat(64) + ']'.repeat(64))).toBe('none')
    expect(errorOf('['.repeat(65)).startsWith('configuration:1:65: [0][0]')).toBe(true)
    expect(errorOf('['.repeat(65)).endsWith(': nested too deeply')).toBe(true)
  })

  test('escapes', () => {
    expect(read('"\\"\\\\\\/\\b\\f\\n\\r\\t"').string()).toBe('"\\/\b\f\n\r\t')
    expect(read('"\\u0041\\u00E9\\u20ac\\ud83d\\ude00\\u0000x"').string()).toBe('Aé€😀\0x')
  })

  test('that is not UTF-8 is refused', () => {
    const sequences = ['80', 'c080', 'c1bf', 'e08080', 'eda080', 'f0808080', 'f4908080', 'f8888080', 'ff', 'c3', 'e282']
    for (let i = 0; i < sequences.length; i++) {
      reset()
      takeConfigurationError()
      const text = encode('["é--------"]')
      for (let j = 0; j < sequences[i].length; j += 2) {
        store<u8>(text.ptr + 4 + (j >> 1), <u8>parseInt(sequences[i].substr(j, 2), 16))
      }
      parseDocument(text)
      expect(error()).toBe('configuration:1:4: [0]: invalid UTF-8', sequences[i])
    }
    reset()
    const text = encode('[-]')
    store<u8>(text.ptr + 1, 0xff)
    parseDocument(text)
    expect(error()).toBe('configuration:1:2: [0]: expected a value, got invalid UTF-8')
  })
})

import { utf8 } from '@meshscript/sdk'
import { RegexReplacer } from '../regex/replacer'

function replace(expression: string, substitution: string, text: string): string {
  const replacer = new RegexReplacer()
  if (!replacer.compile(utf8(expression), utf8(substitution))) return 'refused: ' + replacer.error
  return replacer.replace(utf8(text)).toString()
}

// What RE2's GlobalReplace answers.
describe('replacing', () => {
  test('the whole match and groups', () => {
    expect(replace('^/service/([^/]+)(/.*)$', '\\2/instance/\\1', '/service/foo/v1/api')).toBe('/v1/api/instance/foo')
    expect(replace('one', 'two', '/xxx/one/yyy/one/zzz')).toBe('/xxx/two/yyy/two/zzz')
    expect(replace('^(.*?)one(.*)$', '\\1two\\2', '/xxx/one/yyy/one/zzz')).toBe('/xxx/two/yyy/one/zzz')
    expect(replace('(?i)/xxx/', '/yyy/', '/aaa/XxX/bbb')).toBe('/aaa/yyy/bbb')
    expect(replace('(?P<first>a)(b)?', '<\\1\\2\\0>', 'aab')).toBe('<aa><abab>')
    expect(replace('a', '\\\\', 'xa')).toBe('x\\')
    expect(replace('a', '', 'banana')).toBe('bnn')
    expect(replace('x', 'y', '/nothing')).toBe('/nothing')
  })

  test('empty matches', () => {
    expect(replace('a*', 'x', 'baaac')).toBe('xbxcx')
    expect(replace('b*', 'x', 'éa')).toBe('xéxax')
    expect(replace('', '-', 'ab')).toBe('-a-b-')
    expect(replace('$', '!', 'ab')).toBe('ab!')
    expect(replace('^', '!', 'ab')).toBe('!ab')
    expect(replace('(?m)^', '> ', 'a\nb')).toBe('> a\n> b')
  })

  test('the way that comes first counts, not the longest', () => {
    expect(replace('a|ab', 'x', 'ab')).toBe('xb')
    expect(replace('(a+?)(a*)', '[\\1|\\2]', 'aaa')).toBe('[a|aa]')
    expect(replace('(a+)(a*)', '[\\1|\\2]', 'aaa')).toBe('[aaa|]')
    expect(replace('(?U)(a+)(a*)', '[\\1|\\2]', 'aaa')).toBe('[a|][a|][a|]')
    expect(replace('(a{1,2})(a{0,3}?)', '[\\1|\\2]', 'aaa')).toBe('[aa|][a|]')
    expect(replace('((a)|(b))*', '<\\1\\2\\3>', 'ab')).toBe('<bab>')
    expect(replace('(|a)*b', 'x', 'aab')).toBe('x')
  })

  test('words, characters, classes', () => {
    expect(replace('\\bfoo\\b', 'x', 'foo afoo foo')).toBe('x afoo x')
    expect(replace('.', 'x', 'é/€')).toBe('xxx')
    expect(replace('[^/]+', 's', '/a/bc/d')).toBe('/s/s/s')
    expect(replace('\\d{2,}', '#', '1/22/333')).toBe('1/#/#')
  })

  test('takes a time that grows with the text only', () => {
    expect(replace('(a*)*(a*)*(a*)*b', 'x', 'a'.repeat(2000)).length).toBe(2000)
  })

  test('what is refused', () => {
    expect(replace('(', '', '').startsWith('refused')).toBe(true)
    expect(replace('(a)', '\\2', 'a')).toBe('refused: there is no group 2')
    expect(replace('(a)', '\\x', 'a')).toBe('refused: expected a digit or \\ behind \\')
    expect(replace('(a{1000}){10}', '', '').startsWith('refused')).toBe(true)
    expect(replace('('.repeat(300) + ')'.repeat(300), '', '')).toBe('refused: it is too large for a rewrite')
  })
})

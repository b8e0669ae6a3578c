import { expect, test } from 'vitest'
import { checkRegex, escapeRegex } from './regex.ts'

test.each([
  '/metrics',
  '.*Firefox.*',
  '^(.*?;)?(type=insider)(;.*)?$',
  '(?i)get|post',
  '(?s:.*)',
  '(?P<name>a+)b{2,5}?',
  '[[:alpha:]]+[^]a]',
  '\\Q(?=x)\\E',
  '\\(\\?=',
  '[(?=)]',
  '\\d+\\.\\d+',
  'a{1000}',
  '\\x{61}+\\pL{2}\\p{Greek}+',
  '(?i)^*a$+(?s)?\\b*',
  '[$^\\b]+',
])('%s is one', (text) => expect(checkRegex(text)).toBeUndefined())

test.each([
  ['(', 'is not a valid regular expression: unterminated group'],
  ['*a', 'is not a valid regular expression: nothing to repeat'],
  ['(?=a)b', 'RE2 has no look-ahead and look-behind'],
  ['(?<!a)b', 'RE2 has no look-ahead and look-behind'],
  ['(a)\\1', 'RE2 has no back-references'],
  ['a*+', 'RE2 has no atomic groups and possessive quantifiers'],
  ['a{1001}', 'RE2 repeats at most 1000 times'],
])('%s is none', (text, message) => expect(checkRegex(text)?.message).toContain(message))

test('a text as an expression matches just it', () => {
  const text = '/a.b*c+(d)[e]{f}|g^$\\?'
  expect(text).toMatch(new RegExp(`^(?:${escapeRegex(text)})$`))
  expect(text.replace('.', 'x')).not.toMatch(new RegExp(`^(?:${escapeRegex(text)})$`))
})

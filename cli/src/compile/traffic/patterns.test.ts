import { describe, expect, test } from 'vitest'
import { beforeQuery, startsWith, wholly } from './patterns.ts'

test.each([
  ['/api', { prefix: '/api' }],
  ['^/api.*', { prefix: '/api' }],
  ['.*', undefined],
  ['', undefined],
  ['/a|/b', { regex: '(?:/a|/b)(?s:.*)' }],
  ['/a$', { regex: '(?:/a$)(?s:.*)' }],
])('the start %j', (regex, expected) => {
  expect(startsWith(regex)).toEqual(expected)
})

test.each([
  ['/api', { exact: '/api' }],
  ['^/api$', { exact: '/api' }],
  ['/v1.0', { regex: '/v1.0' }],
])('the whole %j', (regex, expected) => {
  expect(wholly(regex)).toEqual(expected)
})

describe('before a query', () => {
  test.each([
    ['/a', '/a'],
    ['/a.*', '/a[^?]*'],
    ['/[^/]+/\\d+', '/[^?/]+/\\d+'],
    ['/\\.\\D\\W\\S', '/\\.[^\\d?][^\\w?][^\\s?]'],
    ['/(?:a|b)?[.a-z]', '/(?:a|b)?[.a-z]'],
    ['/[^\\]]', '/[^?\\]]'],
    ['^/a$', '^/a'],
  ])('%s', (regex, expected) => {
    expect(beforeQuery(regex)).toBe(`(?:${expected})(?s:\\?.*)?`)
  })

  test.each(['/\\?', '/[!-~]', '/[[:punct:]]', '/\\pL', '/\\Qa?b\\E', '/[\\W]', '/\\x3f', '/(a$|b)'])(
    '%s could be one',
    (regex) => {
      expect(beforeQuery(regex)).toBeUndefined()
    },
  )
})

import { utf8 } from '@meshscript/sdk'
import { templateToRegex } from '../path_template'
import { RegexSet } from '../regex/index'

function matches(template: string, path: string): bool {
  const regex = templateToRegex(utf8(template))
  if (!regex) return false
  const set = new RegexSet()
  expect(set.add(regex)).toBe(0)
  set.compile()
  return set.match(utf8(path)) == 1
}

describe('path templates', () => {
  test('Istio and Envoy write operators differently', () => {
    const regex = templateToRegex(utf8('/a/{*}/{**}'))!.toString()
    expect(templateToRegex(utf8('/a/*/**'))!.toString()).toBe(regex)
  })

  test('one segment is never empty; any number may be', () => {
    expect(matches('/a/{*}', '/a/b')).toBe(true)
    expect(matches('/a/{*}', '/a/')).toBe(false)
    expect(matches('/a/{*}', '/a/b/c')).toBe(false)
    expect(matches('/a/{**}', '/a/')).toBe(true)
    expect(matches('/a/{**}', '/a/b/c')).toBe(true)
    expect(matches('/a/{**}', '/a')).toBe(false)
    expect(matches('/a/{**}', '/a/[')).toBe(false)
    expect(matches('/store/{**}/cart', '/store//cart')).toBe(true)
  })

  test('what Envoy refuses', () => {
    expect(templateToRegex(utf8('a'))).toBeNull()
    expect(templateToRegex(utf8('/**/*'))).toBeNull()
    expect(templateToRegex(utf8('/a*'))).toBeNull()
    expect(templateToRegex(utf8('/{a}/{a}'))).toBeNull()
  })
})

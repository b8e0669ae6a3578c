import { describe, expect, test } from 'vitest'
import regex from './assembly/index.ts?filter'
import { RegexModule } from './module.ts'

const module = new RegexModule(regex)
/** One segment, as Envoy writes it. */
const ONE = "[a-zA-Z0-9-._~%!$&'()+,;:@=*]+"
const ANY = "[a-zA-Z0-9-._~%!$&'()+,;:@=*/]*"

test.each([
  ['/', '/'],
  ['/a/b', '/a/b'],
  ['/a/', '/a/'],
  ['/*', `/${ONE}`],
  ['/{*}', `/${ONE}`],
  ['/a/**', `/a/${ANY}`],
  ['/a/{**}', `/a/${ANY}`],
  ['/{*}/b/{**}', `/${ONE}/b/${ANY}`],
  ['/store/{**}/cart', `/store/${ANY}/cart`],
  ['/**.m3u8', `/${ANY}\\.m3u8`],
  ['/{foo}/**.ts', `/(?P<foo>${ONE})/${ANY}\\.ts`],
  ['/{path=**}.mpd', `/(?P<path>${ANY})\\.mpd`],
  ['/abc/*/{var1}/def/{var2=*/ghi/**}.jkl', `/abc/${ONE}/(?P<var1>${ONE})/def/(?P<var2>${ONE}/ghi/${ANY})\\.jkl`],
  ["/a$(b)+.c!&',;:@~%20=", "/a\\$\\(b\\)\\+\\.c!&',;:@~%20="],
  [
    '/{a}/{b}/{c}/{d}/{e1234567890_ABCD}',
    `/(?P<a>${ONE})/(?P<b>${ONE})/(?P<c>${ONE})/(?P<d>${ONE})/(?P<e1234567890_ABCD>${ONE})`,
  ],
])('%s', (template, expected) => {
  expect(module.templates([template])).toEqual([expected])
})

test.each([
  ...[
    '',
    'a',
    'a/b',
    '//',
    '/a//b',
    '/a b',
    '/é',
    '/a?b',
    '/a#b',
    '/a[b',
    '/a/b*',
    '/a*b',
    '/a{x}',
    '/***',
    '/{x',
    '/x}',
    '/{}',
  ],
  ...[
    '/{=*}',
    '/{_a}',
    '/{1a}',
    '/{a-b}',
    '/{a=}',
    '/{a=/*}',
    '/{a=b/}',
    '/{a=b*}',
    '/{a=*b}',
    '/{a=***}',
    '/{a=**}/*',
    '/**/*',
    '/**/{a}',
  ],
  ...[
    '/**/**',
    '/{a}/{a}',
    '/{a}/{b}/{c}/{d}/{e}/{f}',
    '/{a2345678901234567}',
    '/*{*}',
    '/*.a/b',
    '/{*}{*}',
    '/{***}',
    '/{*a}',
    '/\u0001',
  ],
])('%s is refused', (template) => {
  expect(module.templates([template])).toEqual([undefined])
})

describe('matching', () => {
  test.each<[template: string, matching: string[], others: string[]]>([
    ['/a/{**}', ['/a/', '/a/b', '/a/b/c'], ['/a', '/b/', '/a/[', '/a/é']],
    ['/a/{*}', ['/a/b', '/a/%20', '/a/b.c=d', '/a/*'], ['/a/', '/a', '/a/b/', '/a/b/c']],
    ['/store/{**}/cart', ['/store//cart', '/store/a/cart', '/store/a/b/cart'], ['/store/cart', '/store/a/carts']],
    ['/{*}/b', ['/a/b'], ['//b', '/a/x/b']],
  ])('%s', (template, matching, others) => {
    expect(module.compile([module.templates([template])[0] ?? ''])).toEqual([''])
    expect(module.match([...matching, ...others])).toEqual([...matching.map(() => [0]), ...others.map(() => [])])
  })
})

/** Paths and templates. */

import { type Attack, attack, type Expected, http2, type Options } from '../attack.ts'

const DENY_ADMIN = 'DENY paths /admin, /admin/*'
const slashes = 'Istio merges slashes only with normalization MERGE_SLASHES'
const encoded = 'Istio decodes slashes only with normalization DECODE_AND_MERGE_SLASHES'
const dotDot = 'Envoy resolves it to / before filters and for the server'
const other = 'it is another path; a server that takes it for /admin must be behind a policy with its own spelling'

/** Targets that a careless server takes for /admin. */
const paths: [target: string, expected: Expected, options?: Options][] = [
  ['/admin', 'refused'],
  ['/admin/', 'refused'],
  ['/admin?', 'refused'],
  ['/admin?x=/public', 'refused'],
  ['/admin#x', 'refused'],
  ['/admin#/../public', 'refused'],
  ['//admin', 'passes', { why: slashes }],
  ['//admin', 'refused', { normalization: 'MERGE_SLASHES' }],
  ['///admin', 'refused', { normalization: 'MERGE_SLASHES' }],
  ['/./admin', 'refused'],
  ['/x/../admin', 'refused'],
  ['/x/./../admin', 'refused'],
  ['/../admin', 'refused'],
  ['/%2e/admin', 'refused'],
  ['/x/%2e%2e/admin', 'refused'],
  ['/x/%2E%2e/admin', 'refused'],
  ['/x/.%2e/admin', 'refused'],
  ['/admin/.', 'refused'],
  ['/admin/x/..', 'refused'],
  ['/admin/..;/', 'passes', { why: dotDot }],
  ['/admin/..;/', 'refused', { normalization: 'NONE' }],
  ['/x/..;/admin', 'refused'],
  ['/admin;x=1', 'passes', { why: other }],
  ['/admin.', 'passes', { why: other }],
  ['/admin%20', 'passes', { why: other }],
  ['/admin.json', 'passes', { why: other }],
  ['/%61dmin', 'refused'],
  ['/%61%64%6d%69%6e', 'refused'],
  ['/%2561dmin', 'passes', { why: other }],
  ['/%252e/admin', 'passes', { why: other }],
  ['/x%2f..%2fadmin', 'passes', { why: encoded }],
  ['/x%2f..%2fadmin', 'refused', { normalization: 'DECODE_AND_MERGE_SLASHES' }],
  ['/%2fadmin', 'passes', { why: encoded }],
  ['/%2Fadmin', 'refused', { normalization: 'DECODE_AND_MERGE_SLASHES' }],
  ['/%5cadmin', 'refused', { normalization: 'DECODE_AND_MERGE_SLASHES' }],
  ['/%5cadmin', 'passes', { why: encoded }],
  ['/x/..%5cadmin', 'passes', { why: encoded }],
  ['\\admin', 'answered'],
  ['/\\admin', 'passes', { why: slashes }],
  ['/\\admin', 'refused', { normalization: 'MERGE_SLASHES' }],
  ['/x\\..\\admin', 'refused'],
  ['/ADMIN', 'passes', { why: 'paths mind case' }],
  ['/Admin/users', 'passes', { why: 'paths mind case' }],
  ['/admin%00', 'answered'],
  ['/admin%', 'passes', { why: other }],
  ['/%c0%afadmin', 'passes', { why: other }],
  ['/\xc0\xafadmin', 'answered'],
  ['/\xef\xbc\x8fadmin', 'answered'],
  ['/admin/\xff', 'answered'],
  ['admin', 'answered'],
  ['*', 'answered'],
  ['', 'answered'],
  ['http://example.com/admin', 'refused'],
  ['HTTP://example.com/admin', 'refused'],
  ['http://example.com//admin', 'refused', { normalization: 'MERGE_SLASHES' }],
  ['http://example.com/x/../admin', 'refused'],
  ['http://user:pass@example.com/admin', 'refused'],
  ['http://example.com/admin?http://other/', 'refused'],
  [`/admin/${'a'.repeat(64_000)}`, 'refused'],
  [`/admin?${'a'.repeat(64_000)}`, 'refused'],
  [`/${'x/../'.repeat(12_000)}admin`, 'refused'],
]

/** Short, and in printable characters. */
const title = (target: string) => {
  const text = target.length > 60 ? `${target.slice(0, 20)}… (${target.length} bytes)` : target
  return text.replaceAll(/[\x80-\xff]/g, (byte) => `\\x${byte.charCodeAt(0).toString(16)}`) || '(empty)'
}

const spellings = paths.map(([target, expected, options]) =>
  attack('Path', `GET ${title(target)}`, DENY_ADMIN, { target }, { expected, ...options }),
)

const morePaths: Attack[] = [
  attack('Path', 'GET /public/../admin', 'ALLOW paths /public/*', { target: '/public/../admin' }),
  attack(
    'Path',
    'GET /public/..%2fadmin',
    'ALLOW paths /public/*',
    { target: '/public/..%2fadmin' },
    { expected: 'passes', why: encoded },
  ),
  attack(
    'Path',
    'GET /public/..%2fadmin',
    'ALLOW paths /public/*',
    { target: '/public/..%2fadmin' },
    { normalization: 'DECODE_AND_MERGE_SLASHES' },
  ),
  attack('Path', 'GET /public/%2e%2e/admin', 'ALLOW paths /public/*', { target: '/public/%2e%2e/admin' }),
  attack('Path', 'GET /public\\..\\admin', 'ALLOW paths /public/*', { target: '/public\\..\\admin' }),
  attack('Path', 'GET /public', 'ALLOW paths /public/*', { target: '/public' }),
  attack('Path', 'GET /PUBLIC/x', 'ALLOW paths /public/*', { target: '/PUBLIC/x' }),
  attack('Path', 'GET /public/', 'ALLOW paths /public', { target: '/public/' }),
  attack('Path', 'GET /publicx', 'ALLOW paths /public', { target: '/publicx' }),
  attack('Path', 'GET /public%20', 'ALLOW paths /public', { target: '/public%20' }),
  attack('Path', 'GET //public', 'ALLOW paths /public', { target: '//public' }),
  attack('Path', 'GET /admin?/public', 'ALLOW paths /public', { target: '/admin?/public' }),
  attack('Path', 'GET /admin#/public', 'ALLOW paths /public', { target: '/admin#/public' }),
  attack('Path', 'GET /admin?.css', 'ALLOW paths *.css', { target: '/admin?.css' }),
  attack('Path', 'GET /admin#.css', 'ALLOW paths *.css', { target: '/admin#.css' }),
  attack(
    'Path',
    'GET /admin%3f.css',
    'ALLOW paths *.css',
    { target: '/admin%3f.css' },
    { expected: 'passes', why: other },
  ),
  attack('Path', 'GET /admin/x', 'ALLOW notPaths /admin*', { target: '/admin/x' }),
  attack('Path', 'GET /%61dmin', 'ALLOW notPaths /admin*', { target: '/%61dmin' }),
  attack('Path', 'GET http://other/admin', 'ALLOW notPaths /admin*', { target: 'http://other/admin' }),
  attack('Path', 'HTTP/2 :path /x/../admin', DENY_ADMIN, http2({ path: '/x/../admin' })),
  attack('Path', 'HTTP/2 :path //admin', DENY_ADMIN, http2({ path: '//admin' }), { normalization: 'MERGE_SLASHES' }),
  attack('Path', 'HTTP/2 :path http://example.com/admin', DENY_ADMIN, http2({ path: 'http://example.com/admin' }), {
    expected: 'answered',
  }),
  attack('Path', 'HTTP/2 :path empty', 'ALLOW paths /public', http2({ path: '' }), { expected: 'answered' }),
  attack('Path', 'HTTP/2 :path admin', DENY_ADMIN, http2({ path: 'admin' }), { expected: 'answered' }),
  attack('Template', 'GET /api//read', 'ALLOW paths /api/{*}/read', { target: '/api//read' }),
  attack('Template', 'GET /api/a/b/read', 'ALLOW paths /api/{*}/read', { target: '/api/a/b/read' }),
  attack(
    'Template',
    'GET /api/a%2fb/read',
    'ALLOW paths /api/{*}/read',
    { target: '/api/a%2fb/read' },
    { expected: 'passes', why: encoded },
  ),
  attack('Template', 'GET /api/a/read/', 'ALLOW paths /api/{*}/read', { target: '/api/a/read/' }),
  attack('Template', 'GET /api/a[/read', 'ALLOW paths /api/{*}/read', { target: '/api/a[/read' }),
  attack('Template', 'GET /x?/api/a/read', 'ALLOW paths /api/{*}/read', { target: '/x?/api/a/read' }),
  attack('Template', 'GET /api/x/../y', 'DENY paths /api/{**}', { target: '/api/x/../y' }),
  attack(
    'Template',
    'GET /api',
    'DENY paths /api/{**}',
    { target: '/api' },
    { expected: 'passes', why: '`{**}` wants the slash before it' },
  ),
  attack(
    'Template',
    'GET /api/a[',
    'DENY paths /api/{**}',
    { target: '/api/a[' },
    { expected: 'passes', why: 'a raw `[` is no part of a template; Istio does not match it either' },
  ),
]

export const pathAttacks: readonly Attack[] = [...spellings, ...morePaths]

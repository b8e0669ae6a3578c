/** Methods and hosts. */

import { type Attack, attack, http2 } from '../attack.ts'

const DENY_ADMIN = 'DENY paths /admin, /admin/*'
export const methodAttacks: readonly Attack[] = [
  attack('Method', 'get', 'ALLOW methods GET', { method: 'get' }),
  attack('Method', 'GETX', 'ALLOW methods GET', { method: 'GETX' }),
  attack('Method', 'HEAD', 'ALLOW methods GET', { method: 'HEAD' }),
  attack('Method', 'empty', 'ALLOW methods GET', ' / HTTP/1.1\r\nHost: a\r\n\r\n', { expected: 'answered' }),
  attack('Method', 'with a tab', 'ALLOW methods GET', 'GET\t/ HTTP/1.1\r\nHost: a\r\n\r\n', {
    expected: 'passes',
    why: 'Envoy takes it for GET',
  }),
  attack(
    'Method',
    'delete',
    'DENY methods DELETE',
    { method: 'delete' },
    { expected: 'passes', why: 'methods mind case' },
  ),
  attack(
    'Method',
    'X-HTTP-Method-Override: DELETE',
    'DENY methods DELETE',
    { method: 'POST', headers: ['X-HTTP-Method-Override: DELETE'] },
    { expected: 'passes', why: 'the request is a POST; refuse the header where the server heeds it' },
  ),
  attack('Method', '64 KB', 'ALLOW methods GET', { method: 'G'.repeat(64_000) }),
  attack('Method', 'CONNECT', 'DENY methods CONNECT', {
    method: 'CONNECT',
    target: 'example.com:443',
    host: 'example.com:443',
  }),
  attack('Method', 'CONNECT', 'ALLOW methods GET', {
    method: 'CONNECT',
    target: 'example.com:443',
    host: 'example.com:443',
  }),
  attack('Method', 'CONNECT, which has no path', 'ALLOW paths /public', {
    method: 'CONNECT',
    target: 'example.com:443',
    host: 'example.com:443',
  }),
  attack(
    'Method',
    'CONNECT, which has no path',
    DENY_ADMIN,
    { method: 'CONNECT', target: 'example.com:443', host: 'example.com:443' },
    { expected: 'passes', why: 'there is no path to match' },
  ),
  attack('Method', 'CONNECT to another host', 'DENY hosts admin.com, admin.com:*', {
    method: 'CONNECT',
    target: 'admin.com:443',
    host: 'example.com',
  }),
]

const NOT_HOST = 'the port is a part of the host; list HOST:* too'
export const hostAttacks: readonly Attack[] = [
  attack('Host', 'EXAMPLE.org', 'ALLOW hosts example.com', { host: 'EXAMPLE.org' }),
  attack('Host', 'with a trailing dot', 'ALLOW hosts example.com', { host: 'example.com.' }),
  attack(
    'Host',
    'with a trailing dot',
    'DENY hosts admin.com',
    { host: 'admin.com.' },
    { expected: 'passes', why: 'it is another text; Istio does not match it either' },
  ),
  attack('Host', 'in capitals', 'DENY hosts admin.com', { host: 'ADMIN.com' }),
  attack(
    'Host',
    'with a port',
    'DENY hosts admin.com',
    { host: 'admin.com:80' },
    { expected: 'passes', why: NOT_HOST },
  ),
  attack('Host', 'with a port', 'DENY hosts admin.com, admin.com:*', { host: 'admin.com:80' }),
  attack('Host', 'in capitals, with a port', 'DENY hosts admin.com, admin.com:*', { host: 'Admin.COM:8080' }),
  attack(
    'Host',
    'with a port',
    'ALLOW notHosts admin.com',
    { host: 'admin.com:80' },
    { expected: 'passes', why: NOT_HOST },
  ),
  attack('Host', 'with user information', 'ALLOW hosts example.com', { host: 'example.com@evil.com' }),
  attack('Host', 'with spaces around', 'DENY hosts admin.com', { host: '  admin.com\t' }),
  attack('Host', 'none', 'ALLOW hosts example.com', { host: null }, { expected: 'answered' }),
  attack('Host', 'empty', 'ALLOW hosts example.com', { host: '' }),
  attack('Host', 'twice', 'ALLOW hosts example.com', { host: 'example.com', headers: ['Host: evil.com'] }),
  attack(
    'Host',
    'twice, the other first',
    'DENY hosts admin.com',
    { host: 'example.com', headers: ['Host: admin.com'] },
    { expected: 'passes', why: 'Envoy joins them to `example.com,admin.com`, for the server too' },
  ),
  attack('Host', 'absolute target, another Host', 'DENY hosts admin.com', {
    target: 'http://admin.com/',
    host: 'example.com',
  }),
  attack('Host', 'absolute target, another Host', 'ALLOW hosts example.com', {
    target: 'http://evil.com/',
    host: 'example.com',
  }),
  attack('Host', 'absolute target with user information', 'ALLOW hosts example.com', {
    target: 'http://example.com@evil.com/',
    host: 'example.com',
  }),
  attack('Host', 'X-Forwarded-Host', 'ALLOW hosts example.com', {
    host: 'evil.com',
    headers: ['X-Forwarded-Host: example.com'],
  }),
  attack(
    'Host',
    'HTTP/2 :authority and host differ',
    'ALLOW hosts example.com',
    http2({ authority: 'evil.com', headers: [['host', 'example.com']] }),
  ),
  attack(
    'Host',
    'HTTP/2 :authority and host differ',
    'DENY hosts admin.com',
    http2({ authority: 'admin.com', headers: [['host', 'example.com']] }),
  ),
  attack(
    'Host',
    'non-ASCII letters that look alike',
    'ALLOW hosts example.com',
    { host: 'ex\xd0\xb0mple.com' },
    { expected: 'answered' },
  ),
]

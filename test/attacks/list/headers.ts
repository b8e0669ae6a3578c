/** Headers. */

import { type Attack, attack, http2 } from '../attack.ts'

const USER = 'ALLOW when x-role is user'
const ADMIN = 'DENY when x-role is admin'
const eachValue = 'each line is matched by itself and one is as allowed; Istio does the same'
export const headerAttacks: readonly Attack[] = [
  attack('Header', 'admin', USER, { headers: ['x-role: admin'] }),
  attack(
    'Header',
    'user twice, admin between',
    USER,
    { headers: ['x-role: admin', 'x-role: user'] },
    { expected: 'passes', why: eachValue },
  ),
  attack('Header', 'user,admin', USER, { headers: ['x-role: user,admin'] }),
  attack('Header', 'user, admin in two lines', ADMIN, { headers: ['x-role: user', 'x-role: admin'] }),
  attack('Header', 'admin, user in two lines', ADMIN, { headers: ['x-role: admin', 'x-role: user'] }),
  attack(
    'Header',
    'admin,user in one line',
    ADMIN,
    { headers: ['x-role: admin,user'] },
    { expected: 'passes', why: 'a line is one value' },
  ),
  attack('Header', 'admin,user in one line', 'DENY when x-role begins with admin', { headers: ['x-role: admin,user'] }),
  attack('Header', 'empty before admin', ADMIN, { headers: ['x-role:', 'x-role: admin'] }),
  attack('Header', '100 lines, the last is admin', ADMIN, {
    headers: [...Array<string>(90).fill('x-role: user'), 'x-role: admin'],
  }),
  attack('Header', 'guest beside user', 'ALLOW when x-role is not guest', {
    headers: ['x-role: user', 'x-role: guest'],
  }),
  attack(
    'Header',
    'missing',
    'ALLOW when x-role is not guest',
    {},
    { expected: 'passes', why: 'a header that is not there is not guest' },
  ),
  attack('Header', 'missing', 'ALLOW when x-role is there', {}),
  attack('Header', 'missing', 'DENY when x-role is missing', {}),
  attack(
    'Header',
    'empty',
    'DENY when x-role is missing',
    { headers: ['x-role:'] },
    { expected: 'passes', why: 'an empty value is there' },
  ),
  attack('Header', 'name in capitals', ADMIN, { headers: ['X-ROLE: admin'] }),
  attack('Header', 'name with an underscore', USER, { headers: ['x_role: user'] }),
  attack(
    'Header',
    'name with an underscore',
    ADMIN,
    { headers: ['x_role: admin'] },
    { expected: 'passes', why: 'it is another header' },
  ),
  attack('Header', 'space before the colon', ADMIN, { headers: ['x-role : admin'] }, { expected: 'answered' }),
  attack('Header', 'space before the name', ADMIN, { headers: [' x-role: admin'] }, { expected: 'answered' }),
  attack('Header', 'folded line', ADMIN, { headers: ['x-role:', ' admin'] }),
  attack('Header', 'value in capitals', USER, { headers: ['x-role: USER'] }),
  attack(
    'Header',
    'value in capitals',
    ADMIN,
    { headers: ['x-role: ADMIN'] },
    { expected: 'passes', why: 'values mind case' },
  ),
  attack('Header', 'spaces and tabs around the value', ADMIN, { headers: ['x-role: \t admin \t '] }),
  attack('Header', 'NUL in the value', ADMIN, { headers: ['x-role: admin\0'] }, { expected: 'answered' }),
  attack(
    'Header',
    'carriage return in the value',
    ADMIN,
    { headers: ['x-role: admin\rx'] },
    { expected: 'passes', why: 'it is another value' },
  ),
  attack('Header', 'bare line feed after the value', ADMIN, { headers: ['x-role: user\nx-role: admin'] }),
  attack('Header', 'control character in the value', USER, { headers: ['x-role: user\x01'] }, { expected: 'answered' }),
  attack('Header', 'byte that is no UTF-8 after the value', USER, { headers: ['x-role: user\xff'] }),
  attack('Header', 'byte that is no UTF-8 in another header', ADMIN, {
    headers: ['x-other: \xc3\x28', 'x-role: admin'],
  }),
  attack('Header', '64 KB, begins as allowed', USER, { headers: [`x-role: user${'x'.repeat(64_000)}`] }),
  attack('Header', '64 KB, begins as refused', 'DENY when x-role begins with admin', {
    headers: [`x-role: admin${'x'.repeat(64_000)}`],
  }),
  attack('Header', '64 KB of another header before it', ADMIN, {
    headers: [`x-other: ${'x'.repeat(64_000)}`, 'x-role: admin'],
  }),
  attack(
    'Header',
    'named in Connection',
    ADMIN,
    { headers: ['Connection: x-role', 'x-role: admin'] },
    { expected: 'passes', why: 'Envoy takes it away before filters, so the server does not get it either' },
  ),
  attack('Header', 'named in Connection', 'ALLOW when x-role is there', {
    headers: ['Connection: x-role', 'x-role: a'],
  }),
  attack(
    'Header',
    'in the trailers',
    USER,
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nx-role: user\r\n\r\n',
  ),
  attack(
    'Header',
    'in a second request inside the body',
    USER,
    'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\nx-role: user\r\n\r\n',
    { expected: 'answered' },
  ),
  attack(
    'Header',
    'HTTP/2, two lines',
    ADMIN,
    http2({
      headers: [
        ['x-role', 'user'],
        ['x-role', 'admin'],
      ],
    }),
  ),
  attack('Header', 'HTTP/1.0', USER, 'GET / HTTP/1.0\r\nHost: a\r\nx-role: admin\r\n\r\n'),
]

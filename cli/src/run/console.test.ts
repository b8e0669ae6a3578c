import { expect, test } from 'vitest'
import { textPrinter, visible } from './console.ts'
import type { RequestEvent } from './events.ts'

const REQUEST: RequestEvent = {
  event: 'request',
  id: 1,
  time: new Date(2026, 0, 2, 3, 4, 5, 6).getTime(),
  method: 'GET',
  path: '/a',
  authority: 'a',
  protocol: 'HTTP/1.1',
  status: 200,
  flags: '',
  details: 'via_upstream',
  answeredBy: 'upstream',
  milliseconds: 1.234,
  bytesIn: 0,
  bytesOut: 0,
}

function print(...events: Parameters<ReturnType<typeof textPrinter>>[0][]): string {
  let text = ''
  const stdout = { write: (part: string) => (text += part) }
  const printer = textPrinter({ stdout, stderr: stdout, cwd: '/', env: {} })
  events.forEach(printer)
  return text
}

test('a line says who answered, and why', () => {
  expect(
    print(
      REQUEST,
      {
        ...REQUEST,
        status: 403,
        answeredBy: 'filter',
        filter: 'authz',
        details: 'rbac',
        verdict: 'deny',
        policy: 'shop/a',
      },
      { ...REQUEST, status: 503, answeredBy: 'envoy', details: 'no_healthy_upstream', flags: 'UH', milliseconds: 1234 },
      {
        ...REQUEST,
        status: 0,
        answeredBy: 'envoy',
        details: 'downstream_remote_disconnect',
        flags: 'DC',
        milliseconds: 12_345,
      },
    ),
  ).toBe(
    [
      '03:04:05.006 GET /a  200  1.2 ms  upstream',
      '03:04:05.006 GET /a  403  1.2 ms  authz deny shop/a rbac',
      '03:04:05.006 GET /a  503  1234 ms  envoy UH no_healthy_upstream',
      '03:04:05.006 GET /a  ---  12.3 s  envoy DC downstream_remote_disconnect',
      '',
    ].join('\n'),
  )
})

test('what clients and filters send does not reach the terminal as commands', () => {
  const hostile = '\x1b]0;title\x07\x1b[2J\r\u009b\u202e'
  const text = print(
    {
      ...REQUEST,
      method: hostile,
      path: hostile,
      details: hostile,
      answeredBy: 'filter',
      policy: hostile,
      verdict: 'deny',
    },
    { event: 'log', time: 0, level: 'info', filter: 'f', message: `${hostile}\nnext` },
    { event: 'envoy', time: 0, level: 'warn', component: 'http', message: hostile },
  )
  // eslint-disable-next-line no-control-regex
  expect(text).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e]/)
  expect(visible('é\t\x1b')).toBe('é\\x09\\x1b')
})

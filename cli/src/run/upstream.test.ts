import { expect, test } from 'vitest'
import { parseUpstream } from './upstream.ts'

test.for([
  ['127.0.0.1:8080', '127.0.0.1', 8080, undefined],
  ['localhost:80', 'localhost', 80, undefined],
  ['[::1]:8080', '::1', 8080, undefined],
  ['shop.example:8080', 'shop.example', 8080, undefined],
  ['http://shop.example', 'shop.example', 80, 'shop.example'],
  ['http://shop.example:8080/', 'shop.example', 8080, 'shop.example:8080'],
  ['http://127.0.0.1:8080', '127.0.0.1', 8080, undefined],
] as const)('%s', ([text, host, port, hostRewrite]) => {
  const upstream = parseUpstream(text, false)
  expect(upstream.spec).toEqual({ endpoints: [{ host, port }] })
  expect(upstream.hostRewrite).toBe(hostRewrite)
})

test('TLS knows the name, h2c is HTTP/2', () => {
  const { spec } = parseUpstream('https://shop.example', false)
  expect(spec.endpoints).toEqual([{ host: 'shop.example', port: 443 }])
  expect(spec.extra).toMatchObject({ transport_socket: { typed_config: { sni: 'shop.example' } } })
  expect(parseUpstream('h2c://127.0.0.1:1', false).spec.protocol).toBe('http2')
})

test.for([
  ['', false, 'expected HOST:PORT or a URL'],
  ['shop.example', false, 'the port is missing'],
  ['ftp://shop.example', false, 'expected http, https or h2c, not ftp'],
  ['http://shop.example/path', false, 'expected no path, query or user'],
  ['http://user@shop.example', false, 'expected no path, query or user'],
  ['http://127.0.0.1:80', true, 'with --tcp, expected HOST:PORT'],
] as const)('%j is refused', ([text, tcp, message]) => {
  expect(() => parseUpstream(text, tcp)).toThrow(
    expect.objectContaining({ code: 'RUN002', message: expect.stringContaining(message) as string }),
  )
})

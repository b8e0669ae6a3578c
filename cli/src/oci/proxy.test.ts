import { expect, test } from 'vitest'
import { authorizationFor, nameOf, proxyFor } from './proxy.ts'

const PROXIES = { HTTPS_PROXY: 'http://secure:3128', HTTP_PROXY: 'plain:3128' }
const chosen = (url: string, env: Record<string, string | undefined>) => proxyFor(new URL(url), env)?.url.origin

test('by the scheme of the request, in capitals first', () => {
  expect(chosen('https://ghcr.io', PROXIES)).toBe('http://secure:3128')
  expect(chosen('http://ghcr.io', PROXIES)).toBe('http://plain:3128')
  expect(chosen('https://ghcr.io', { https_proxy: 'https://small:1' })).toBe('https://small:1')
  expect(chosen('https://ghcr.io', { https_proxy: 'http://small:1', ...PROXIES })).toBe('http://secure:3128')
  expect(chosen('https://ghcr.io', { HTTPS_PROXY: '', https_proxy: 'http://small:1' })).toBe('http://small:1')
  expect(chosen('https://ghcr.io', { HTTP_PROXY: 'http://plain:3128' })).toBeUndefined()
})

// What is right of `none` goes through the proxy all the same.
test.each([
  ['', 'localhost 127.0.0.1 127.9.9.9 [::1] localhost:5000', 'ghcr.io 10.0.0.1 my-localhost'],
  ['*', 'ghcr.io 10.0.0.1', ''],
  ['example.com', 'example.com a.example.com EXAMPLE.com:5000', 'example.org anexample.com example.com.org'],
  ['.example.com', 'a.example.com a.b.example.com', 'example.com'],
  ['*.example.com', 'a.example.com', 'example.com'],
  [' a.test , b.test:5000,,', 'a.test b.test:5000', 'b.test b.test:5001'],
  ['a.test:443', 'a.test', 'a.test:5000'],
  ['10.0.0.0/8,192.168.1.7', '10.1.2.3 192.168.1.7 192.168.1.7:5000', '11.1.2.3 192.168.1.8 a10.test'],
  ['fd00::/8,[2001:db8::1]:5000', '[fd12::1] [2001:db8::1]:5000', '[fe80::1] [2001:db8::1]'],
  ['10.0.0.0/33,nonsense/8,10.0.0/8', '', '10.0.0.1 nonsense'],
])('NO_PROXY=%j: none for %s', (list, none, others) => {
  const hosts = (text: string) => text.split(' ').filter(Boolean)
  for (const env of [{ NO_PROXY: list }, { no_proxy: list }]) {
    for (const host of hosts(none)) expect(chosen(`https://${host}/v2/`, { ...PROXIES, ...env }), host).toBeUndefined()
    for (const host of hosts(others)) expect(chosen(`https://${host}/v2/`, { ...PROXIES, ...env }), host).toBeDefined()
  }
})

test('user and password are for the proxy, not for people', () => {
  const proxy = proxyFor(new URL('https://ghcr.io'), { HTTPS_PROXY: 'http://ann:p%40ss@proxy:3128' })!
  expect(authorizationFor(proxy)).toBe(`Basic ${Buffer.from('ann:p@ss').toString('base64')}`)
  expect(nameOf(proxy)).toBe('the proxy http://proxy:3128 (HTTPS_PROXY)')
})

test.each([
  ['socks5://proxy:1080', 'HTTPS_PROXY names a proxy by socks5://; http:// and https:// can be used'],
  ['http://', 'HTTPS_PROXY is no URL; write http://HOST:PORT'],
])('%s is refused', (text, message) => {
  expect(() => proxyFor(new URL('https://ghcr.io'), { HTTPS_PROXY: text })).toThrow(message)
})

/** What flow records keep to themselves, and what becomes of whatever clients send. The same on both hosts. */
import { describe, expect, test } from 'vitest'
import { host } from '../testing.ts'
import { flow, lines, start } from './testing.ts'

describe('secrets', () => {
  test('of the URL are left out', async () => {
    await start()
    await host.request('/a?token=s3cret', { authority: 'me:s3cret@cart.shop' })
    await host.request('/b?s3cret', { protocol: 'http2', authority: 'cart.shop' })
    const [first, second] = lines()
    expect(first!.flow.l7.http.url).toBe('http://cart.shop/a')
    expect(second!.flow).toMatchObject({ l7: { http: { url: 'http://cart.shop/b', protocol: 'HTTP/2' } } })
    expect(JSON.stringify(lines())).not.toContain('s3cret')
  })

  test('of the query stay where there are none', async () => {
    await start({ query: true })
    await host.request('/a?b=c&d')
    expect(flow()).toMatchObject({ l7: { http: { url: 'http://localhost/a?b=c&d' } } })
    expect(flow().Summary).toContain('http://localhost/a?b=c&d)')
  })

  test('of headers: those that are listed are shown, and of them no secrets', async () => {
    const listed = ['x-tenant', 'authorization', 'cookie', 'accept', 'x-auth-token', 'x-api-key', 'x-absent']
    await start({ headers: listed })
    const secret = { authorization: 'Bearer s3cret', cookie: 'id=s3cret', 'x-auth-token': 's3cret', 'x-api-key': 's3cret' } // prettier-ignore
    await host.request('/', { headers: { ...secret, 'x-tenant': 'a', accept: 'b', 'x-other': 's3cret' } })
    const hidden = (key: string) => ({ key, value: 'HUBBLE_REDACTED' })
    expect(flow().l7.http.headers).toEqual([
      { key: 'Accept', value: 'b' },
      hidden('Authorization'),
      hidden('Cookie'),
      hidden('X-Api-Key'),
      hidden('X-Auth-Token'),
      { key: 'X-Tenant', value: 'a' },
    ])
    expect(JSON.stringify(lines())).not.toContain('s3cret')
  })

  test('of headers: none is shown that is not listed', async () => {
    await start()
    await host.request('/', { headers: { 'user-agent': 'me' } })
    expect(flow().l7.http.headers).toBeUndefined()
  })
})

describe('what clients send', () => {
  test('stays within its JSON string', async () => {
    await start({ headers: ['user-agent'], query: true })
    const agent = 'a"b\\c\td {"x":1} \u2028 é \u{1f600}'
    await host.request(`/"},{"verdict":"x"?'\\u0000"`, { headers: { 'user-agent': agent, traceparent: '00-"-' } })
    const record = flow()
    expect(record.l7.http.headers).toEqual([{ key: 'User-Agent', value: agent }])
    expect(record).toMatchObject({ verdict: 'FORWARDED', l7: { http: { url: `http://localhost/"},{"verdict":"x"?'\\u0000"` } } }) // prettier-ignore
  })

  test('ends where it is too long', async () => {
    await start({ headers: ['x-long'], query: true })
    await host.request(`/${'a'.repeat(8000)}`, {
      authority: 'b'.repeat(1000),
      headers: { 'x-long': 'c'.repeat(1000) },
    })
    const { http } = flow().l7
    expect(http.url).toBe(`http://${'b'.repeat(256)}/${'a'.repeat(2047)}`)
    expect(http.headers).toEqual([{ key: 'X-Long', value: 'c'.repeat(256) }])
    expect(host.logs.map(({ message }) => message).find((line) => line.startsWith('flow '))!.length).toBeLessThan(7000)
  })

  test('may be no path', async () => {
    await start()
    await host.request('*', { method: 'OPTIONS' })
    expect(flow()).toMatchObject({ l7: { http: { method: 'OPTIONS', url: 'http://localhost/*' } } })
  })
})

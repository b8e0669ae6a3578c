import { createServer, request, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { RequestEvent } from '../events.ts'
import { ask } from '../testing.ts'
import { type Page, startPage } from './server.ts'

const EVENT: RequestEvent = {
  event: 'request',
  id: 1,
  time: 1000,
  method: 'GET',
  path: '/</script><script>alert(1)</script>\n\nevent: state',
  authority: 'a',
  protocol: 'HTTP/1.1',
  status: 200,
  flags: '',
  details: 'via_upstream',
  answeredBy: 'upstream',
  milliseconds: 10,
  bytesIn: 0,
  bytesOut: 0,
}

let page: Page
let proxy: Server
beforeEach(async () => {
  // Stands for Envoy.
  proxy = createServer((incoming, response) => {
    let body = ''
    incoming.on('data', (data) => (body += String(data)))
    incoming.on('end', () =>
      response.end(JSON.stringify([incoming.method, incoming.url, incoming.headers['x-a'], body])),
    )
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  const { port } = proxy.address() as AddressInfo
  page = await startPage({ port, tcp: false, upstream: 'echo', filters: () => [] })
})
afterEach(async () => {
  await page.close()
  proxy.closeAllConnections()
  proxy.close()
})

/** What has been sent until the text is among it. */
function events(until: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const call = request(`${page.url}events`, (response) => {
      let text = ''
      response.on('data', (data) => {
        text += String(data)
        if (!text.includes(until)) return
        call.destroy()
        resolve(text)
      })
    })
    call.on('error', reject)
    call.end()
  })
}

const send = (headers: string[], wanted: unknown) =>
  ask(`${page.url}send`, headers, undefined, 'POST', JSON.stringify(wanted))

const own = () => ['content-type', 'application/json', 'origin', page.url.slice(0, -1)]

test('the page runs nothing but its own script, and loads nothing', async () => {
  const { status, headers, text } = await ask(page.url)
  expect(status).toBe(200)
  const nonce = /script-src 'nonce-([^']+)'/.exec(String(headers['content-security-policy']))?.[1]
  expect(headers['content-security-policy']).toContain("default-src 'none'")
  expect(text).toContain(`<script nonce="${nonce}">`)
  expect(text).not.toContain('NONCE')
  expect(text).not.toMatch(/innerHTML|outerHTML|insertAdjacent|document\.write|src=|href=|url\(/)
  expect((await ask(page.url)).headers['content-security-policy']).not.toContain(nonce)
})

test.for(['evil.example', 'evil.example:80', 'localhost', '127.0.0.1:1'])(
  'another name is refused: %s',
  async (host) => {
    for (const path of ['', 'events']) expect((await ask(`${page.url}${path}`, ['host', host])).status).toBe(421)
    expect((await ask(page.url, ['host', new URL(page.url).host.replace('127.0.0.1', 'localhost')])).status).toBe(200)
  },
)

test('events come as they happen, and to those who come later', async () => {
  const live = events('event: log')
  page.send({ event: 'log', time: 1005, level: 'info', filter: 'f', message: 'in time\nevent: state' })
  page.send(EVENT)
  page.send({ event: 'log', time: 1012, level: 'info', filter: 'f', message: 'a little later' })
  page.send({ event: 'log', time: 2000, level: 'info', filter: 'f', message: 'much later' })
  await live
  const text = await events('much later')
  const messages = text.split('\n\n').filter((message) => /^(retry|event)/.test(message))
  expect(messages.map((message) => /^event: (.*)$/m.exec(message)?.[1])).toEqual([
    'state',
    'log',
    'request',
    'log',
    'log',
  ])
  const data = messages.map((message) => JSON.parse(/^data: (.*)$/m.exec(message)![1]!) as Record<string, unknown>)
  expect(data[2]).toMatchObject({ path: EVENT.path, logs: [{ message: 'in time\nevent: state' }] })
  expect([data[3]!['requests'], data[4]!['requests']]).toEqual([[1], []])
})

test('the form’s request goes to Envoy', async () => {
  const wanted = { method: 'PUT', path: '/x?y', headers: [['x-a', '1']], body: 'é' }
  const { text } = await send(own(), wanted)
  expect(JSON.parse(text)).toMatchObject({ status: 200, body: '["PUT","/x?y","1","é"]' })
})

test.for([
  ['a header that no request can have', { headers: [['x a', '1']] }],
  ['a line break', { headers: [['x-a', '1\r\nhost: evil']] }],
  ['a path with a space', { path: '/a b' }],
] as const)('the form’s request can’t be sent: %s', async ([, wanted]) => {
  const { status, text } = await send(own(), wanted)
  expect(status).toBe(200)
  expect(JSON.parse(text)).toEqual({ error: expect.any(String) as string })
})

test('what does not come from the page sends nothing', async () => {
  const json = ['content-type', 'application/json']
  expect((await send(json, {})).status).toBe(403)
  expect((await send([...json, 'origin', 'http://evil.example'], {})).status).toBe(403)
  expect((await send([...json, 'origin', 'null'], {})).status).toBe(403)
  expect((await send(['content-type', 'text/plain', 'origin', page.url.slice(0, -1)], {})).status).toBe(403)
  expect((await ask(`${page.url}send`)).status).toBe(404)
})

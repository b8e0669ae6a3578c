import { createServer as createHttp, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect, createServer } from 'node:net'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { CliFolder } from '../testing.ts'
import type { RequestEvent } from './events.ts'
import { ask, MARK, markProject, Running } from './testing.ts'

const TCP = `import { Action, StreamContext } from '@meshscript/sdk'

export class Shout extends StreamContext {
  onDownstreamData(size: u32, end: bool): Action {
    if (size) this.downstreamData.replace('HELLO')
    return Action.Continue
  }
}
`

let folder: CliFolder
beforeAll(async () => {
  folder = markProject()
  folder.write('other/assembly/index.ts', MARK.replaceAll("'x-mark'", "'x-other'").replaceAll("'x-seen'", "'x-other'"))
  folder.write('config.json', '{ "mark": "a" }')
  expect((await folder.run('build mark -o mark.wasm')).code).toBe(0)
  expect((await folder.run('build other -o other.wasm')).code).toBe(0)
})
afterAll(() => folder.remove())

let running: Running
const start = (options: ConstructorParameters<typeof Running>[0] | object = {}) => {
  running = new Running({
    cwd: folder.path,
    paths: ['mark.wasm'],
    configurations: ['config.json'],
    watch: false,
    ...options,
  })
  return running.next('ready')
}
afterEach(() => running?.stop().catch(() => {}))

/** Header lines of a name. */
const of = (headers: RequestEvent['headers'], side: 'request' | 'response', position: number, name: string) =>
  headers?.[side].at(position)?.flatMap(([key, value]) => (key === name ? [value] : []))

test('an event for each request: who answered, how long it took, headers before and after the filter', async () => {
  const { url } = await start({ page: true })
  const hostile = '<img src=x onerror=alert(1)> " \' & é \u202e'
  const bytes = Buffer.from(hostile).toString('latin1')
  const { status, text } = await ask(`${url}/a?b=1`, [
    'x-secret',
    'k',
    'x-double',
    '1',
    'x-double',
    '2',
    'x-hostile',
    bytes,
  ])
  expect(status).toBe(200)
  expect(JSON.parse(text)).toMatchObject({ method: 'GET', path: '/a?b=1', headers: { 'x-seen': 'by the filter' } })

  const event = await running.next('request')
  expect(event).toMatchObject({
    id: 1,
    method: 'GET',
    path: '/a?b=1',
    authority: new URL(url).host,
    status: 200,
    answeredBy: 'upstream',
    details: 'via_upstream',
    flags: '',
    protocol: 'HTTP/1.1',
  })
  expect(event.milliseconds).toBeGreaterThan(0)
  const { toUpstream = 0, upstream = 0, toClient = 0 } = event.timing!
  expect(toUpstream + upstream + toClient).toBeLessThanOrEqual(event.milliseconds)
  const { headers } = event
  expect(headers?.request).toHaveLength(2)
  expect(of(headers, 'request', 0, 'x-secret')).toEqual(['k'])
  expect(of(headers, 'request', -1, 'x-secret')).toEqual([])
  expect(of(headers, 'request', 0, 'x-seen')).toEqual([])
  expect(of(headers, 'request', -1, 'x-seen')).toEqual(['by the filter'])
  expect(of(headers, 'request', -1, 'x-double')).toEqual(['1', '2'])
  expect(of(headers, 'request', 0, 'x-hostile')).toEqual([hostile])
  expect(of(headers, 'response', -1, 'x-mark')).toEqual([])
  expect(of(headers, 'response', 0, 'x-mark')).toEqual(['a'])
  expect(running.all('log')).toMatchObject([{ level: 'info', filter: 'mark', message: 'mark is a' }])
  expect(running.all('log')[0]!.time).toBeGreaterThanOrEqual(event.time)
  expect(running.all('log')[0]!.time).toBeLessThanOrEqual(event.time + event.milliseconds)
})

test('the filter that answers is named, and Envoy where nobody did', async () => {
  const closed = createServer()
  await new Promise<void>((resolve) => closed.listen(0, '127.0.0.1', resolve))
  const { port } = closed.address() as AddressInfo
  await new Promise((resolve) => closed.close(resolve))
  const configurations = ['mark=config.json', 'other=config.json']
  const { url, filters } = await start({
    paths: ['mark.wasm', 'other.wasm'],
    configurations,
    page: true,
    upstream: `127.0.0.1:${port}`,
  })
  expect(filters.map(({ name }) => name)).toEqual(['mark', 'other'])
  expect((await ask(`${url}/deny`)).status).toBe(403)
  expect(await running.next('request', 1)).toMatchObject({ answeredBy: 'filter', filter: 'mark', details: 'not_today' })
  expect((await ask(url)).status).toBe(503)
  const refused = await running.next('request', 2)
  expect(refused).toMatchObject({ answeredBy: 'envoy', flags: 'UF' })
  expect(refused).not.toHaveProperty('filter')
  // Between the filters there is a stage too.
  expect(of(refused.headers, 'request', 1, 'x-other')).toEqual([])
  expect(of(refused.headers, 'request', 2, 'x-other')).toEqual(['by the filter'])
  expect(running.all('log').map(({ filter }) => filter)).toEqual(['mark', 'mark', 'other'])
})

test('a trap is logged with places in the sources', async () => {
  const { url } = await start({ paths: ['mark'], configurations: [] })
  expect((await ask(`${url}/trap`)).status).toBe(503)
  await expect
    .poll(() =>
      running
        .all('envoy')
        .map(({ message }) => message)
        .join('\n'),
    )
    .toContain('unreachable')
  const trap = running.all('envoy').find(({ message }) => message.includes('backtrace'))
  const line = 1 + MARK.split('\n').findIndex((text) => text.includes("'/trap'"))
  expect(trap).toMatchObject({ level: 'error', component: 'wasm' })
  expect(trap?.message).toContain(`mark/assembly/index.ts:${line}:`)
  expect(await running.next('request')).toMatchObject({ status: 503, answeredBy: 'filter', filter: 'mark' })
})

test('an upstream of the user’s, by address and by URL', async () => {
  const server = createHttp((request: IncomingMessage, response) => void response.end(`host ${request.headers.host}`))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  try {
    const { url, upstream } = await start({ upstream: `http://127.0.0.1:${port}` })
    expect(upstream).toBe(`http://127.0.0.1:${port}`)
    expect((await ask(url, ['host', 'shop.example'])).text).toBe('host shop.example')
  } finally {
    server.closeAllConnections()
    server.close()
  }
})

test('--tcp: connections instead of requests', async () => {
  folder.write('shout/assembly/index.ts', TCP)
  const { url } = await start({ paths: ['shout'], configurations: [], tcp: true, page: true })
  const { hostname, port } = new URL(url)
  const answer = await new Promise<string>((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write('hello'))
    socket.once('error', reject)
    socket.once('data', (data) => socket.end(() => resolve(String(data))))
  })
  expect(answer).toBe('HELLO')
  expect(await running.next('connection')).toMatchObject({ id: 1, bytesIn: 5, bytesOut: 5, flags: '' })
})

test('a port that is taken is an error; without --port the next one is used', async () => {
  const taken = createServer()
  await new Promise<void>((resolve) => taken.listen(0, '127.0.0.1', resolve))
  const { port } = taken.address() as AddressInfo
  try {
    await expect(start({ port })).rejects.toMatchObject({
      code: 'RUN001',
      message: expect.stringContaining(`port ${port} is in use`),
    })
    await expect(start({ adminPort: port })).rejects.toMatchObject({ code: 'RUN001' })
  } finally {
    taken.close()
  }
  const first = await start({ port: undefined })
  const before = running
  const second = await start({ port: undefined })
  await before.stop()
  expect(Number(new URL(first.url).port)).toBeGreaterThanOrEqual(10_000)
  expect(Number(new URL(second.url).port)).toBeGreaterThan(Number(new URL(first.url).port))
})

test.for([
  ['a configuration that the filter refuses', { configurations: [] }, 'RUN004', 'Envoy refused mark: configuration:'],
  ['a configuration that is not there', { configurations: ['nothing.json'] }, 'RUN003', 'there is no such file'],
  ['a module that is not there', { paths: ['nothing.wasm'], configurations: [] }, 'RUN003', 'there is no file'],
  ['no filter', { paths: ['nothing'], configurations: [] }, 'BUILD001', 'there is no file or folder'],
  ['an upstream without a port', { upstream: 'localhost' }, 'RUN002', 'the port is missing'],
  ['an Envoy that does not start', { env: { ENVOY_PATH: '/nowhere' } }, 'RUN005', 'ENVOY_PATH is /nowhere'],
  ['which of several filters', { paths: ['mark.wasm', 'other.wasm'] }, 'RUN003', '--config mark=config.json'],
] as const)('refused at the start: %s', async ([, options, code, message]) => {
  await expect(start(options)).rejects.toMatchObject({ code, message: expect.stringContaining(message) as string })
  // Everything is ended all the same.
  expect(running.events.at(-1)).toEqual({ event: 'stopped' })
})

test('Envoy’s own end is told with its last words', async () => {
  const { admin } = await start()
  await ask(`${admin}/quitquitquit`, [], undefined, 'POST')
  await expect(running.done).rejects.toMatchObject({
    code: 'RUN007',
    message: expect.stringContaining('has ended by itself') as string,
  })
})

test('--once ends when Envoy has the filter', async () => {
  await start({ once: true })
  await running.done
  expect(running.events.map(({ event }) => event)).toEqual(['ready', 'stopped'])
})

import { appendFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import type { ConnectionEvent, RequestEvent } from './events.ts'
import { Traffic } from './traffic.ts'

let folder: string
let path: string
let events: (RequestEvent | ConnectionEvent)[]
let traffic: Traffic | undefined
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meshscript-traffic-'))
  path = join(folder, 'traffic.log')
  events = []
})
afterEach(() => {
  traffic?.close()
  rmSync(folder, { recursive: true })
})

const start = (options: object = {}, reopen = () => Promise.resolve()) =>
  (traffic = new Traffic(
    { path, tcp: false, filters: ['f'], recorded: false, ...options },
    (event) => events.push(event),
    reopen,
  ))

const line = (fields: object) =>
  `${JSON.stringify({ start: '1.5', method: 'GET', path: '/', status: 200, ...fields })}\n`

test('lines in pieces, with characters of several bytes', () => {
  const reader = start()
  reader.poll()
  const bytes = Buffer.from(line({ path: '/é' }) + line({ path: '/b' }))
  const middle = bytes.indexOf(0xc3) + 1
  appendFileSync(path, bytes.subarray(0, middle))
  reader.poll()
  expect(events).toEqual([])
  appendFileSync(path, bytes.subarray(middle))
  reader.poll()
  expect(events).toMatchObject([
    { id: 1, path: '/é', time: 1500 },
    { id: 2, path: '/b' },
  ])
})

test.for([
  ['via_upstream', 'upstream'],
  ['', 'filter'],
  ['not_today', 'filter'],
  ['wasm_fail_stream', 'filter'],
  ['no_healthy_upstream', 'envoy'],
  ['upstream_reset_before_response_started{connection_termination}', 'envoy'],
  ['route_not_found', 'envoy'],
  ['downstream_remote_disconnect', 'envoy'],
  ['http1.codec_error', 'envoy'],
  ['request_overall_timeout', 'envoy'],
])('details %j: answered by %s', ([details, answeredBy]) => {
  appendFileSync(path, line({ details }))
  start().poll()
  expect(events).toMatchObject([{ answeredBy, details }])
})

test('a long log makes way for a new one, and no line is lost', async () => {
  let reopened = 0
  const reader = start({ rotateAt: 500 }, async () => void reopened++)
  const write = (count: number, file = path) => {
    for (let i = 0; i < count; i++) appendFileSync(file, line({}))
  }
  write(20)
  reader.poll()
  expect([reopened, existsSync(path)]).toEqual([1, false])
  // Envoy has not opened the new file yet.
  write(3, `${path}.old`)
  reader.poll()
  write(2, `${path}.old`)
  write(1)
  reader.poll()
  reader.poll()
  expect(events.map(({ id }) => id)).toEqual(Array.from({ length: 26 }, (_, index) => index + 1))
  expect([reopened, existsSync(`${path}.old`)]).toEqual([1, false])
})

import { createHost, type Host } from '@meshscript/sdk/testing'
import { afterAll, beforeAll, expect, test } from 'vitest'
import wasm from './assembly/index.ts?filter'
import configuration from './config.json' with { type: 'json' }

/** What the service answers. */
let answer: { type: string; body: string | string[] }
let host: Host
beforeAll(async () => {
  host = await createHost({
    wasm,
    configuration,
    upstream: () => ({ headers: { 'content-type': answer.type }, body: answer.body }),
  })
})
afterAll(() => host?.close())

const text = async (body: string | string[], type = 'application/json') => {
  answer = { type, body }
  return (await host.request('/', { headers: { 'accept-encoding': 'gzip' } })).text
}

test.each([
  ['text', '{"card":"4111","name":"Ann"}', '{"card":"***","name":"Ann"}'],
  ['a number', '{"name":"Ann","card":4111}', '{"name":"Ann","card":"***"}'],
  ['text with a quote in it', '{"password": "a\\"b", "x": 1}', '{"password": "***", "x": 1}'],
  ['a field further in', '{"orders":[{"card" : "1"},{"card":"2"}]}', '{"orders":[{"card" : "***"},{"card":"***"}]}'],
  ['no value that looks like the name', '{"kind":"card","id":1}', '{"kind":"card","id":1}'],
])('masks %s', async (_, body, expected) => {
  expect(await text(body)).toBe(expected)
})

test('masks a body that comes in pieces', async () => {
  expect(await text(['{"ca', 'rd":"41', '11"}'])).toBe('{"card":"***"}')
})

test('leaves other content as it is', async () => {
  expect(await text('{"card":"4111"}', 'text/plain')).toBe('{"card":"4111"}')
})

test('asks the service for what it can read', async () => {
  answer = { type: 'application/json', body: '{}' }
  const response = await host.request('/', { headers: { 'accept-encoding': 'gzip' } })
  expect(response).toReachUpstream({ headers: { 'accept-encoding': null } })
})

/**
 * What a filter must never do: real Envoy ends with a segmentation fault. The Node host ends too, and says why, so
 * that a unit test finds it.
 */
import { describe, expect, test } from 'vitest'
import { Probe } from './probe/probe.ts'
import { NO_GRPC, REQUEST, RESPONSE, type Script } from './probe/script.ts'

const deny = ['reply', 403, '', '', '', NO_GRPC] as const

/** Why a host that ran the script takes no more requests; undefined if it does. */
async function ending(script: Script): Promise<string | undefined> {
  const probe = await Probe.start({}, script)
  const failure = (step: Promise<unknown>) =>
    step.then(
      () => undefined,
      (error: Error) => error.message,
    )
  await failure(probe.host.request())
  // Its end may take a moment: the request ends first.
  await failure(probe.host.advance(100))
  const reason = await failure(probe.host.request())
  await probe.host.close()
  return reason
}

describe('ends the host', () => {
  test.for<[string, Script]>([
    ['continuing the response before there is one', { request_headers: [['continue', RESPONSE]] }],
    ['closing the stream while the context is created', { create: [['close', REQUEST]] }],
    ['closing the stream in log', { log: [['close', REQUEST]] }],
    ['closing the stream in done', { done: [['close', RESPONSE]] }],
    ['a local reply in log', { log: [deny] }],
    ['a local reply in done', { done: [deny] }],
  ])('%s', async ([, script]) => {
    expect(await ending(script)).toBeDefined()
  })
})

describe('does not end the host', () => {
  test.for<[string, Script]>([
    ['a local reply while the context is created', { create: [deny] }],
    ['continuing the request while the context is created', { create: [['continue', REQUEST]] }],
    ['continuing the request in log', { log: [['continue', REQUEST]] }],
    ['continuing the request in the response', { response_headers: [['continue', REQUEST]] }],
    ['closing the request in the response', { response_headers: [['close', REQUEST]] }],
  ])('%s', async ([, script]) => {
    expect(await ending(script)).toBeUndefined()
  })
})

test('continuing a response that is not held sends its headers twice, the second ones as the body', async () => {
  const probe = await Probe.start({}, { response_headers: [['continue', RESPONSE]] })
  // Two bytes, as the content-length says, of `HTTP/1.1 200 OK`.
  const seen = probe.host.request().then(
    ({ text }) => text === 'HT',
    (error: Error) => /headers twice/.test(error.message),
  )
  expect(await seen).toBe(true)
  await probe.host.close()
})

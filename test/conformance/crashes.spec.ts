/**
 * What a filter must never do: real Envoy ends with a segmentation fault. The Node host ends too, and says why, so
 * that a unit test finds it.
 */
import { describe, expect, test } from 'vitest'
import { Probe } from './probe/probe.ts'
import { NO_GRPC, REQUEST, RESPONSE, type Script } from './probe/script.ts'

const deny = ['reply', 403, '', '', '', NO_GRPC] as const

/** Milliseconds in which a host that is going to end must have done so, on a busy machine too. */
const END = 20_000

/** Why a host that ran the script takes no more requests; undefined if it does. `within`: how long it has to end. */
async function ending(script: Script, within: number): Promise<string | undefined> {
  const probe = await Probe.start({}, script)
  const failure = (step: Promise<unknown>) =>
    step.then(
      () => undefined,
      (error: Error) => error.message,
    )
  await failure(probe.host.request())
  // Its end may take a moment: the request ends first, and others are taken until it has come.
  let reason: string | undefined
  for (let waited = 0; reason === undefined && waited < within; waited += 100) {
    await failure(probe.host.advance(100))
    reason = await failure(probe.host.request())
  }
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
    expect(await ending(script, END)).toBeDefined()
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
    expect(await ending(script, 100)).toBeUndefined()
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

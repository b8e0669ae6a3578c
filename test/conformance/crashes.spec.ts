/**
 * What a filter must never do: real Envoy ends with a segmentation fault. The Node host ends too, and says why, so
 * that a unit test finds it.
 */
import { describe, expect, test } from 'vitest'
import { Probe } from './probe/probe.ts'
import { NO_GRPC, REQUEST, RESPONSE, type Script } from './probe/script.ts'

const deny = ['reply', 403, '', '', '', NO_GRPC] as const

/** True when the host survived a request. */
async function survives(script: Script): Promise<boolean> {
  const probe = await Probe.start({}, script)
  const fails = (request: Promise<unknown>) =>
    request.then(
      () => false,
      () => true,
    )
  await fails(probe.host.request())
  // Its end may take a moment: the request ends first.
  await probe.host.advance(100)
  const ended = await fails(probe.host.request())
  await probe.host.close()
  return !ended
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
    expect(await survives(script)).toBe(false)
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
    expect(await survives(script)).toBe(true)
  })
})

test('continuing a response that is not held sends its headers twice: the second ones as the body', async () => {
  const probe = await Probe.start({}, { response_headers: [['continue', RESPONSE]] })
  expect(await probe.host.request()).toMatchObject({ status: 200, text: 'HT' })
  await probe.host.close()
})

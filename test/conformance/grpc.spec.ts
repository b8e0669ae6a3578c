/** gRPC calls and streams: abi.md 3.4. */
import { cluster } from '@meshscript/sdk/testing'
import { describe, expect, test } from 'vitest'
import { sharedProbe } from './probe/probe.ts'
import { ALL, GRPC_INITIAL, GRPC_MESSAGE, GRPC_TRAILING, type Operation, pairs, REQUEST } from './probe/script.ts'

const probe = sharedProbe({
  clusters: {
    grpc: cluster.grpc({
      'pkg.Svc/Echo': (messages, metadata) => ({
        messages,
        initialMetadata: { 'x-initial': metadata.get('x-mine') ?? 'none' },
        trailingMetadata: { 'x-trailing': '2' },
      }),
      'pkg.Svc/Fail': () => ({ status: 5, message: 'not here' }),
      'pkg.Svc/FailLate': (messages) => ({ messages, status: 9, message: 'too late' }),
      'pkg.Svc/Slow': () => ({ messages: [Buffer.from('late')], delay: 300 }),
      'pkg.Svc/Empty': () => ({ messages: [Buffer.alloc(0)] }),
    }),
    refused: cluster.refused(),
  },
})

const byName = 'grpc'
/** GrpcService {envoy_grpc: {cluster_name}}. */
const service = (name: string) =>
  Buffer.concat([Buffer.from([10, name.length + 2, 10, name.length]), Buffer.from(name)])
interface CallOptions {
  to?: string | Buffer
  metadata?: Buffer | string
  message?: string
  timeout?: number
}
const call = (
  method: string,
  { to = byName, metadata = '', message = 'ping', timeout = 1000 }: CallOptions = {},
): Operation => ['grpc_call', 'c', to, 'pkg.Svc', method, metadata, message, timeout]
const stream = (method: string, to: string | Buffer = byName): Operation => [
  'grpc_stream',
  's',
  to,
  'pkg.Svc',
  method,
  '',
]
const hold = ['return', 1] as const
const resume = [
  ['effective', '$stream'],
  ['continue', REQUEST],
] as const
const all = {
  grpc_initial_metadata: [],
  grpc_receive: [['get_buffer', GRPC_MESSAGE, 0, ALL], ['status']],
  grpc_trailing_metadata: [],
  grpc_close: [['status']],
} as const

describe('a call', () => {
  test('that succeeds: only the message', async () => {
    await probe().request({
      ...all,
      request_headers: [call('Echo'), hold],
      grpc_receive: [...all.grpc_receive, ['buffer_status', GRPC_MESSAGE], ...resume],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'grpc_call c grpc pkg.Svc Echo  ping 1000 -> 0',
      'grpc_receive c 4',
      'get_buffer 5 0 4294967295 -> 0 "ping"',
      'status -> 0 0 ""',
      'buffer_status 5 -> 0 size=4 flags=0',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })

  test('that fails: only the close', async () => {
    await probe().request({ ...all, request_headers: [call('Fail'), hold], grpc_close: [...all.grpc_close, ...resume] })
    await probe().expectLog([
      'request_headers 6 1',
      'grpc_call c grpc pkg.Svc Fail  ping 1000 -> 0',
      'grpc_close c 5',
      'status -> 0 5 "not%20here{via_upstream}"',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })

  test('of a method that is not there', async () => {
    await probe().request({ ...all, request_headers: [call('None'), hold], grpc_close: [...resume] })
    await probe().expectLog([
      'request_headers 6 1',
      'grpc_call c grpc pkg.Svc None  ping 1000 -> 0',
      'grpc_close c 12',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })

  test('with an empty message as the answer', async () => {
    await probe().request({
      ...all,
      request_headers: [call('Empty'), hold],
      grpc_receive: [...all.grpc_receive, ...resume],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'grpc_call c grpc pkg.Svc Empty  ping 1000 -> 0',
      'grpc_receive c 0',
      'get_buffer 5 0 4294967295 -> 0 null 0',
      'status -> 0 0 ""',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })

  test('with a serialized GrpcService', async () => {
    await probe().request({
      ...all,
      request_headers: [call('Echo', { to: service('grpc') }), hold],
      grpc_receive: [...all.grpc_receive, ...resume],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'grpc_call c <8 bytes> pkg.Svc Echo  ping 1000 -> 0',
      'grpc_receive c 4',
      'get_buffer 5 0 4294967295 -> 0 "ping"',
      'status -> 0 0 ""',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })

  test('sends metadata, te and content-type', async () => {
    const before = probe().host.callouts.length
    await probe().request({
      request_headers: [call('Echo', { metadata: pairs({ 'x-mine': '1' }) }), hold],
      grpc_receive: resume,
    })
    const { headers, path, method } = probe().host.callouts[before]!
    expect([method, path]).toEqual(['POST', '/pkg.Svc/Echo'])
    expect(headers.get('content-type')).toBe('application/grpc')
    expect(headers.get('te')).toBe('trailers')
    expect(headers.get('x-mine')).toBe('1')
  })

  test('that times out: UNAVAILABLE', async () => {
    await probe().request({
      ...all,
      request_headers: [call('Slow', { timeout: 50 }), hold],
      grpc_close: [...all.grpc_close, ...resume],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'grpc_call c grpc pkg.Svc Slow  ping 50 -> 0',
      'grpc_close c 14',
      'status -> 0 14 "upstream request timeout{response_timeout}"',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })

  test('to a service that refuses connections', async () => {
    await probe().request({ ...all, request_headers: [call('Echo', { to: 'refused' }), hold], grpc_close: resume })
    await probe().expectLog([
      'request_headers 6 1',
      'grpc_call c refused pkg.Svc Echo  ping 1000 -> 0',
      'grpc_close c 14',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })

  test('to an unknown cluster by name', async () => {
    await probe().request({ ...all, request_headers: [call('Echo', { to: 'nowhere' })] })
    await probe().expectLog(['request_headers 6 1', 'grpc_call c nowhere pkg.Svc Echo  ping 1000 -> 4'])
  })

  test('to an unknown cluster by proto: fails, and is closed all the same, under an id that the filter never got', async () => {
    await probe().request({ ...all, request_headers: [call('Echo', { to: service('nowhere') })], grpc_close: [] })
    await probe().expectLog([
      'request_headers 6 1',
      'grpc_call c <11 bytes> pkg.Svc Echo  ping 1000 -> 10',
      'grpc_close ? 14',
    ])
  })

  test('cancelled is silent', async () => {
    await probe().request({ ...all, request_headers: [call('Slow'), ['grpc_cancel', '$c'], ['grpc_cancel', '$c']] })
    await probe().host.advance(400)
    await probe().expectLog([
      'request_headers 6 1',
      'grpc_call c grpc pkg.Svc Slow  ping 1000 -> 0',
      'grpc_cancel $c -> 0',
      'grpc_cancel $c -> 1',
    ])
  })

  test('cannot be sent to or closed as a stream', async () => {
    await probe().request({
      ...all,
      request_headers: [call('Slow'), ['grpc_send', '$c', 'x', 0], ['grpc_close', '$c'], ['grpc_cancel', '$c']],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'grpc_call c grpc pkg.Svc Slow  ping 1000 -> 0',
      'grpc_send $c x 0 -> 2',
      'grpc_close $c -> 0',
      'grpc_cancel $c -> 1',
    ])
  })

  test('ids', async () => {
    await probe().request({
      request_headers: [
        call('Slow'),
        ['id_kind', '$c'],
        ['grpc_call', 'next', byName, 'pkg.Svc', 'Slow', '', '', 1000],
        ['id_step', '$c', '$next'],
        ['grpc_cancel', '$next'],
        stream('Slow'),
        ['id_kind', '$s'],
        ['grpc_cancel', '$c'],
        ['grpc_cancel', '$s'],
        ['grpc_cancel', 9999],
        ['grpc_close', 9998],
        ['grpc_send', 9998, 'x', 0],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'grpc_call c grpc pkg.Svc Slow  ping 1000 -> 0',
      'id_kind $c -> 1',
      'grpc_call next grpc pkg.Svc Slow   1000 -> 0',
      'id_step $c $next -> 4',
      'grpc_cancel $next -> 0',
      'grpc_stream s grpc pkg.Svc Slow  -> 0',
      'id_kind $s -> 2',
      'grpc_cancel $c -> 0',
      'grpc_cancel $s -> 0',
      'grpc_cancel 9999 -> 2',
      'grpc_close 9998 -> 1',
      'grpc_send 9998 x 0 -> 1',
    ])
  })
})

describe('a stream', () => {
  test('initial metadata, messages, trailing metadata, close', async () => {
    await probe().request({
      ...all,
      request_headers: [stream('Echo'), ['grpc_send', '$s', 'one', 0], ['grpc_send', '$s', 'two', 1], hold],
      grpc_initial_metadata: [
        ['get', GRPC_INITIAL, ':status'],
        ['get', GRPC_INITIAL, 'content-type'],
        ['get', GRPC_INITIAL, 'x-initial'],
        ['get', GRPC_TRAILING, 'x-trailing'],
      ],
      grpc_trailing_metadata: [
        ['get', GRPC_TRAILING, 'grpc-status'],
        ['get', GRPC_TRAILING, 'x-trailing'],
      ],
      grpc_close: [...all.grpc_close, ...resume],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'grpc_stream s grpc pkg.Svc Echo  -> 0',
      'grpc_send $s one 0 -> 0',
      'grpc_send $s two 1 -> 0',
      'grpc_initial_metadata s 4',
      'get 4 :status -> 0 "200"',
      'get 4 content-type -> 0 "application/grpc"',
      'get 4 x-initial -> 0 "none"',
      'get 5 x-trailing -> 2',
      'grpc_receive s 3',
      'get_buffer 5 0 4294967295 -> 0 "one"',
      'status -> 0 0 ""',
      'grpc_receive s 3',
      'get_buffer 5 0 4294967295 -> 0 "two"',
      'status -> 0 0 ""',
      'grpc_trailing_metadata s 2',
      'get 5 grpc-status -> 0 "0"',
      'get 5 x-trailing -> 0 "2"',
      'grpc_close s 0',
      'status -> 0 0 "via_upstream"',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })

  test('that fails at once: empty initial metadata, all headers in the trailing ones', async () => {
    await probe().request({
      ...all,
      request_headers: [stream('Fail'), ['grpc_send', '$s', 'one', 1], hold],
      grpc_initial_metadata: [['pairs', GRPC_INITIAL]],
      grpc_trailing_metadata: [
        ['get', GRPC_TRAILING, ':status'],
        ['get', GRPC_TRAILING, 'grpc-status'],
        ['get', GRPC_TRAILING, 'grpc-message'],
      ],
      grpc_close: [...all.grpc_close, ...resume],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'grpc_stream s grpc pkg.Svc Fail  -> 0',
      'grpc_send $s one 1 -> 0',
      'grpc_initial_metadata s 0',
      'pairs 4 -> 0 null',
      'grpc_trailing_metadata s 5',
      'get 5 :status -> 0 "200"',
      'get 5 grpc-status -> 0 "5"',
      'get 5 grpc-message -> 0 "not%20here"',
      'grpc_close s 5',
      'status -> 0 5 "not%20here{via_upstream}"',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })

  test('that fails after messages', async () => {
    await probe().request({
      ...all,
      request_headers: [stream('FailLate'), ['grpc_send', '$s', 'one', 1], hold],
      grpc_close: [...all.grpc_close, ...resume],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'grpc_stream s grpc pkg.Svc FailLate  -> 0',
      'grpc_send $s one 1 -> 0',
      'grpc_initial_metadata s 3',
      'grpc_receive s 3',
      'get_buffer 5 0 4294967295 -> 0 "one"',
      'status -> 0 0 ""',
      'grpc_trailing_metadata s 2',
      'grpc_close s 9',
      'status -> 0 9 "too%20late{via_upstream}"',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })

  test('closed by the filter is half closed: what the remote sends still comes', async () => {
    await probe().request({
      ...all,
      request_headers: [
        stream('Echo'),
        ['grpc_send', '$s', 'one', 0],
        ['grpc_close', '$s'],
        ['grpc_send', '$s', 'late', 0],
        ['grpc_close', '$s'],
        hold,
      ],
      grpc_close: [...all.grpc_close, ...resume],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'grpc_stream s grpc pkg.Svc Echo  -> 0',
      'grpc_send $s one 0 -> 0',
      'grpc_close $s -> 0',
      'grpc_send $s late 0 -> 0',
      'grpc_close $s -> 0',
      'grpc_initial_metadata s 4',
      'grpc_receive s 3',
      'get_buffer 5 0 4294967295 -> 0 "one"',
      'status -> 0 0 ""',
      'grpc_trailing_metadata s 2',
      'grpc_close s 0',
      'status -> 0 0 "via_upstream"',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })

  test('cancelled is silent', async () => {
    await probe().request({
      ...all,
      request_headers: [
        stream('Slow'),
        ['grpc_send', '$s', 'one', 1],
        ['grpc_cancel', '$s'],
        ['grpc_cancel', '$s'],
        ['grpc_send', '$s', 'x', 0],
      ],
    })
    await probe().host.advance(400)
    await probe().expectLog([
      'request_headers 6 1',
      'grpc_stream s grpc pkg.Svc Slow  -> 0',
      'grpc_send $s one 1 -> 0',
      'grpc_cancel $s -> 0',
      'grpc_cancel $s -> 1',
      'grpc_send $s x 0 -> 1',
    ])
  })

  test('to an unknown cluster by name', async () => {
    await probe().request({ ...all, request_headers: [stream('Echo', 'nowhere')] })
    await probe().expectLog(['request_headers 6 1', 'grpc_stream s nowhere pkg.Svc Echo  -> 4'])
  })

  test('to an unknown cluster by proto', async () => {
    await probe().request({ ...all, request_headers: [stream('Echo', service('nowhere'))] })
    await probe().expectLog([
      'request_headers 6 1',
      'grpc_stream s <11 bytes> pkg.Svc Echo  -> 10',
      'grpc_close ? 14',
      'status -> 0 14 "Cluster not available"',
    ])
  })

  test('to a service that refuses connections', async () => {
    await probe().request({
      ...all,
      request_headers: [stream('Echo', 'refused'), hold],
      grpc_close: resume,
      grpc_trailing_metadata: [['get', GRPC_TRAILING, 'grpc-status']],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'grpc_stream s refused pkg.Svc Echo  -> 0',
      'grpc_initial_metadata s 0',
      'grpc_trailing_metadata s 4',
      'get 5 grpc-status -> 0 "14"',
      'grpc_close s 14',
      'effective $stream -> 0',
      'continue 0 -> 0',
    ])
  })
})

/** Foreign functions of Envoy: abi.md 3.8. */
import { createSign, generateKeyPairSync, sign as signBytes } from 'node:crypto'
import { deflateSync, inflateSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { sharedProbe } from './probe/probe.ts'
import { path } from './probe/script.ts'
import { has } from '../matrix/facts.ts'

const probe = sharedProbe()

/** Fields of a protobuf message: bytes and text as such, numbers as varints. */
function message(fields: Record<number, string | Buffer | number>): Buffer {
  return Buffer.concat(
    Object.entries(fields).map(([number, value]) => {
      if (typeof value === 'number') return Buffer.concat([varint(Number(number) << 3), varint(value)])
      const bytes = Buffer.from(value as string)
      return Buffer.concat([varint((Number(number) << 3) | 2), varint(bytes.length), bytes])
    }),
  )
}

function varint(value: number): Buffer {
  const bytes: number[] = []
  for (; value > 127; value >>>= 7) bytes.push((value & 127) | 128)
  return Buffer.from([...bytes, value])
}

const call = (name: string, argument: string | Buffer = '') => ['foreign', name, argument] as const

test('an unknown function is not found', async () => {
  await probe().request({ request_headers: [call('nonsense', 'x')] })
  await probe().expectLog(['request_headers 6 1', 'foreign nonsense x -> 1'])
})

describe('compress and uncompress', () => {
  test('there and back', async () => {
    const text = 'hello '.repeat(500)
    await probe().request({ request_headers: [['foreign_round_trip', 'compress', 'uncompress', text]] })
    await probe().expectLog([
      `request_headers 6 1`,
      `foreign_round_trip compress uncompress <3000 bytes> -> 0 "${text}"`,
    ])
  })

  test('the format is zlib’s', async () => {
    expect(inflateSync(deflateSync('hi')).toString()).toBe('hi')
    await probe().request({ request_headers: [call('uncompress', deflateSync('hello'))] })
    expect(probe().log.at(-1)).toMatch(/-> 0 "hello"$/)
  })

  test('nothing, and garbage', async () => {
    await probe().request({
      request_headers: [
        call('uncompress', ''),
        call('uncompress', 'garbage'),
        ['foreign_round_trip', 'compress', 'uncompress', ''],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'foreign uncompress  -> 3 and wrote 0',
      'foreign uncompress garbage -> 3 and wrote 0',
      'foreign_round_trip compress uncompress  -> 0 ""',
    ])
  })
})

describe('expressions', () => {
  test('evaluate over the stream', async () => {
    await probe().request(
      {
        request_headers: [
          ['foreign_id', 'e', 'expr_create', 'request.method + " " + request.path'],
          ['foreign_by_id', 'expr_evaluate', '$e'],
          ['foreign_id', 'b', 'expr_create', 'request.headers["x-user"] == "bob"'],
          ['foreign_by_id', 'expr_evaluate', '$b'],
          ['foreign_id', 'n', 'expr_create', 'size(request.path) + 1'],
          ['foreign_by_id', 'expr_evaluate', '$n'],
          ['foreign_id', 'l', 'expr_create', '[request.path, request.method]'],
          ['foreign_by_id', 'expr_evaluate', '$l'],
        ],
      },
      { path: '/p', headers: { 'x-user': 'bob' } },
    )
    await probe().expectLog([
      'request_headers 7 1',
      'foreign_id e expr_create request.method + " " + request.path -> 0',
      'foreign_by_id expr_evaluate $e -> 0 "GET /p"',
      'foreign_id b expr_create request.headers["x-user"] == "bob" -> 0',
      'foreign_by_id expr_evaluate $b -> 0 "\\x01"',
      'foreign_id n expr_create size(request.path) + 1 -> 0',
      'foreign_by_id expr_evaluate $n -> 0 "\\x03\\x00\\x00\\x00\\x00\\x00\\x00\\x00"',
      'foreign_id l expr_create [request.path, request.method] -> 0',
      'foreign_by_id expr_evaluate $l -> 0 "\\x02\\x00\\x00\\x00\\x02\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x03\\x00\\x00\\x00\\x00\\x00\\x00\\x00/p\\x00\\x00GET\\x00\\x00"',
    ])
  })

  test('are gone once deleted; deleting twice is no error', async () => {
    await probe().request({
      request_headers: [
        ['foreign_id', 'e', 'expr_create', '1 + 1'],
        ['foreign_by_id', 'expr_delete', '$e'],
        ['foreign_by_id', 'expr_delete', '$e'],
        ['foreign_by_id', 'expr_evaluate', '$e'],
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'foreign_id e expr_create 1 + 1 -> 0',
      'foreign_by_id expr_delete $e -> 0 null 0',
      'foreign_by_id expr_delete $e -> 0 null 0',
      'foreign_by_id expr_evaluate $e -> 1 and wrote 0',
    ])
  })

  test('that do not parse, that have no value, and arguments of the wrong size', async () => {
    await probe().request({
      request_headers: [
        ['foreign_id', 'e', 'expr_create', 'request.('],
        ['foreign_id', 'm', 'expr_create', 'request.headers["missing"]'],
        ['foreign_by_id', 'expr_evaluate', '$m'],
        call('expr_evaluate', 'xyz'),
        call('expr_delete', 'xyz'),
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'foreign_id e expr_create request.( -> 2',
      'foreign_id m expr_create request.headers["missing"] -> 0',
      'foreign_by_id expr_evaluate $m -> 10 and wrote 0',
      'foreign expr_evaluate xyz -> 2 and wrote 0',
      'foreign expr_delete xyz -> 2 and wrote 0',
    ])
  })
})

describe('set_envoy_filter_state', () => {
  test('for keys that have a factory', async () => {
    await probe().request({
      request_headers: [
        call('set_envoy_filter_state', message({ 1: 'envoy.tcp_proxy.cluster', 2: 'x' })),
        call('set_envoy_filter_state', message({ 1: 'envoy.network.upstream_server_name', 2: 'x', 3: 1 })),
        call('set_envoy_filter_state', message({ 1: 'my.own', 2: 'x' })),
        call('set_envoy_filter_state', Buffer.from([255])),
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'foreign set_envoy_filter_state <28 bytes> -> 0 null 0',
      'foreign set_envoy_filter_state <41 bytes> -> 0 null 0',
      'foreign set_envoy_filter_state <11 bytes> -> 1 and wrote 0',
      'foreign set_envoy_filter_state <1 bytes> -> 2 and wrote 0',
    ])
  })
})

describe('declare_property', () => {
  test('and then set and get it', async () => {
    await probe().request({
      request_headers: [
        call('declare_property', message({ 1: 'declared', 3: 1 })),
        ['set_property', 'declared', 'v'],
        ['property', 'declared'],
        call('declare_property', message({ 1: 'declared', 3: 1 })),
        call('declare_property', message({ 1: 'fixed', 2: 1, 3: 1 })),
        ['set_property', 'fixed', 'v'],
        ['set_property', 'fixed', 'w'],
        ['property', 'fixed'],
        call('declare_property', Buffer.from([255])),
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'foreign declare_property <12 bytes> -> 0 null 0',
      'set_property declared v -> 0',
      'property declared -> 0 "v"',
      'foreign declare_property <12 bytes> -> 2 and wrote 0',
      'foreign declare_property <11 bytes> -> 0 null 0',
      'set_property fixed v -> 0',
      'set_property fixed w -> 0',
      'property fixed -> 0 "w"',
      'foreign declare_property <1 bytes> -> 2 and wrote 0',
    ])
  })
})

test('what a root context declares read-only is set once', async () => {
  await probe().request({
    configure: [['~foreign', 'declare_property', message({ 1: 'once', 2: 1, 3: 1 })]],
    request_headers: [
      ['set_property', 'once', 'v'],
      ['set_property', 'once', 'w'],
      ['property', 'once'],
    ],
  })
  await probe().expectLog([
    'request_headers 6 1',
    'set_property once v -> 0',
    'set_property once w -> 2',
    'property once -> 0 "v"',
  ])
})

describe('signatures', () => {
  const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const text = 'signed text'
  const der = publicKey.export({ type: 'spki', format: 'der' })
  const pem = publicKey.export({ type: 'spki', format: 'pem' }) as string
  const signature = createSign('sha256').update(text).sign(privateKey)

  test('are verified, with a key in DER or PEM', async () => {
    await probe().request({
      request_headers: [
        call('verify_signature', message({ 1: 'sha256', 2: der, 3: signature, 4: text })),
        call('verify_signature', message({ 1: 'sha256', 3: signature, 4: text, 5: pem })),
        call('verify_signature', message({ 1: 'sha256', 2: der, 3: signature, 4: 'other' })),
        call('verify_signature', message({ 1: 'md4', 2: der, 3: signature, 4: text })),
        call('verify_signature', message({ 1: 'sha256', 2: 'no key', 3: signature, 4: text })),
        call('verify_signature', Buffer.from([255])),
      ],
    })
    await probe().expectLog([
      'request_headers 6 1',
      'foreign verify_signature <577 bytes> -> 0 "\\x08\\x01"',
      has('pemKeys')
        ? 'foreign verify_signature <734 bytes> -> 0 "\\x08\\x01"'
        : 'foreign verify_signature <734 bytes> -> 0 "\\x12#Failed to initialize digest verify."',
      'foreign verify_signature <571 bytes> -> 0 "\\x12&Failed to verify digest. Error code: 0"',
      'foreign verify_signature <574 bytes> -> 0 "\\x12\\x15md4 is not supported."',
      'foreign verify_signature <288 bytes> -> 0 "\\x12#Failed to initialize digest verify."',
      'foreign verify_signature <1 bytes> -> 2 and wrote 0',
    ])
  })

  test('are made', async () => {
    const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' })
    await probe().request({
      request_headers: [
        call('sign', message({ 1: 'sha256', 2: pkcs8, 3: text })),
        call('sign', message({ 1: 'sha256', 2: 'no key', 3: text })),
      ],
    })
    const [, made, failed] = probe().log
    if (!has('sign')) return expect([made, failed].map((line) => line?.slice(-5))).toEqual([' -> 1', ' -> 1'])
    // {1: true, 2: signature of 256 bytes}
    expect(made).toContain('-> 0 "\\x08\\x01\\x12\\x80\\x02')
    const shown = [...signBytes('sha256', Buffer.from(text), privateKey)].map((byte) =>
      byte >= 0x20 && byte < 0x7f && byte !== 0x5c
        ? String.fromCharCode(byte)
        : `\\x${byte.toString(16).padStart(2, '0')}`,
    )
    expect(made).toContain(shown.join(''))
    expect(failed).toContain('-> 0 "\\x1a=Invalid key type: private key required for signing operation."')
  })
})

test('clear_route_cache', async () => {
  await probe().request({ request_headers: [call('clear_route_cache'), ['property', path('xds', 'route_name')]] })
  await probe().expectLog([
    'request_headers 6 1',
    'foreign clear_route_cache  -> 0 null 0',
    'property xds.route_name -> 0 null 0',
  ])
})

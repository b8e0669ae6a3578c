/** HTTP/2 requests that no client library sends, as frames: what Envoy's codec must refuse. */

import { connect } from 'node:net'

export interface FrameAttack {
  name: string
  /** In this order, pseudo-headers too; Latin-1. */
  headers: readonly (readonly [string, string])[]
}

const good = [
  [':method', 'GET'],
  [':scheme', 'http'],
  [':path', '/admin'],
  [':authority', 'example.com'],
] as const
const without = (name: string) => good.filter(([key]) => key !== name)
const instead = (name: string, value: string) => good.map(([key, old]) => [key, key === name ? value : old] as const)

export const frameAttacks: readonly FrameAttack[] = [
  // No attack: shows that the frames are as they should be.
  { name: 'good', headers: good },
  { name: 'two :path', headers: [...good, [':path', '/public']] },
  { name: 'two :method', headers: [...good, [':method', 'POST']] },
  { name: 'two :authority', headers: [...good, [':authority', 'admin.com']] },
  { name: 'no :path', headers: without(':path') },
  { name: 'no :method', headers: without(':method') },
  { name: 'empty :method', headers: instead(':method', '') },
  { name: 'empty :path', headers: instead(':path', '') },
  { name: ':path with a space', headers: instead(':path', '/public HTTP/1.1') },
  { name: ':path with a line feed', headers: instead(':path', '/public\nx-role: user') },
  { name: ':path with NUL', headers: instead(':path', '/admin\0') },
  { name: 'unknown pseudo-header', headers: [...good, [':role', 'user']] },
  { name: 'pseudo-header after a header', headers: [...without(':path'), ['x-role', 'user'], [':path', '/public']] },
  { name: 'name in capitals', headers: [...good, ['X-Role', 'user']] },
  { name: 'name with a colon', headers: [...good, ['x-role:', 'user']] },
  { name: 'name with a space', headers: [...good, ['x-role ', 'user']] },
  { name: 'empty name', headers: [...good, ['', 'user']] },
  { name: 'value with a line feed', headers: [...good, ['x-other', 'a\nx-role: user']] },
  { name: 'value with a carriage return', headers: [...good, ['x-role', 'user\r']] },
  { name: 'value with NUL', headers: [...good, ['x-role', 'user\0']] },
  { name: 'Connection', headers: [...good, ['connection', 'x-role']] },
  { name: 'Transfer-Encoding', headers: [...good, ['transfer-encoding', 'chunked']] },
]

/** `refused`: the stream or the connection is reset, or the answer is 400. Otherwise the answer's first header byte. */
export function sendFrames(port: number, { headers }: FrameAttack): Promise<'refused' | number> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1' })
    const settle = (outcome: 'refused' | number) => {
      clearTimeout(timer)
      socket.destroy()
      resolve(outcome)
    }
    const timer = setTimeout(() => {
      socket.destroy()
      reject(new Error('no answer in time'))
    }, 5000)
    let received = Buffer.alloc(0)
    socket.on('error', () => {})
    socket.on('close', () => settle('refused'))
    socket.on('data', (data: Buffer) => {
      received = Buffer.concat([received, data])
      while (received.length >= 9) {
        const length = received.readUIntBE(0, 3)
        if (received.length < 9 + length) return
        const type = received[3]!
        const payload = received.subarray(9, 9 + length)
        received = received.subarray(9 + length)
        if (type === RST_STREAM || type === GOAWAY) settle('refused')
        if (type === HEADERS) settle(payload[0] === STATUS_400 ? 'refused' : payload[0]!)
      }
    })
    const block = Buffer.concat(headers.map(([name, value]) => Buffer.concat([LITERAL, text(name), text(value)])))
    socket.write(
      Buffer.concat([
        Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
        frame(SETTINGS, 0, 0, Buffer.alloc(0)),
        frame(HEADERS, END_STREAM | END_HEADERS, 1, block),
      ]),
    )
  })
}

const [HEADERS, RST_STREAM, SETTINGS, GOAWAY] = [1, 3, 4, 7]
const [END_STREAM, END_HEADERS] = [1, 4]
/** HPACK: the entry `:status 400` of its static table. */
const STATUS_400 = 0x80 | 12
/** HPACK: a header that is not put into the table, its name a text. */
const LITERAL = Buffer.from([0])

/** HPACK: a short text, not compressed. */
function text(value: string): Buffer {
  if (value.length > 126) throw new Error('too long')
  return Buffer.concat([Buffer.from([value.length]), Buffer.from(value, 'latin1')])
}

function frame(type: number, flags: number, stream: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9)
  head.writeUIntBE(payload.length, 0, 3)
  head[3] = type
  head[4] = flags
  head.writeUInt32BE(stream, 5)
  return Buffer.concat([head, payload])
}

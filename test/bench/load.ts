/** A plain HTTP/1.1 load generator: some connections, one request at a time on each, always the same bytes. */

import { connect } from 'node:net'

export interface Load {
  port: number
  requests: number
  /** Default 4. */
  connections?: number
  /** The request; default a GET with a `x-user` header. */
  request?: string
  /** What the last bytes of every response are; default `ok`. */
  end?: string
  /** Responses must begin with this; default `HTTP/1.1 200`. */
  begin?: string
}

export const DEFAULT_REQUEST =
  'GET /hello?a=1 HTTP/1.1\r\nhost: localhost\r\nuser-agent: bench\r\naccept: */*\r\nx-user: bob\r\n\r\n'

/** Sends the requests; resolves when all are answered. Rejects on any answer that is not as expected. */
export async function generateLoad(load: Load): Promise<void> {
  const { connections = 4 } = load
  let left = load.requests
  await Promise.all(Array.from({ length: connections }, () => runConnection(load, () => left-- > 0)))
}

function runConnection(load: Load, more: () => boolean): Promise<void> {
  const { port, request = DEFAULT_REQUEST, end = 'ok', begin = 'HTTP/1.1 200' } = load
  const bytes = Buffer.from(request, 'latin1')
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1')
    let answer = ''
    const next = (): void => {
      answer = ''
      if (more()) socket.write(bytes)
      else socket.end()
    }
    socket.on('connect', next)
    socket.on('data', (chunk: string) => {
      answer += chunk
      if (!answer.includes('\r\n\r\n')) return
      if (!answer.startsWith(begin)) {
        socket.destroy()
        reject(new Error(`unexpected answer: ${answer.slice(0, 300)}`))
      } else if (answer.endsWith(end)) next()
    })
    socket.on('error', reject)
    socket.on('close', () =>
      answer ? reject(new Error(`closed in the middle of: ${answer.slice(0, 300)}`)) : resolve(),
    )
  })
}

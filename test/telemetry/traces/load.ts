/** Requests at a steady rate, whose times are taken. */
import { connect } from 'node:net'

export interface Load {
  /** Requests that were answered with 200. */
  requests: number
  /** Answers that were anything else. */
  failures: number
  /** Milliseconds from the request to the whole answer. */
  median: number
  p99: number
}

/** Connections at once. */
const CONNECTIONS = 4
/** Milliseconds from one request of a connection to its next one. */
const PERIOD = 4
const REQUEST = 'GET /cart HTTP/1.1\r\nhost: cart.shop\r\nuser-agent: load\r\n\r\n'

/** Sends requests until `over` settles. The answers must have the body `ok`. */
export async function load(port: number, over: Promise<unknown>): Promise<Load> {
  let isOver = false
  void over.finally(() => (isOver = true))
  const times: number[] = []
  let failures = 0
  const one = () =>
    new Promise<void>((resolve, reject) => {
      const socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1')
      let answer = ''
      let began = 0
      const ask = () => {
        if (isOver) return void socket.end()
        answer = ''
        began = performance.now()
        socket.write(REQUEST)
      }
      socket.on('connect', ask)
      socket.on('data', (chunk: string) => {
        answer += chunk
        if (!answer.endsWith('\r\n\r\nok')) return
        times.push(performance.now() - began)
        if (!answer.startsWith('HTTP/1.1 200 ')) failures++
        setTimeout(ask, Math.max(0, PERIOD - (performance.now() - began)))
      })
      socket.on('error', reject)
      socket.on('close', () => resolve())
    })
  await Promise.all(Array.from({ length: CONNECTIONS }, one))
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.min(times.length - 1, Math.floor(share * times.length))] ?? NaN
  return { requests: times.length - failures, failures, median: at(0.5), p99: at(0.99) }
}

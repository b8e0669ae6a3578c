// A thread that sends requests, one after the other with a pause between them, and tells how long each took, in milliseconds.

import { connect } from 'node:net'
import { parentPort, workerData } from 'node:worker_threads'

const { port, pause } = workerData
const REQUEST = 'GET /other HTTP/1.1\r\nhost: localhost\r\n\r\n'
const took = []
let isOver = false
let begin = 0
let answer = ''

const socket = connect(port, '127.0.0.1').setNoDelay(true).setEncoding('latin1')
const send = () => {
  if (isOver) return socket.end()
  answer = ''
  begin = performance.now()
  socket.write(REQUEST)
}
socket.on('connect', send)
socket.on('data', (chunk) => {
  answer += chunk
  if (!answer.endsWith('\r\n\r\nok')) return
  if (!answer.startsWith('HTTP/1.1 200')) throw new Error(`unexpected answer: ${answer}`)
  took.push(performance.now() - begin)
  setTimeout(send, pause)
})
socket.on('close', () => {
  parentPort.postMessage(took)
  parentPort.close()
})
parentPort.on('message', () => (isOver = true))

/** A TCP client. */
import type { Socket } from 'node:net'
import type { ClientConnection } from '../../types.ts'

const READ_TIMEOUT = 5000

/** `settle`: waits until Envoy has handled what was sent. */
export function clientConnection(socket: Socket, settle: () => Promise<void>): ClientConnection {
  const chunks: Buffer[] = []
  let length = 0
  let closed = false
  let wake: () => void = () => {}
  const whenClosed = new Promise<void>((resolve) => {
    const close = () => {
      closed = true
      wake()
      resolve()
    }
    socket.on('end', close)
    socket.on('close', close)
  })
  socket.on('data', (chunk: Buffer) => {
    chunks.push(chunk)
    length += chunk.length
    wake()
  })
  return {
    async write(data) {
      if (!socket.destroyed) await new Promise<void>((resolve) => socket.write(data, () => resolve()))
      // Its own packet, and time for the filters to see it.
      await settle()
    },
    async read(min = 1) {
      const end = Date.now() + READ_TIMEOUT
      while (length < min && !closed) {
        const left = end - Date.now()
        if (left <= 0) throw new Error(`${length} bytes came within ${READ_TIMEOUT} ms, ${min} were awaited`)
        await new Promise<void>((resolve) => {
          const timer = setTimeout(resolve, left)
          wake = () => {
            clearTimeout(timer)
            resolve()
          }
        })
      }
      return Buffer.concat(chunks)
    },
    async end() {
      socket.end()
      await settle()
    },
    get closed() {
      return closed
    },
    whenClosed: () => whenClosed,
  }
}

/** An upstream that speaks TCP. */
import { type AddressInfo, createServer, type Socket } from 'node:net'
import type { Cluster } from '../../types.ts'
import type { ClusterServer } from './record.ts'

type TcpHandler = Extract<Cluster, { kind: 'tcp' }>['handler']

export async function startTcp(handler: TcpHandler): Promise<ClusterServer> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.setNoDelay(true)
    socket.on('error', () => {})
    socket.on('close', () => sockets.delete(socket))
    socket.on('data', (data) => {
      const answer = handler(data)
      if (answer === null) return
      if (typeof answer === 'object' && 'close' in answer) return void socket.destroy()
      socket.write(answer)
    })
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    protocol: 'http1',
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        for (const socket of sockets) socket.destroy()
      }),
  }
}

/** Ports for programs that must be told theirs. One that can choose by itself, with 0, needs none of this. */
import { createServer, type Server } from 'node:net'

/** Below all that systems give to connections: such a port could be taken between now and when the program begins. */
const FIRST = 20_000
const LAST = 27_999
/** Test files that run at the same time choose among different ones: this is more than there are of them. */
const FILES = 32

/** Ports of 127.0.0.1 that nobody has, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const servers: Server[] = []
  const ports: number[] = []
  const own = Number(process.env['VITEST_POOL_ID'] ?? 0) % FILES
  while (ports.length < count) {
    const port = FIRST + own + FILES * Math.floor(Math.random() * ((LAST - FIRST) / FILES))
    const server = await listen(port)
    if (!server) continue
    servers.push(server)
    ports.push(port)
  }
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))))
  return ports
}

/** Undefined when somebody has it. */
function listen(port: number): Promise<Server | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) =>
      error.code === 'EADDRINUSE' ? resolve(undefined) : reject(error),
    )
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

/** Ports of this machine. */

import { createServer } from 'node:net'
import { UserError } from '../errors.ts'

const DEFAULT = 10_000
const TRIES = 100

/** The port that was asked for, which has to be free, or else the first free one from 10000 on. */
export async function listenerPort(wanted: number | undefined): Promise<number> {
  if (wanted === 0) return 0
  if (wanted !== undefined) return checkPort('--port', wanted)
  for (let port = DEFAULT; port < DEFAULT + TRIES; port++) if ((await tryPort(port)) === undefined) return port
  throw new UserError(`ports ${DEFAULT} to ${DEFAULT + TRIES - 1} are all in use; name another by --port`, 'RUN001')
}

export async function checkPort(option: string, port: number): Promise<number> {
  const code = await tryPort(port)
  if (code === undefined) return port
  const reason = code === 'EADDRINUSE' ? 'is in use' : code === 'EACCES' ? 'needs root' : `can't be used (${code})`
  throw new UserError(`port ${port} ${reason}; name another by ${option}`, 'RUN001')
}

/** Undefined when it is free, else the system's code. Envoy would share a port with other Envoys, so it is not asked. */
function tryPort(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'unknown'))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(undefined)))
  })
}

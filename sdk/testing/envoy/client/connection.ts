/** A client's connection to Envoy. */
import { connect as connectTcp, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { authorityCertificate, issueCertificate } from '../certificates.ts'

export interface ConnectionOptions {
  port: number
  /** Default 127.0.0.1. */
  host?: string
  /** The client's own address. */
  source?: string
  /** Identities in the client certificate; an empty list is a client without one. Undefined: plaintext. */
  peer?: readonly string[]
  sni?: string
  /** Protocols that are offered in the TLS hello. */
  alpn?: readonly string[]
}

export interface Connection {
  socket: Socket
  /** The client's end as Envoy's access log has it. */
  address: string
}

/** What Istio's proxies offer among themselves, by what is spoken inside. */
export const ALPN = {
  http1: ['istio-http/1.1', 'istio', 'http/1.1'],
  http2: ['istio-h2', 'istio', 'h2'],
  tcp: ['istio'],
} as const

/** TLS was refused by either side. */
export class TlsError extends Error {
  override name = 'TlsError'
}

/** Opens a connection. Rejects with a `TlsError` when the handshake fails. */
export async function openConnection(options: ConnectionOptions): Promise<Connection> {
  const { port, host = '127.0.0.1', source, peer, sni, alpn } = options
  const socket = connectTcp({ port, host, ...(source !== undefined && { localAddress: source }) })
  socket.setNoDelay(true)
  await opened(socket, 'connect')
  const address = `${socket.localAddress}:${socket.localPort}`
  if (!peer) return { socket, address }

  const client = peer.length > 0 ? await issueCertificate(...peer) : undefined
  const secure = connectTls({
    socket,
    ca: await authorityCertificate(),
    ...(client && { cert: client.certificate, key: client.key }),
    ...(sni !== undefined && { servername: sni }),
    ...(alpn && { ALPNProtocols: [...alpn] }),
    // A mesh's servers are known by their SPIFFE identity, not by a host name.
    checkServerIdentity: () => undefined,
  })
  await opened(secure, 'secureConnect').catch((error: Error) => {
    throw new TlsError(error.message, { cause: error })
  })
  return { socket: secure, address }
}

function opened(socket: Socket, event: 'connect' | 'secureConnect'): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error?: Error) => reject(error ?? new Error('the connection was closed'))
    const closed = () => failed()
    socket.once('error', failed)
    socket.once('close', closed)
    socket.once(event, () => {
      socket.off('error', failed)
      socket.off('close', closed)
      // From here on a broken connection shows as `close`.
      socket.on('error', () => {})
      resolve()
    })
  })
}

/** An upstream that speaks HTTP/1.1. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { headerList } from '../../headers.ts'
import type { HttpHandler, UpstreamRequest } from '../../types.ts'
import { fromWire, rawPairs, toWire, withoutFraming } from '../wire.ts'
import { type Answer, CHUNK_GAP, toAnswer } from './answer.ts'
import type { ClusterServer, Recorder } from './record.ts'

export async function startHttp1(cluster: string, handler: HttpHandler, record: Recorder): Promise<ClusterServer> {
  // Lenient, because the tests are about what Envoy and its filters let pass, not about what Node's parser would.
  const server = createServer({ insecureHTTPParser: true, maxHeaderSize: 1 << 20 }, (incoming, outgoing) => {
    void serve(cluster, handler, record, incoming, outgoing)
  })
  // Envoy keeps its connections; a server that closes idle ones would make some requests fail by chance.
  server.keepAliveTimeout = 0
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, '127.0.0.1', resolve))
  return {
    port: (server.address() as AddressInfo).port,
    protocol: 'http1',
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function serve(
  cluster: string,
  handler: HttpHandler,
  record: Recorder,
  incoming: IncomingMessage,
  outgoing: ServerResponse,
): Promise<void> {
  const { socket } = incoming
  const peer = `${socket.remoteAddress}:${socket.remotePort}`
  outgoing.on('error', () => {})
  try {
    const request = await receive(cluster, incoming)
    record({ request, peer })
    await respond(outgoing, await toAnswer(await handler(request)))
  } catch (error) {
    // The client went away, or the handler failed: the latter must not look like a proper answer.
    if (!incoming.destroyed && !outgoing.headersSent) outgoing.writeHead(500).end(`handler failed: ${String(error)}`)
    else socket.destroy()
  }
}

async function receive(cluster: string, incoming: IncomingMessage): Promise<UpstreamRequest> {
  const chunks: Buffer[] = []
  for await (const chunk of incoming) chunks.push(chunk as Buffer)
  const lines = rawPairs(incoming.rawHeaders)
  const method = incoming.method ?? ''
  const path = fromWire(incoming.url ?? '')
  const authority = lines.find(([name]) => name === 'host')?.[1] ?? ''
  return {
    cluster,
    method,
    path,
    authority,
    headers: headerList([[':authority', authority], [':path', path], [':method', method], ...withoutFraming(lines)]),
    body: Buffer.concat(chunks),
    trailers: headerList(rawPairs(incoming.rawTrailers)),
  }
}

async function respond(outgoing: ServerResponse, answer: Answer): Promise<void> {
  const { socket } = outgoing
  if (answer.kind === 'hang') return
  if (answer.kind === 'reset') return void socket?.resetAndDestroy()
  outgoing.sendDate = false
  // Only what the handler gave should reach the filters.
  outgoing.removeHeader('connection')
  if (answer.kind === 'reset-after-headers') {
    outgoing.writeHead(200, ['content-length', '10'])
    outgoing.flushHeaders()
    await sleep(CHUNK_GAP)
    return void socket?.resetAndDestroy()
  }
  const { status, chunks, sized, trailers } = answer
  const headers = answer.headers.flatMap(([name, value]) => [name, toWire(value)])
  const framed = answer.headers.some(([name]) => /^(content-length|transfer-encoding)$/i.test(name))
  const bodyless = status < 200 || status === 204 || status === 304
  const chunked = !sized || trailers.length > 0
  if (!framed && !bodyless && !chunked) headers.push('content-length', String(Buffer.concat(chunks).length))
  outgoing.writeHead(status, headers)
  for (const [index, chunk] of chunks.entries()) {
    if (index > 0) await sleep(CHUNK_GAP)
    outgoing.write(chunk)
  }
  if (trailers.length > 0)
    outgoing.addTrailers(trailers.map(([name, value]): [string, string] => [name, toWire(value)]))
  outgoing.end()
}

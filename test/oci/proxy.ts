/** A proxy as companies have them: tunnels, and plain requests; it alone knows where some hosts are. */

import { createServer, type IncomingMessage, request, type Server } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'

export interface ProxyOptions {
  /** HOST:PORT by the HOST:PORT that is asked for. */
  hosts: Record<string, string>
  /** USER:PASSWORD that it wants. */
  password?: string
}

export class ForwardProxy {
  /** `CONNECT HOST:PORT` of tunnels, and method and URL of requests. */
  readonly asked: string[] = []
  readonly #sockets = new Set<Socket>()

  private constructor(
    private readonly server: Server,
    private readonly options: ProxyOptions,
  ) {
    server.on('connection', (socket) => this.#keep(socket))
    server.on('connect', (incoming: IncomingMessage, socket: Socket, head: Buffer) => {
      const { url = '' } = incoming
      this.asked.push(`CONNECT ${url}`)
      const status = this.#refusal(incoming, url)
      if (status) return socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\n\r\n`)
      const [host, port] = options.hosts[url]!.split(':')
      const target = this.#keep(connect(Number(port), host))
      target.once('connect', () => socket.write('HTTP/1.1 200 Connection established\r\n\r\n'))
      if (head.length) target.write(head)
      for (const each of [socket, target]) each.on('error', () => {})
      socket.pipe(target).pipe(socket)
    })
    server.on('request', (incoming, answer) => {
      const { method, url = '', headers } = incoming
      this.asked.push(`${method} ${url}`)
      const { host, pathname, search } = new URL(url)
      const status = this.#refusal(incoming, host)
      if (status) return answer.writeHead(Number(status.slice(0, 3))).end()
      const { 'proxy-authorization': _, ...others } = headers
      const target = `http://${options.hosts[host]}${pathname}${search}`
      const onward = request(target, { method, headers: others }, (response) => {
        answer.writeHead(response.statusCode!, response.headers)
        response.pipe(answer)
      })
      onward.on('error', () => answer.destroy())
      incoming.pipe(onward)
    })
  }

  static async start(options: ProxyOptions): Promise<ForwardProxy> {
    const server = createServer()
    const proxy = new ForwardProxy(server, options)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return proxy
  }

  get host(): string {
    return `127.0.0.1:${(this.server.address() as AddressInfo).port}`
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy()
    await new Promise((resolve) => this.server.close(resolve))
  }

  #keep(socket: Socket): Socket {
    this.#sockets.add(socket)
    socket.once('close', () => this.#sockets.delete(socket))
    return socket
  }

  #refusal({ headers }: IncomingMessage, host: string): string | undefined {
    const { password, hosts } = this.options
    const given = Buffer.from((headers['proxy-authorization'] ?? '').replace(/^Basic /, ''), 'base64').toString()
    if (password !== undefined && given !== password) return '407 Proxy Authentication Required'
    return host in hosts ? undefined : '403 Forbidden'
  }
}

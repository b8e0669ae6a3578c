/** The field's own rate limit service, https://github.com/envoyproxy/ratelimit, with Redis; both on sockets of their own folder. */
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { typed } from '@meshscript/sdk/testing/envoy/index'
import { buildRateLimit } from '../../../scripts/ratelimit.mjs'
import { freePorts } from '../../free-ports.ts'

/** Milliseconds until a program must be there. */
const START = 20_000

class Program {
  private output = ''
  private readonly child: ChildProcess
  private readonly over: Promise<unknown>

  constructor(command: string, args: readonly string[], env: Record<string, string> = {}) {
    this.child = spawn(command, args, { env: { ...process.env, ...env } })
    for (const stream of [this.child.stdout!, this.child.stderr!])
      stream.on('data', (data: Buffer) => (this.output += data.toString()))
    this.over = new Promise((resolve) => this.child.once('close', resolve))
  }

  /** Waits until it does what it is there for. */
  async until(isReady: () => Promise<boolean>): Promise<void> {
    const end = Date.now() + START
    while (!(await isReady())) {
      if (this.child.exitCode !== null || Date.now() > end) throw new Error(`it does not start:\n${this.output}`)
      await sleep(20)
    }
  }

  async kill(): Promise<void> {
    this.child.kill('SIGKILL')
    await this.over
  }
}

export class RateLimitServer {
  private readonly folder = mkdtempSync(join(tmpdir(), 'meshscript-rl-'))
  private redis?: Program
  private service?: Program
  private debugPort = 0

  private constructor(private readonly program: string) {}

  /** `configuration`: YAML, as the service reads it. */
  static async start(configuration: string): Promise<RateLimitServer> {
    const server = new RateLimitServer(await buildRateLimit())
    const config = join(server.folder, 'config')
    mkdirSync(config)
    writeFileSync(join(config, 'limits.yaml'), configuration)
    const socket = join(server.folder, 'redis')
    const args = ['--port', '0', '--unixsocket', socket, '--save', '', '--appendonly', 'no', '--dir', server.folder]
    server.redis = new Program('redis-server', args)
    await server.redis.until(() => isListening(socket))
    await server.startService()
    return server
  }

  /** Envoy's cluster of it. */
  cluster(name: string): object {
    const endpoint = { endpoint: { address: { pipe: { path: join(this.folder, 'grpc') } } } }
    return {
      name,
      type: 'STATIC',
      connect_timeout: '1s',
      load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [endpoint] }] },
      typed_extension_protocol_options: {
        'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': typed(
          'envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
          { explicit_http_config: { http2_protocol_options: {} } },
        ),
      },
    }
  }

  /** Hits that the service has counted for a limit, as `shop.tenant`. */
  async hits(limit: string): Promise<number> {
    const response = await fetch(`http://127.0.0.1:${this.debugPort}/stats`)
    const text = await response.text()
    const name = `ratelimit.service.rate_limit.${limit}.total_hits`
    return Number(new RegExp(`^${name.replaceAll('.', '\\.')}: (\\d+)$`, 'm').exec(text)?.[1] ?? 0)
  }

  /** Ends the service, at once; Redis keeps what it has. */
  async stopService(): Promise<void> {
    await this.service?.kill()
    rmSync(join(this.folder, 'grpc'), { force: true })
  }

  async startService(): Promise<void> {
    // It takes no 0.
    const [port, debugPort] = (await freePorts(2)) as [number, number]
    this.debugPort = debugPort
    this.service = new Program(this.program, [], {
      LOG_LEVEL: 'warn',
      USE_STATSD: 'false',
      RUNTIME_ROOT: this.folder,
      RUNTIME_SUBDIRECTORY: '',
      RUNTIME_WATCH_ROOT: 'false',
      REDIS_SOCKET_TYPE: 'unix',
      REDIS_URL: join(this.folder, 'redis'),
      GRPC_UDS: join(this.folder, 'grpc'),
      HOST: '127.0.0.1',
      PORT: String(port),
      DEBUG_HOST: '127.0.0.1',
      DEBUG_PORT: String(debugPort),
    })
    await this.service.until(async () => {
      const health = await fetch(`http://127.0.0.1:${port}/healthcheck`).catch(() => undefined)
      return health?.status === 200 && (await isListening(join(this.folder, 'grpc')))
    })
  }

  async close(): Promise<void> {
    await Promise.all([this.stopService(), this.redis?.kill()])
    rmSync(this.folder, { recursive: true, force: true })
  }
}

function isListening(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(path)
    socket.once('connect', () => (socket.destroy(), resolve(true)))
    socket.once('error', () => resolve(false))
  })
}

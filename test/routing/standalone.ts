/** What `meshscript compile --target envoy` prints, run as a user runs it (`envoy -c`), with Services behind it. */
import { installEnvoy } from '@meshscript/sdk/testing/envoy/index'
import { spawn } from 'node:child_process'
import { createServer, request, type IncomingHttpHeaders, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { CliFolder } from '../../cli/src/testing.ts'
import { freePorts } from '../free-ports.ts'

export interface Answer {
  status: number
  /** Of a Service: its name. */
  text: string
  headers: IncomingHttpHeaders
}

export interface Standalone {
  ask: (host: string, path: string, headers?: Record<string, string>) => Promise<Answer>
  /** The headers that a Service has seen last. */
  last: (service: string) => IncomingHttpHeaders | undefined
  /** `HOST PATH CLUSTER` of what a Service has seen; `-` for no header with a cluster. */
  seen: (service: string) => string[]
  stop: () => Promise<void>
}

/** Compiles the texts with these flags; `services` are the hosts that there is an endpoint for. */
export async function startStandalone(
  texts: Record<string, string>,
  flags: string,
  services: readonly string[],
): Promise<Standalone> {
  const binary = await installEnvoy()
  if (binary.kind === 'docker') throw new Error('this test needs an Envoy that is a program')
  const folder = new CliFolder(texts)
  const seen = new Map<string, { headers: IncomingHttpHeaders; url: string }[]>()
  const servers: Server[] = []
  const endpoints: string[] = []
  for (const name of services) {
    const server = createServer((incoming, response) => {
      const { headers, url = '' } = incoming
      seen.set(name, [...(seen.get(name) ?? []), { headers, url }])
      response.end(name)
    })
    servers.push(server)
    endpoints.push(`--endpoint ${name}=127.0.0.1:${await listen(server)}`)
  }
  const [port = 0] = await freePorts(1)
  const listenAt = `--target envoy --listen 127.0.0.1:${port} -o envoy.yaml`
  const result = await folder.run(`compile ${Object.keys(texts).join(' ')} ${flags} ${endpoints.join(' ')} ${listenAt}`)
  if (result.code !== 0 || result.stderr !== '') throw new Error(result.stderr)
  const args = ['-c', join(folder.path, 'envoy.yaml'), '-l', 'error', '--base-id', '0', '--use-dynamic-base-id']
  const child = spawn(binary.path, args, { stdio: 'ignore' })
  const ended = new Promise((resolve) => child.once('close', resolve))

  const ask: Standalone['ask'] = (host, path, headers = {}) =>
    new Promise((resolve, reject) => {
      const sent = request({ host: '127.0.0.1', port, path, headers: { host, ...headers } }, (answer) => {
        let text = ''
        answer.on('data', (chunk: Buffer) => (text += chunk.toString()))
        answer.on('end', () => resolve({ status: answer.statusCode!, text, headers: answer.headers }))
      })
      sent.on('error', reject).end()
    })
  const stop = async () => {
    child.kill()
    await ended
    for (const server of servers) server.close()
    folder.remove()
  }
  for (let waited = 0; !(await ask('unknown', '/').catch(() => undefined)); waited += 50) {
    if (waited > 20_000 || child.exitCode !== null) {
      await stop()
      throw new Error(`Envoy does not answer: ${child.exitCode}`)
    }
    await sleep(50)
  }
  const of = (service: string) => seen.get(service) ?? []
  const line = ({ headers, url }: { headers: IncomingHttpHeaders; url: string }) =>
    `${headers.host} ${url} ${String(headers['x-meshscript-cluster'] ?? '-')}`
  return { ask, last: (service) => of(service).at(-1)?.headers, seen: (service) => of(service).map(line), stop }
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}

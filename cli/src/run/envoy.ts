/** The Envoy that runs the filters. */

import { execFile } from 'node:child_process'
import { join } from 'node:path'
import {
  buildBootstrap,
  dockerEnvoy,
  type EnvoyBinary,
  type EnvoyLog,
  type EnvoyProcess,
  installEnvoy,
  type Json,
  startEnvoy,
} from '@meshscript/sdk/testing/envoy'
import { UserError } from '../errors.ts'
import type { Level } from './events.ts'
import { withRecorders } from './recorder.ts'
import { type TrafficOptions, trafficLog } from './traffic.ts'
import type { Upstream } from './upstream.ts'

export const LISTENER = 'main'

export interface EnvoyOptions {
  directory: string
  binary: EnvoyBinary
  log: EnvoyLog
  filters: readonly Json[]
  upstream: Upstream
  traffic: TrafficOptions
  port: number
  adminPort: number | undefined
  concurrency: number
  logLevel: Level
}

/** Envoy's log file for `Traffic`. */
export const trafficPath = (directory: string): string => join(directory, 'traffic.log')

/** Which Envoy to run; downloads one where there is none. */
export async function chooseEnvoy(
  { docker, image, env }: { docker: boolean; image?: string; env: NodeJS.ProcessEnv },
  onProgress: (message: string) => void,
): Promise<EnvoyBinary> {
  if (!docker) {
    return installEnvoy({ env, onProgress }).catch((error: Error) => {
      throw new UserError(error.message, 'RUN005')
    })
  }
  await new Promise<void>((resolve, reject) => {
    execFile('docker', ['version', '--format', '{{.Server.Version}}'], { timeout: 10_000 }, (error, _, stderr) => {
      if (!error) return resolve()
      const reason = error.code === 'ENOENT' ? 'there is no command docker' : stderr.trim() || error.message
      reject(new UserError(`Docker does not answer: ${reason}`, 'RUN005'))
    })
  })
  return image === undefined ? dockerEnvoy(env) : { kind: 'docker', image }
}

/** Starts it, and resolves when it serves. */
export function startProxy(options: EnvoyOptions): Promise<EnvoyProcess> {
  const { directory, binary, log, port, adminPort, concurrency, logLevel, traffic, upstream } = options
  const filters = traffic.recorded ? withRecorders(options.filters) : options.filters
  return startEnvoy({
    directory,
    binary,
    log,
    workers: concurrency,
    logLevel,
    // Pulling an image may take its time.
    ...(binary.kind === 'docker' && { startTimeout: 300_000 }),
    bootstrap: buildBootstrap({
      admin: { port: adminPort },
      clusters: { upstream: upstream.spec },
      listeners: [
        {
          name: LISTENER,
          port,
          ...(traffic.tcp
            ? { tcp: { filters, cluster: 'upstream' } }
            : { http: { filters, routes: routes(upstream), connectionManager: MANAGER } }),
          accessLog: trafficLog(traffic),
          // Another Envoy at the same port would get half of the connections.
          extra: { enable_reuse_port: false },
        },
      ],
    }),
  }).catch((error: Error) => {
    throw new UserError(`Envoy did not start: ${error.message}`, 'RUN006')
  })
}

const MANAGER = { upgrade_configs: [{ upgrade_type: 'websocket' }] }

/** Everything to the upstream, for as long as it takes. */
function routes({ hostRewrite }: Upstream): Json {
  const route = { cluster: 'upstream', timeout: '0s', ...(hostRewrite && { host_rewrite_literal: hostRewrite }) }
  return {
    name: 'routes',
    virtual_hosts: [{ name: 'default', domains: ['*'], routes: [{ match: { prefix: '/' }, route }] }],
  }
}

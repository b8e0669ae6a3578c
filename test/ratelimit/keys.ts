/** A million different users in real Envoy: what their counters take. */

import { type ClientHttp2Session, connect } from 'node:http2'
import { createEnvoyHost, LISTENER } from '../../sdk/testing/envoy/index.ts'
import type { PluginOptions } from '../../sdk/testing/types.ts'
import { residentMemory } from '../bench/cpu.ts'

export interface KeysOptions {
  plugin: Omit<PluginOptions, 'configuration'>
  scope: 'worker' | 'proxy'
  keys: number
  maxKeys: number
  workers?: number
}

export interface KeysMeasured {
  /** Requests so far, and Envoy's resident memory then, in bytes: before the first, and after each tenth part. */
  samples: { requests: number; memory: number }[]
  /** Answers other than 200: a user that is seen for the first time always passes. */
  refused: number
}

const PARTS = 10

/** Requests of a client that are under way at the same time. */
const TOGETHER = 20
const CLIENTS = 8

export async function measureKeys(options: KeysOptions): Promise<KeysMeasured> {
  const { plugin, scope, keys, maxKeys, workers = 4 } = options
  const limit = { requests: 5, per: '1h' }
  const host = await createEnvoyHost({
    ...plugin,
    configuration: {
      version: 1,
      maxKeys,
      rules: [{ name: 'users', descriptors: [{ header: 'x-user' }], limit, scope }],
    },
    routes: [{ directResponse: { status: 200, body: 'ok' } }],
    workers,
  })
  const sessions: ClientHttp2Session[] = []
  try {
    const memory = (): number => residentMemory(host.envoy.pid)
    const samples = [{ requests: 0, memory: memory() }]
    const url = `http://127.0.0.1:${host.envoy.ports[LISTENER]}`
    for (let i = 0; i < CLIENTS; i++) sessions.push(connect(url))
    let refused = 0
    for (let part = 1; part <= PARTS; part++) {
      let next = samples.at(-1).requests
      const end = Math.round((part * keys) / PARTS)
      const take = (): number | undefined => (next < end ? next++ : undefined)
      const counts = await Promise.all(sessions.map((session) => ask(session, take)))
      for (const count of counts) refused += count
      samples.push({ requests: end, memory: memory() })
    }
    return { samples, refused }
  } finally {
    for (const session of sessions) session.destroy()
    await host.close()
  }
}

/** Sends requests of users until there are none, some at the same time; resolves with the number of those that did not pass. */
async function ask(session: ClientHttp2Session, take: () => number | undefined): Promise<number> {
  let refused = 0
  const run = async (): Promise<void> => {
    for (let user = take(); user !== undefined; user = take()) {
      if ((await statusOf(session, user)) !== 200) refused++
    }
  }
  await Promise.all(Array.from({ length: TOGETHER }, run))
  return refused
}

function statusOf(session: ClientHttp2Session, user: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ':path': '/', ':authority': 'localhost', 'x-user': `user-${user}` })
    let status = 0
    stream.on('response', (headers) => (status = headers[':status'] ?? 0))
    stream.on('error', reject)
    stream.on('close', () => resolve(status))
    stream.resume()
    stream.end()
  })
}

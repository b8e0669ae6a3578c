/** Debian's docker-registry on a port of its own. It has no referrers API, so that lists of referrers are tags. */

import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

export interface RunningRegistry {
  /** `127.0.0.1:PORT` */
  host: string
  stop(): Promise<void>
}

/** `more`: further settings, as in the registry's own configuration. */
export async function startRegistry(more: { http?: object; auth?: object } = {}): Promise<RunningRegistry> {
  const folder = mkdtempSync(join(tmpdir(), 'meshscript-registry-'))
  const config = {
    version: '0.1',
    log: { formatter: 'json' },
    storage: { filesystem: { rootdirectory: folder } },
    http: { addr: '127.0.0.1:0', ...more.http },
    ...(more.auth && { auth: more.auth }),
  }
  // JSON is YAML, too.
  writeFileSync(join(folder, 'config.yml'), JSON.stringify(config))
  const child = spawn('docker-registry', ['serve', join(folder, 'config.yml')], { stdio: ['ignore', 'ignore', 'pipe'] })
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()))
  const port = await new Promise<string>((resolve, reject) => {
    child.once('error', reject)
    void ended.then(() => reject(new Error('docker-registry ended')))
    createInterface(child.stderr).on('line', (line) => {
      const [, port] = /listening on 127\.0\.0\.1:(\d+)/.exec(line) ?? []
      if (port !== undefined) resolve(port)
    })
  })
  return {
    host: `127.0.0.1:${port}`,
    async stop() {
      child.kill()
      await ended
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

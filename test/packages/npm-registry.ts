/** A registry of npm packages on this machine (verdaccio): takes Meshscript's own, and fetches the others where this machine's npm does. */

import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { runServer } from 'verdaccio'

export class NpmRegistry {
  readonly url: string

  private constructor(
    private readonly server: Server,
    private readonly folder: string,
  ) {
    this.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  }

  /** `names`: the packages that may be published. */
  static async start(names: readonly string[]): Promise<NpmRegistry> {
    const folder = mkdtempSync(join(tmpdir(), 'meshscript-npm-'))
    const own = { access: '$all', publish: '$all' }
    const config = {
      storage: join(folder, 'storage'),
      self_path: folder,
      configPath: join(folder, 'config.yaml'),
      auth: { htpasswd: { file: join(folder, 'htpasswd') } },
      uplinks: { outside: { url: npmSetting('registry') } },
      packages: {
        ...Object.fromEntries(names.map((name) => [name, own])),
        '**': { access: '$all', proxy: 'outside' },
      },
      web: { enable: false },
      log: { type: 'stdout', format: 'pretty', level: 'error' },
    }
    const server = (await runServer(config)) as Server
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return new NpmRegistry(server, folder)
  }

  /** Makes npm use it. It asks for no password, but npm does not publish without one. */
  get env(): Record<string, string> {
    return {
      npm_config_registry: this.url,
      [`npm_config_${this.url.slice('http:'.length)}:_authToken`]: 'anybody',
      npm_config_cache: join(this.folder, 'npm-cache'),
      npm_config_update_notifier: 'false',
      npm_config_audit: 'false',
      npm_config_fund: 'false',
    }
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
    rmSync(this.folder, { recursive: true, force: true, maxRetries: 3 })
  }
}

/** Of the user or the machine, not what `npm test` hands down. */
function npmSetting(name: string): string {
  return execFileSync('npm', ['config', 'get', name], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
}

/**
 * A package registry on this machine that offers what the workspace has installed, and Meshscript's own packages as they
 * would be published. With it the guide's `npm install` runs as it stands: without the network, and whatever npm has in its cache.
 */

import { existsSync, readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Packed } from '../../scripts/lib/packages.mjs'
import { tarball } from './tarball.ts'

interface Manifest {
  name: string
  version: string
}
interface Package {
  manifest: Manifest
  /** Made when it is asked for. */
  tarball: () => Buffer
}

export class Registry {
  private readonly packages = new Map<string, Map<string, Package>>()
  private constructor(private readonly server: Server) {}

  /** `root`: a folder with a `package-lock.json` whose packages are installed. */
  static async start(root: string, packed: readonly Packed[] = []): Promise<Registry> {
    const server = createServer((request, response) => {
      const answer = registry.answer(decodeURIComponent(request.url ?? '/'))
      response.statusCode = answer ? 200 : 404
      response.end(answer ?? '{}')
    })
    const registry = new Registry(server)
    registry.addInstalled(root)
    for (const { file, manifest } of packed) registry.add({ manifest, tarball: () => readFileSync(file) })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    return registry
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}/`
  }

  /** The newest version of a package. */
  version(name: string): string | undefined {
    return [...(this.packages.get(name)?.keys() ?? [])].sort(byVersion).at(-1)
  }

  async close(): Promise<void> {
    this.server.closeAllConnections()
    await new Promise((resolve) => this.server.close(resolve))
  }

  private addInstalled(root: string): void {
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as { packages: object }
    for (const [path, entry] of Object.entries(lock.packages) as [string, { link?: boolean }][]) {
      const folder = join(root, path)
      // What belongs to another platform is not there.
      if (!path.includes('node_modules/') || entry.link || !existsSync(join(folder, 'package.json'))) continue
      const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest
      this.add({ manifest, tarball: () => tarball(folder) })
    }
  }

  private add(item: Package): void {
    const { name, version } = item.manifest
    this.packages.set(name, (this.packages.get(name) ?? new Map<string, Package>()).set(version, item))
  }

  /** `/NAME`: what is known of a package. `/-/VERSION/NAME`: a tarball. */
  private answer(path: string): string | Buffer | undefined {
    const [, version, wanted] = /^\/-\/([^/]+)\/(.+)$/.exec(path) ?? []
    if (version && wanted) return this.packages.get(wanted)?.get(version)?.tarball()
    const name = path.slice(1)
    const versions = this.packages.get(name)
    if (!versions) return undefined
    const entries = [...versions.values()].map(({ manifest }) => {
      const dist = { tarball: `${this.url}-/${manifest.version}/${name}` }
      return [manifest.version, { ...manifest, dist }] as const
    })
    return JSON.stringify({ name, 'dist-tags': { latest: this.version(name) }, versions: Object.fromEntries(entries) })
  }
}

function byVersion(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}

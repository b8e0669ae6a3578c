/** The files that the compiler sees: the author's, the SDK's and those of other packages. */

import { existsSync, readFileSync } from 'node:fs'
import { join, posix, resolve } from 'node:path'

export interface SourceOptions {
  baseDir: string
  sdk: string
  alias: Record<string, string>
  /** Where @meshscript/filters lies, if not where the compiler looks for it. */
  filters?: string
  /** The compiler's entry file, and its text where there is no such file. */
  file?: string
  entry?: string
}

export interface SourceFile {
  /** Undefined for files that exist only here. */
  path?: string
  text: string
}

export class Sources {
  /** By the name that the compiler gives a file: `assembly/index.ts`, `~lib/@meshscript/sdk/index.ts`. */
  readonly files = new Map<string, SourceFile>()
  private readonly baseDir: string

  constructor(private readonly options: SourceOptions) {
    this.baseDir = options.baseDir.replaceAll('\\', '/')
  }

  /** Files on disk that took part, for a watcher. */
  get paths(): string[] {
    return [...this.files.values()].flatMap(({ path }) => path ?? [])
  }

  /** Answers the compiler's question for `name`, relative to `dir` unless absolute. */
  read(name: string, dir: string): string | null {
    // AssemblyScript names files with slashes everywhere, on Windows too.
    const path = resolve(dir, name).replaceAll('\\', '/')
    const at = path.lastIndexOf('/node_modules/')
    const match = at < 0 ? null : /^((?:@[^/]+\/)?[^/]+)\/(.+)$/.exec(path.slice(at + '/node_modules/'.length))
    if (!match) {
      const relative = posix.relative(this.baseDir, path)
      const { entry, file } = this.options
      if (entry === undefined || path !== file?.replaceAll('\\', '/')) return this.remember(relative, path)
      this.files.set(relative, { text: entry })
      return entry
    }
    const [, packageName = '', rest = ''] = match
    const library = `~lib/${packageName}/${rest}`
    const redirected = this.redirect(packageName, rest)
    if (redirected !== null) {
      this.files.set(library, { text: redirected })
      return redirected
    }
    const root = this.rootOf(packageName) ?? join(path.slice(0, at), 'node_modules', packageName)
    return this.remember(library, join(root, 'assembly', rest)) ?? this.remember(library, join(root, rest))
  }

  private rootOf(packageName: string): string | undefined {
    if (packageName === '@meshscript/sdk') return this.options.sdk
    return packageName === '@meshscript/filters' ? this.options.filters : undefined
  }

  /** An aliased package is a file that passes on what the other one exports. */
  private redirect(packageName: string, rest: string): string | null {
    if (!rest.endsWith('.ts') || rest.endsWith('.d.ts')) return null
    const wanted = rest === 'index.ts' ? packageName : `${packageName}/${rest.slice(0, -'.ts'.length)}`
    for (const [from, to] of Object.entries(this.options.alias)) {
      if (wanted === from || wanted.startsWith(`${from}/`)) return `export * from '${to}${wanted.slice(from.length)}'\n`
    }
    return null
  }

  private remember(name: string, path: string): string | null {
    // Probing is what the compiler mostly does; asking first is cheaper than a failed read.
    if (!existsSync(path)) return null
    try {
      const text = readFileSync(path, 'utf8')
      this.files.set(name, { path, text })
      return text
    } catch {
      return null
    }
  }
}

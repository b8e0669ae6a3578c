/** Builds again whenever a file changes that went into the module. */

import { watch } from 'chokidar'
import { UserError } from '../errors.ts'
import { BackgroundCompiler } from './background.ts'
import type { BuildOptions, BuildResult } from './index.ts'

export interface WatchOptions extends BuildOptions {
  /** Called after every build, the first included. */
  onBuild: (result: BuildResult) => void
  /** Called for a build that failed; the last good module stays in its place. */
  onError: (error: UserError) => void
  signal?: AbortSignal
  /** Default: one of its own. */
  compiler?: BackgroundCompiler
}

/** Resolves when the signal is given. */
export async function watchFilter({ onBuild, onError, signal, compiler, ...options }: WatchOptions): Promise<void> {
  if (signal?.aborted) return
  const worker = compiler ?? new BackgroundCompiler()
  let watched = new Set<string>()
  // Editors write in several steps: one change is what happens within a few milliseconds.
  const watcher = watch([], { ignoreInitial: true, atomic: 20 })
  let pending: NodeJS.Timeout | undefined
  let building = false
  let again = false

  const build = async (): Promise<void> => {
    if (building) {
      again = true
      return
    }
    building = true
    try {
      const result = await worker.build(options)
      follow(result.sources)
      onBuild(result)
    } catch (error) {
      if (signal?.aborted) return
      if (!(error instanceof UserError)) throw error
      follow(error.sources)
      onError(error)
    } finally {
      building = false
    }
    if (again) {
      again = false
      await build()
    }
  }

  /** A failed build may not have read everything: files once read stay watched then. */
  const follow = (sources: readonly string[] | undefined): void => {
    const next = new Set(sources ?? watched)
    watcher.add([...next].filter((file) => !watched.has(file)))
    watcher.unwatch([...watched].filter((file) => !next.has(file)))
    watched = next
  }

  await new Promise<void>((resolve, reject) => {
    signal?.addEventListener('abort', () => resolve(), { once: true })
    const change = () => {
      clearTimeout(pending)
      pending = setTimeout(() => void build().catch(reject), 10)
    }
    watcher.on('all', change)
    watcher.on('error', reject)
    build().catch(reject)
  }).finally(async () => {
    clearTimeout(pending)
    if (!compiler) await worker.close()
    await watcher.close()
  })
}

/** Which commit a folder is at. */

import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { type Source } from './types.ts'

const run = promisify(execFile)

/**
 * Undefined where there is no repository, no commit or no git. `files`, relative to the folder, are those that have to be the
 * commit's; without them everything in the folder that git does not ignore.
 */
export async function readSource(folder: string, files: readonly string[] = []): Promise<Source | undefined> {
  const git = async (...args: string[]) => {
    // Answers are parsed: no colours, no pager, and no lock that another git would wait for.
    const env = { ...process.env, GIT_OPTIONAL_LOCKS: '0' }
    const { stdout } = await run('git', args, { cwd: folder, timeout: 5000, env, maxBuffer: 64 << 20 })
    return stdout.trim()
  }
  try {
    const [head, path, status, remote] = await Promise.all([
      git('log', '-1', '--no-show-signature', '--format=%H %cI'),
      git('rev-parse', '--show-prefix'),
      // A source that git ignores is not in the commit either.
      git('status', '--porcelain', ...(files.length ? ['--ignored', '--', ...files.map(literal)] : ['--', '.'])),
      git('config', '--get', 'remote.origin.url').catch(() => ''),
    ])
    const [commit = '', time = ''] = head.split(' ')
    return {
      repository: repositoryUrl(remote),
      commit,
      time: new Date(time).toISOString(),
      path: path.replace(/\/$/, ''),
      modified: status !== '',
    }
  } catch {
    return undefined
  }
}

/** Not a pattern. */
const literal = (file: string) => `:(literal)${file}`

/** A URL without credentials; undefined for a path of this machine, which says nothing to others. */
export function repositoryUrl(remote: string): string | undefined {
  const scp = /^(?:[^@/:]+@)?([^/:]{2,}):(?!\/\/)(.+)$/.exec(remote)
  if (scp) return `ssh://${scp[1]}/${scp[2]!.replace(/^\/+/, '')}`
  try {
    const url = new URL(remote.replace(/^git\+/, ''))
    if (!['http:', 'https:', 'ssh:', 'git:'].includes(url.protocol)) return undefined
    url.username = ''
    url.password = ''
    url.search = ''
    url.hash = ''
    return url.href
  } catch {
    return undefined
  }
}

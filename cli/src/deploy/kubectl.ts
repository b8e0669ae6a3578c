/** Asks the cluster by the user's own kubectl, with its contexts, plugins and credentials. */

import { spawn } from 'node:child_process'
import { resolve } from 'node:path'
import { UserError } from '../errors.ts'
import { type Io } from '../terminal.ts'

export interface KubectlOptions {
  context?: string
  kubeconfig?: string
  namespace?: string
  /** Of one question, in milliseconds. */
  timeout?: number
}

export interface KubectlAnswer {
  code: number
  stdout: string
  stderr: string
}

export class Kubectl {
  readonly #io: Io
  readonly #options: KubectlOptions

  constructor(io: Io, options: KubectlOptions) {
    this.#io = io
    this.#options = options
  }

  /** Runs kubectl to its end, whatever its exit code. */
  run(args: readonly string[], input?: string): Promise<KubectlAnswer> {
    const { env, cwd, signal } = this.#io
    const { context, kubeconfig, namespace, timeout } = this.#options
    const all = [
      ...args,
      ...(namespace === undefined || args.includes('--all-namespaces') ? [] : ['--namespace', namespace]),
      ...(context === undefined ? [] : ['--context', context]),
      ...(kubeconfig === undefined ? [] : ['--kubeconfig', resolve(cwd, kubeconfig)]),
      ...(timeout === undefined ? [] : [`--request-timeout=${Math.ceil(timeout / 1000)}s`]),
    ]
    // After -- the arguments are those of a program in the pod.
    const dashes = args.indexOf('--')
    const ordered = dashes < 0 ? all : [...args.slice(0, dashes), ...all.slice(args.length), ...args.slice(dashes)]
    return new Promise((resolve, reject) => {
      const child = spawn('kubectl', ordered, { env: env, cwd, signal, windowsHide: true })
      let stdout = ''
      let stderr = ''
      child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
      child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
      // It may end before it has read all.
      child.stdin.on('error', () => {})
      child.once('error', (error: NodeJS.ErrnoException) => {
        if (error.name === 'AbortError') return reject(new UserError('stopped', 'DEP009'))
        const message =
          error.code === 'ENOENT' ? 'there is no kubectl; install it, or write a file by -o' : error.message
        reject(new UserError(message, 'DEP030'))
      })
      child.once('close', (code) => resolve({ code: code ?? 1, stdout, stderr }))
      child.stdin.end(input ?? '')
    })
  }

  /** Runs kubectl; throws what it says where it fails. */
  async ask(args: readonly string[], input?: string): Promise<string> {
    const answer = await this.run(args, input)
    if (answer.code !== 0) throw kubectlError(answer)
    return answer.stdout
  }

  /** A resource; undefined where there is none. */
  async get<T>(kind: string, name: string): Promise<T | undefined> {
    const text = await this.ask(['get', kind, name, '--ignore-not-found', '-o', 'json'])
    return text.trim() === '' ? undefined : (JSON.parse(text) as T)
  }

  async list<T>(kind: string, ...args: string[]): Promise<T[]> {
    const text = await this.ask(['get', kind, ...args, '-o', 'json'])
    return (JSON.parse(text) as { items?: T[] }).items ?? []
  }
}

/** What kubectl said, with what to do about it. */
export function kubectlError({ stderr, code }: KubectlAnswer): UserError {
  // Its client's log lines (`E1123 12:09:29.47 14256 memcache.go:265] …`) say it several times, for its developers.
  const own = stderr.replaceAll(/^[EWI]\d{4} .*\n?/gm, '').trim() || stderr.trim()
  const said = own.replaceAll(/^error: |^Error from server( \(\w+\))?: /gm, '') || `exit code ${code}`
  if (/conflict/i.test(said)) return new UserError(conflictOf(said), 'DEP033')
  if (/the server doesn't have a resource type|no matches for kind/.test(said))
    return new UserError(
      `the cluster does not know this resource: ${said}; install Istio or Envoy Gateway, or use another --as`,
      'DEP032',
    )
  if (/forbidden/i.test(said)) return new UserError(`this account may not do it: ${said}`, 'DEP034')
  return new UserError(`kubectl: ${said}`, 'DEP031')
}

/** Who owns which fields, of `conflict with "NAME" using VERSION: .field`, or of a list of fields in lines below. */
function conflictOf(said: string): string {
  const owners = new Set([...said.matchAll(/conflicts? with "([^"]+)"/g)].map(([, name]) => name!))
  const fields = new Set([...said.matchAll(/(?:^- |: )(\.\S+)$/gm)].map(([, field]) => field!))
  const who = owners.size
    ? `${[...owners].join(', ')} owns ${fields.size ? [...fields].join(', ') : 'fields'} of this resource`
    : `someone else manages fields of this resource: ${said.split('\n', 1)[0]!}`
  return `${who}; take them over by --apply --force-conflicts, or deploy under another --name`
}

/** Asks Istio's own code: the program in `judge/`, built by scripts/istio.mjs. */

import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { buildIstio } from '../../scripts/istio.mjs'

export interface Fetched {
  /** Of the manifest. */
  digest?: string
  /** Hash of the module. */
  sha256?: string
  size?: number
  error?: string
}

export interface Verdict {
  kind: string
  name: string
  error?: string
  warning?: string
}

let folder: Promise<string> | undefined

/** Fetches an image, `HOST/REPOSITORY:TAG`, as pilot-agent does. */
export async function fetchImage(image: string, env: Record<string, string> = {}): Promise<Fetched> {
  return JSON.parse(await judge(['fetch', image], '', env)) as Fetched
}

/** Validates resources, as YAML, as istiod does. */
export async function validate(yaml: string): Promise<Verdict[]> {
  const output = await judge(['validate'], yaml, {})
  return output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Verdict)
}

async function judge(args: readonly string[], input: string, env: Record<string, string>): Promise<string> {
  folder ??= buildIstio(['judge'])
  const program = join(await folder, 'judge')
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { env: { ...process.env, DOCKER_CONFIG: '/nonexistent', ...env } })
    let stdout = ''
    let stderr = ''
    child.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text))
    child.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text))
    child.once('error', reject)
    child.once('close', (code) =>
      code === 0 || code === 1 ? resolve(stdout) : reject(new Error(`judge ended with ${code}: ${stderr}`)),
    )
    child.stdin.end(input)
  })
}

/** Asks programs of the machine. */

import { execFile } from 'node:child_process'
import { type Io } from '../terminal.ts'

export type Answer =
  | { ok: true; stdout: string }
  /** `missing`: there is no such program. */
  | { ok: false; missing: boolean; message: string }

/** Runs a program to its end; the signal kills it. Never rejects. */
export function ask(name: string, args: readonly string[], env: Io['env'], signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve) => {
    // Its own children hold the pipes open when it is killed; the answer does not wait for them.
    const options = { env: env as NodeJS.ProcessEnv, signal, killSignal: 'SIGKILL', maxBuffer: 32 << 20 } as const
    execFile(name, args, options, (error, stdout, stderr) => {
      if (!error) return resolve({ ok: true, stdout })
      const said = stderr.trim().split('\n').at(-1)
      resolve({ ok: false, missing: (error as { code?: unknown }).code === 'ENOENT', message: said || error.message })
    })
  })
}

/** Numbers of a version, e.g. of `v1.32.4-beta`. Undefined where there are none. */
export function parseVersion(text: string): readonly [number, number, number] | undefined {
  const [, major, minor, patch = '0'] = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text) ?? []
  return major === undefined ? undefined : [Number(major), Number(minor), Number(patch)]
}

/** Whether a version is at least another. */
export function atLeast(version: string, least: string): boolean {
  const [a, b] = [parseVersion(version), parseVersion(least)]
  if (!a || !b) return false
  for (const [index, number] of a.entries()) if (number !== b[index]) return number > b[index]!
  return true
}

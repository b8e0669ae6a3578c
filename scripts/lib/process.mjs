// Child processes.

import { spawn } from 'node:child_process'
import { root } from './steps.mjs'

/**
 * Runs a program to its end. `inherit` shows its output, otherwise the output is returned.
 * @returns {Promise<{ code: number, output: string }>}
 */
export function run(command, args, { inherit = false, env = {}, cwd = root } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd,
      env: { ...process.env, ...env },
      stdio: inherit ? 'inherit' : ['ignore', 'pipe', 'pipe'],
    })
    let output = ''
    child.stdout?.on('data', (data) => (output += data))
    child.stderr?.on('data', (data) => (output += data))
    child.on('error', reject)
    child.on('close', (code, signal) => resolve({ code: code ?? (signal === 'SIGINT' ? 130 : 1), output }))
  })
}

/** As `run` without `inherit`; a failure throws with what the program said. */
export async function check(command, args, options) {
  const { code, output } = await run(command, args, options)
  if (code !== 0) throw new Error(`${[command, ...args].join(' ')} failed with exit code ${code}\n${output}`)
  return output
}

/** True when the program is there and content. */
export async function works(command, args) {
  try {
    return (await run(command, args)).code === 0
  } catch {
    return false
  }
}

/** Ends the script with the message alone: a stack trace would hide what the failed program said. */
export function fail(error) {
  process.stdout.write('\n')
  process.stderr.write(`${error instanceof Error ? error.message : error}\n`)
  process.exitCode = 1
}

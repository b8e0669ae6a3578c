/**
 * Ends Envoy when this process ends without having done so.
 *
 * A normal exit kills it on the way out. For every other end – Ctrl-C, SIGTERM, SIGKILL, a crash – a shell waits on a pipe
 * whose other end only this process holds: the kernel closes it whatever happens, and the shell then ends Envoy and
 * removes its files. No signal handlers are installed, because these would change how the program itself ends.
 */
import { spawn } from 'node:child_process'
import { rmSync } from 'node:fs'
import type { EnvoyCommand } from './runner.ts'

const WATCHDOG = `
trap '' INT TERM HUP
read -r line && exit 0
kill -TERM "$1" 2>/dev/null
tries=0
while kill -0 "$1" 2>/dev/null && [ $tries -lt 20 ]; do sleep 0.1; tries=$((tries + 1)); done
kill -KILL "$1" 2>/dev/null
rm -rf -- "$2"
shift 2
[ $# -gt 0 ] && "$@" >/dev/null 2>&1
`

export interface Guard {
  /** The process has ended: nothing is left to guard. */
  release(): void
}

const guarded = new Set<{ pid: number; directory: string }>()
let listening = false

/** Guards process `pid` and its `directory` until released. */
export function guard(pid: number, directory: string, command: EnvoyCommand): Guard {
  const entry = { pid, directory }
  guarded.add(entry)
  if (!listening) process.on('exit', endAll)
  listening = true

  const cleanup = command.cleanup ? [command.cleanup.file, ...command.cleanup.args] : []
  const watchdog = spawn('/bin/sh', ['-c', WATCHDOG, 'meshscript-watchdog', String(pid), directory, ...cleanup], {
    stdio: ['pipe', 'ignore', 'ignore'],
    // A group of its own, or Ctrl-C and a killed job would end it together with what it guards against.
    detached: true,
  })
  watchdog.on('error', () => {})
  watchdog.stdin.on('error', () => {})
  watchdog.unref()
  return {
    release() {
      if (guarded.delete(entry)) watchdog.stdin.end('released\n')
    },
  }
}

function endAll() {
  for (const { pid, directory } of guarded) {
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // It has ended by itself.
    }
    rmSync(directory, { recursive: true, force: true })
  }
}

/** How an Envoy is started and ended: as a process of this machine, or in a container that shares its network. */
import { execFile } from 'node:child_process'
import type { EnvoyBinary } from './find.ts'

/** A command to spawn, and what ends it for certain. */
export interface EnvoyCommand {
  file: string
  args: string[]
  /** Needed besides a signal to the spawned process: removes the container. */
  cleanup?: { file: string; args: string[] }
}

let containers = 0

/** The command that runs `binary` with Envoy's arguments `args`, able to read and write `directory`. */
export function envoyCommand(binary: EnvoyBinary, args: readonly string[], directory: string): EnvoyCommand {
  if (binary.kind === 'process') return { file: binary.path, args: [...args] }
  const name = `meshscript-${process.pid}-${++containers}`
  // Same paths inside and outside, and the user's own id, so that the files of both sides can be read by both.
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`
  const options = ['--rm', '--name', name, '--network', 'host', '--user', user, '--volume', `${directory}:${directory}`]
  return {
    file: 'docker',
    args: ['run', ...options, '--entrypoint', 'envoy', binary.image, ...args],
    cleanup: { file: 'docker', args: ['rm', '--force', name] },
  }
}

/** Runs the command's cleanup, if it has one. */
export function cleanUp(command: EnvoyCommand): Promise<void> {
  const { cleanup } = command
  if (!cleanup) return Promise.resolve()
  return new Promise((resolve) => execFile(cleanup.file, cleanup.args, () => resolve()))
}

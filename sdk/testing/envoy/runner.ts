/** How an Envoy is started and ended: as a process of this machine, or in a container that shares its network. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { EnvoyBinary } from './find.ts'

const run = promisify(execFile)

/** A command to spawn, and what ends it for certain. */
export interface EnvoyCommand {
  file: string
  args: string[]
  /** The container's name. */
  container?: string
  /** Needed besides a signal to the spawned process: removes the container. */
  cleanup?: { file: string; args: string[] }
}

let containers = 0

/**
 * The command that runs `binary` with Envoy's arguments `args`, able to read and write `directory`. A container for each
 * Envoy takes 0.2 s more than a process, measured with its end, so none is kept for the next.
 */
export function envoyCommand(binary: EnvoyBinary, args: readonly string[], directory: string): EnvoyCommand {
  if (binary.kind === 'process') return { file: binary.path, args: [...args] }
  const name = `meshscript-${process.pid}-${Date.now().toString(36)}-${++containers}`
  // Same paths inside and outside, and the user's own id, so that the files of both sides can be read by both.
  const user = `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`
  const options = [
    ...['--rm', '--name', name, '--network', 'host', '--user', user],
    ...['--volume', `${directory}:${directory}`],
    // The output comes to this program, and needs no copy in Docker's files.
    ...['--log-driver', 'none'],
  ]
  return {
    file: 'docker',
    args: ['run', ...options, '--entrypoint', 'envoy', binary.image, ...args],
    container: name,
    cleanup: { file: 'docker', args: ['rm', '--force', name] },
  }
}

/** Runs the command's cleanup, if it has one. */
export function cleanUp(command: EnvoyCommand): Promise<void> {
  const { cleanup } = command
  if (!cleanup) return Promise.resolve()
  return new Promise((resolve) => execFile(cleanup.file, cleanup.args, () => resolve()))
}

const prepared = new Map<string, Promise<void>>()

/** Pulls the image unless it is there, so that this is not taken for a slow start of Envoy. Asks once for each image. */
export function prepareImage(image: string): Promise<void> {
  let ready = prepared.get(image)
  if (!ready) {
    prepared.set(image, (ready = pullMissing(image)))
    ready.catch(() => prepared.delete(image))
  }
  return ready
}

async function pullMissing(image: string): Promise<void> {
  const missing = await run('docker', ['image', 'inspect', '--format', '{{.Id}}', image]).then(
    () => undefined,
    (error: Error) => error,
  )
  if (!missing) return
  if (!/no such image/i.test(missing.message)) throw new Error(`Docker does not answer: ${reason(missing)}`)
  await run('docker', ['pull', '--quiet', image]).catch((error: Error) => {
    const advice = 'MESHSCRIPT_ENVOY_IMAGE names another image'
    throw new Error(`the image ${image} is not there and cannot be pulled: ${reason(error)}; ${advice}`)
  })
}

const reason = (error: Error & { stderr?: string }) => error.stderr?.trim().split('\n').at(-1) || error.message

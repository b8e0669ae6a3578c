/** Entry of the bundle. */

import { getEventListeners } from 'node:events'
import { constants } from 'node:os'
import { runCli } from './cli.ts'
import { ExitCode } from './exit.ts'

type StopSignal = 'SIGINT' | 'SIGTERM' | 'SIGHUP'

const stop = new AbortController()
let received: StopSignal | undefined

/** Until a command asks for the signal it has nothing to end in order, and is killed as any process. */
const handleSignals = () => {
  // SIGHUP: the terminal was closed. A second signal does not wait for anything.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => end(signal))
  handled = true
}
let handled = false

function end(signal: StopSignal): void {
  received ??= signal
  if (!getEventListeners(stop.signal, 'abort').length) process.exit(stoppedBy(signal))
  stop.abort()
}

// A reader that has seen enough, such as `head`, is no failure.
for (const output of [process.stdout, process.stderr]) {
  output.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    stop.abort()
  })
}

const code = await runCli(process.argv.slice(2), {
  stdout: process.stdout,
  stderr: process.stderr,
  cwd: process.cwd(),
  env: process.env,
  get signal() {
    if (!handled) handleSignals()
    return stop.signal
  },
})
process.exitCode = code === ExitCode.stopped ? (received ? stoppedBy(received) : ExitCode.failed) : code

/** As shells count it: 130 after SIGINT. */
function stoppedBy(signal: StopSignal): number {
  return 128 + constants.signals[signal]
}

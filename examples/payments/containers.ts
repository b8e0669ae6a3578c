/** What the demos in containers share. */

import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { here } from './demo.ts'

/** Milliseconds in which all must be there. */
const START_TIMEOUT = 60_000

export const once = process.argv.includes('--once')
export const COMPOSE_FILE = here('../../envoy/docker-compose.yml')

/** What the containers read is made here. `name`: of the default. */
export const demoFolder = (name: string): string =>
  process.env['MESHSCRIPT_DEMO_FOLDER'] || join(here('../..'), '.cache', name)

/** The variables of the Compose file that tell of the folder. */
export const demoVariables = (folder: string): Record<string, string> => ({
  MESHSCRIPT_DEMO_FOLDER: folder,
  MESHSCRIPT_DEMO_USER: `${process.getuid?.() ?? 0}:${process.getgid?.() ?? 0}`,
})

/** Ctrl-C, or what else ends the demo. */
export function interruption(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', resolve)
    process.once('SIGTERM', resolve)
  })
}

/** A promise alone would not keep this program running. */
export async function stayUp(until: Promise<void>): Promise<void> {
  const timer = setInterval(() => {}, 60_000)
  await until
  clearInterval(timer)
}

/** Waits until `answer` is as it must be; what else it was is told where that takes too long. */
export async function untilAnswers(answer: () => Promise<string>, isRight: RegExp): Promise<void> {
  const end = Date.now() + START_TIMEOUT
  for (;;) {
    const text = await answer().catch((error: Error) => error.message)
    if (isRight.test(text)) return
    if (Date.now() > end) throw new Error(`Envoy does not serve after ${START_TIMEOUT / 1000} s: ${text}`)
    await sleep(50)
  }
}

/** Envoy serves, and has found the service behind it. */
export function untilReady(adminPort: number): Promise<void> {
  const healthy = `http://127.0.0.1:${adminPort}/stats?filter=^cluster.payments.membership_healthy$`
  return untilAnswers(async () => (await fetch(healthy)).text(), /: 1$/m)
}

/** Ends the program with the code that `main` answers. */
export async function runDemo(main: () => Promise<number>): Promise<void> {
  process.exitCode = await main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
    return 1
  })
}

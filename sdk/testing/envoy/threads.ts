/**
 * Waiting for Envoy's threads, which tell nobody how far they are.
 *
 * Asked for statistics, Envoy has each worker hand over its histograms (with `stats_flush_on_admin`, which `buildBootstrap`
 * sets). A question that comes before the last worker has done so is counted as a dropped flush. So one that is not counted
 * says that every worker has been through its events since the question before that was not.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { stats } from './admin.ts'

/** Envoy's counter of questions that came too early. */
export const DROPPED = 'server.dropped_stat_flushes'

/** How long a worker may take to come round. */
const TIMEOUT = 20_000

/** Asks until each worker has come round `rounds` times since the call, or a while. Answers what was answered last. */
export async function afterRounds<T>(
  rounds: number,
  ask: () => Promise<T>,
  droppedOf: (answer: T) => number,
): Promise<T> {
  const end = Date.now() + TIMEOUT
  let before = -1
  // The first question begins a round, or comes while one is under way that began before the call.
  for (let passed = -1; ;) {
    const answer = await ask()
    const dropped = droppedOf(answer)
    // How many were dropped before the first question nobody knows; it counts for nothing.
    if (before >= 0 && dropped === before && ++passed >= rounds) return answer
    before = dropped
    if (Date.now() > end) return answer
    await sleep(2)
  }
}

/**
 * Waits until all workers have handled what had come to them: data on their sockets, timers that were due, changes of the
 * configuration. It takes more than one round where one thing leads to the next, as a connection to the data that follows.
 */
export async function waitForWorkers(port: number, rounds: number): Promise<void> {
  const pattern = `^${DROPPED.replaceAll('.', '\\.')}$`
  await afterRounds(
    rounds,
    () => stats(port, pattern),
    (answer) => Number(answer[DROPPED] ?? 0),
  )
}

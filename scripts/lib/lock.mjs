// Lets one process at a time build what several need.

import { existsSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/** The owner of a lock touches it this often; one not touched for ten times as long belongs to nobody. */
const HEARTBEAT = 2000

/** Lets one process build at a time; the next finds it built. */
export async function locked(path, action) {
  while (!take(path)) {
    const age = Date.now() - (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    // Should two take it over at once, both build: that costs time only.
    if (age > 10 * HEARTBEAT) rmSync(path, { force: true })
    else await sleep(500)
  }
  const timer = setInterval(() => {
    const now = new Date()
    if (existsSync(path)) utimesSync(path, now, now)
  }, HEARTBEAT)
  try {
    return await action()
  } finally {
    clearInterval(timer)
    rmSync(path, { force: true })
  }
}

function take(path) {
  try {
    writeFileSync(path, String(process.pid), { flag: 'wx' })
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    throw error
  }
}

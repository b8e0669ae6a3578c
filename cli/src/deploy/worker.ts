/** The thread of `guardedPreflight`. */

import { parentPort, workerData } from 'node:worker_threads'
import { preflight, type PreflightOptions } from './preflight.ts'

parentPort!.postMessage(await preflight(workerData as PreflightOptions))

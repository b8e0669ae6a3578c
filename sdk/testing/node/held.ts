/** Why a stream does not go on, for people. */
import type { Slot } from './filter_chain.ts'

const STATUS_NAMES = {
  headers: ['Continue', 'StopIteration', 'Continue', 'StopAllIterationAndBuffer', 'StopAllIterationAndWatermark'],
  body: ['Continue', 'StopIterationAndBuffer', 'StopIterationAndWatermark', 'StopIterationNoBuffer'],
  trailers: ['Continue', 'StopIteration'],
}

/** `word`: request or response; `resume`: the hostcall that would let it go on. */
export function explainSlot(slot: Slot, word: string, resume: string, name: string): string {
  const phase = slot.last?.phase ?? 'headers'
  const status = STATUS_NAMES[phase][slot.last?.status ?? 0]
  const consequence =
    slot.iteration === 'all'
      ? `; callbacks for the body are not called until ${resume}`
      : `, and nothing called ${resume}`
  return `filter '${name}' holds the stream since on_${word}_${phase} (${status})${consequence}`
}

import { utf8 } from './memory/bytes'
import { property } from './properties'

/**
 * Whether the effective HTTP stream is over. Envoy keeps a stream that was reset until the turn of its event loop ends, and ticks and answers may come
 * before that: what then acts on it ends Envoy. Only of a stream that is over the host knows how long it took.
 */
export function isStreamOver(): bool {
  return property.get(utf8('request\0duration')) !== null
}

import { ByteString, view } from './memory/bytes'

/** The first error that reading the configuration has found; the dispatcher refuses the configuration for it. */
let first: ByteString | null = null

/** Call it while `onConfigure` runs: the message, a `string` or bytes, is only kept until that returns. */
export function reportConfigurationError<T>(message: T): void {
  if (!first) first = view(message)
}

export function hasConfigurationError(): bool {
  return first !== null
}

export function takeConfigurationError(): ByteString | null {
  const error = first
  first = null
  return error
}

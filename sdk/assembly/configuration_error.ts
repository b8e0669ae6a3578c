/** The first error that reading the configuration has found; the dispatcher refuses the configuration for it. */
let first: string | null = null

export function reportConfigurationError(message: string): void {
  if (!first) first = message
}

export function takeConfigurationError(): string | null {
  const error = first
  first = null
  return error
}

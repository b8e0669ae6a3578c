import { type Diagnostic } from './diagnostics.ts'

/** A failure that the user can do something about: shown as its message, never with a stack. Exit code 1. */
export class UserError extends Error {
  override name = 'UserError'
  constructor(
    message: string,
    /** Stable code for scripts and documentation. */
    readonly code?: string,
    /** Positions in the user's files. */
    readonly diagnostics: readonly Diagnostic[] = [],
    /** Files that were read before it failed, for a watcher. */
    readonly sources?: readonly string[],
  ) {
    super(message)
  }
}

/** The command was called wrongly. Exit code 2. */
export class UsageError extends UserError {
  override name = 'UsageError'
}

/** Nothing failed, but the answer is one that scripts ask for by exit code 1. All has been printed. */
export class NegativeResult extends Error {
  override name = 'NegativeResult'
}

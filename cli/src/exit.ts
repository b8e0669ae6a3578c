/** Exit codes, and what they mean; docs/cli.md and every command's help have them from here. */

/** Done; refused or failed; wrong usage; stopped by Ctrl-C. */
export const ExitCode = { done: 0, failed: 1, usage: 2, stopped: 130 } as const

/** What a code means to a command, where it is not what it means to the others. */
export type ExitMeanings = { readonly [code in (typeof ExitCode)[keyof typeof ExitCode]]?: string }

const common = {
  [ExitCode.done]: 'done',
  [ExitCode.failed]: 'refused or failed; the message says why',
  [ExitCode.usage]: 'wrong usage; nothing was done',
  [ExitCode.stopped]: 'stopped by Ctrl-C',
} satisfies ExitMeanings

/** In the order of the codes. */
export function exitMeanings(exits: ExitMeanings = {}): [code: number, meaning: string][] {
  return Object.entries({ ...common, ...exits }).map(([code, meaning]) => [Number(code), meaning])
}

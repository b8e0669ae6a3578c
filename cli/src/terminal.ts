/** What a command may use of its surroundings. Tests pass their own. */

import pc from 'picocolors'

export interface Output {
  write(text: string): unknown
  isTTY?: boolean
}

export interface Io {
  stdout: Output
  stderr: Output
  cwd: string
  env: Record<string, string | undefined>
  /** Ends what runs until it is stopped (`--watch`). */
  signal?: AbortSignal
}

type Style =
  | ('reset' | 'bold' | 'dim' | 'italic' | 'underline' | 'inverse' | 'hidden' | 'strikethrough')
  | ('black' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan' | 'white' | 'gray')

/** Spelt out, since the package's types must not name what is only in the bundle. */
export type Colors = { isColorSupported: boolean } & Record<Style, (text: string | number) => string>

/** Colours only on a terminal; `NO_COLOR` and `FORCE_COLOR` have the last word. */
export function colorsFor(output: Output, env: Io['env']): Colors {
  const forced = env['FORCE_COLOR'] !== undefined && env['FORCE_COLOR'] !== '0'
  return pc.createColors(!env['NO_COLOR'] && (forced || (output.isTTY === true && env['TERM'] !== 'dumb')))
}

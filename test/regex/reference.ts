/** RE2 itself. */

import { createRequire } from 'node:module'

interface Expression {
  ok(): boolean
  error(): string
  match(text: Uint8Array, start: number, groups: boolean): { index: number }
  delete(): void
}

type Constructor = new (pattern: Uint8Array, ignoreCase: boolean, multiline: boolean, dotAll: boolean) => Expression

const require = createRequire(import.meta.url)
// The package's own interface translates JavaScript's syntax; this is the class below it.
const path = require.resolve('re2-wasm/build/wasm/re2')
let WrappedRE2 = load()

/** The module has 16 MB, which a few large expressions use up: then a new instance is needed. */
function load(): Constructor {
  delete require.cache[path]
  // It tells of each text that is not UTF-8.
  const { warn } = console
  console.warn = () => {}
  try {
    return (require(path) as { WrappedRE2: Constructor }).WrappedRE2
  } finally {
    console.warn = warn
  }
}

export interface Compiled {
  /** Why RE2 refuses it, or ''. */
  error: string
  /** Whether it matches the whole text; undefined when there is no memory for that. */
  matches(text: Uint8Array): boolean | undefined
  free(): void
}

const TOO_LARGE: Compiled = { error: 'pattern too large', matches: () => undefined, free: () => {} }

function compile(pattern: string): Expression {
  const bytes = Buffer.from(pattern, 'latin1')
  return new WrappedRE2(bytes, false, false, false)
}

/** Compiles a pattern, given as latin1. */
export function compileRE2(pattern: string): Compiled {
  return attempt(() => compileWhole(pattern)) ?? attempt(() => compileWhole(pattern)) ?? TOO_LARGE
}

/** Undefined when the module ran out of memory. */
function attempt<T>(action: () => T): T | undefined {
  try {
    return action()
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error
    WrappedRE2 = load()
    return undefined
  }
}

function compileWhole(pattern: string): Compiled {
  const alone = compile(pattern)
  const error = alone.ok() ? '' : alone.error()
  alone.delete()
  if (error) return { error, matches: () => undefined, free: () => {} }
  // The wrapper only searches.
  let whole = compile(`\\A(?:${pattern})\\z`)
  if (!whole.ok()) {
    // An open \Q reaches to the end.
    whole.delete()
    whole = compile(`\\A(?:${pattern}\\E)\\z`)
    if (!whole.ok()) throw new Error(`${JSON.stringify(pattern)} as a whole: ${whole.error()}`)
  }
  let usable = true
  return {
    error,
    matches(text) {
      const answer = usable ? attempt(() => whole.match(text, 0, false).index >= 0) : undefined
      usable &&= answer !== undefined
      return answer
    },
    free() {
      if (usable) whole.delete()
    },
  }
}

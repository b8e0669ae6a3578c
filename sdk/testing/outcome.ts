/** What matchers answer. */
export interface MatcherResult {
  pass: boolean
  message: () => string
}
export type Outcome = MatcherResult | Promise<MatcherResult>

/** `expected` and `actual` follow the words "expected" and "but it was". */
export function result(pass: boolean, expected: string, actual: () => string): MatcherResult {
  return { pass, message: () => `expected ${pass ? 'not ' : ''}${expected}, but it was ${actual()}` }
}

/** Text that is the same, or that the pattern fits. */
export const matches = (actual: string, expected: string | RegExp): boolean =>
  typeof expected === 'string' ? actual === expected : expected.test(actual)

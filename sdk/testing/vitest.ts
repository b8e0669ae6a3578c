/** Adds the matchers to vitest's `expect`, and their types. `index.ts` does it for specs that vitest runs. */
import { expect } from 'vitest'
import { type FilterMatchers, matchers } from './matchers.ts'

declare module 'vitest' {
  // eslint-disable-next-line @typescript-eslint/no-explicit-any, @typescript-eslint/no-empty-object-type, @typescript-eslint/no-unused-vars
  interface Matchers<T = any> extends FilterMatchers {}
}

expect.extend(matchers)

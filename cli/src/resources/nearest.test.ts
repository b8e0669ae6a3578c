import { expect, test } from 'vitest'
import { nearest } from './nearest.ts'

test.each([
  ['path', 'paths'],
  ['pahts', 'paths'],
  ['Methods', 'methods'],
  ['notmethod', 'notMethods'],
  ['somethingElse', undefined],
])('%s → %s', (name, expected) => {
  expect(nearest(name, ['methods', 'notMethods', 'paths', 'ports'])).toBe(expected)
})

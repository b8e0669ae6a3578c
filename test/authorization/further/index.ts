/** Cases of the same kinds as the recorded ones, without decisions: `native.envoy.test.ts` gets them from Envoy's own filter. */
import { actions } from './actions.ts'
import { attributes } from './attributes.ts'
import { callers } from './callers.ts'
import type { FurtherCase } from './policy.ts'
import { targets } from './targets.ts'

export const furtherCases: readonly FurtherCase[] = [...targets, ...callers, ...attributes, ...actions]

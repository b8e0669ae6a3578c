/** Known ways around path, host, header and identity rules, each a request against a policy that should refuse it. */

import type { Attack } from './attack.ts'
import { callerAttacks } from './list/callers.ts'
import { headerAttacks } from './list/headers.ts'
import { pathAttacks } from './list/paths.ts'
import { hostAttacks, methodAttacks } from './list/targets.ts'
import { tokenAttacks } from './list/tokens.ts'

export const attacks: readonly Attack[] = [
  ...pathAttacks,
  ...methodAttacks,
  ...hostAttacks,
  ...headerAttacks,
  ...callerAttacks,
  ...tokenAttacks,
]

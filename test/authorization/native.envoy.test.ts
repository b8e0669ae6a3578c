/** The judge agrees with the recording, and the further cases have its decisions. Update them by `vitest -u`. */
import { describe, expect, test } from 'vitest'
import { type AuthorizationCase, authorizationCases, type Outcome, undecidedCases } from './cases.ts'
import { createNativeHost, nativeOutcome } from './native.ts'
import { toRequestInit } from './requests.ts'

async function judge(each: AuthorizationCase): Promise<Outcome[]> {
  const host = await createNativeHost(each)
  try {
    const responses = each.requests.map((request) => host.request(toRequestInit(request, 'envoy')))
    return (await Promise.all(responses)).map((response) => nativeOutcome(response, each))
  } finally {
    await host.close()
  }
}

describe('recorded', () => {
  for (const each of authorizationCases()) {
    if (each.requests.length === 0) continue
    test(each.name, async () => {
      const recorded = each.requests.map(({ decision, status, policyId, shadow, audit }) => ({
        decision,
        status,
        ...(policyId !== undefined && { policyId }),
        ...(shadow && { shadow }),
        ...(audit !== undefined && { audit }),
      }))
      expect(await judge(each)).toEqual(recorded)
    })
  }
})

/** A line for each request. */
function format(decisions: Record<string, Outcome[]>): string {
  const cases = Object.entries(decisions).map(([name, outcomes]) => {
    const lines = outcomes.map((outcome) => `  ${JSON.stringify(outcome)}`)
    return ` ${JSON.stringify(name)}: [\n${lines.join(',\n')}\n ]`
  })
  return `{\n${cases.join(',\n')}\n}\n`
}

test('further', async () => {
  const decisions: Record<string, Outcome[]> = {}
  for (const each of undecidedCases()) decisions[each.name] = await judge(each)
  await expect(format(decisions)).toMatchFileSnapshot('fixtures/further.json')
}, 180_000)

import { expect, test } from 'vitest'
import { type AuthorizationCase, authorizationCases, furtherAuthorizationCases } from './cases.ts'
import { isByFilter, toRequestInit } from './requests.ts'

const cases = authorizationCases()
const further = furtherAuthorizationCases()

test('what Istio refuses is refused', () => {
  const invalid = cases.filter((each) => each.invalid)
  expect(invalid.length).toBeGreaterThan(0)
  for (const { name, configuration, diagnostics } of invalid) {
    expect(configuration, name).toBeUndefined()
    const errors = diagnostics.filter(({ severity }) => severity === 'error')
    for (const error of errors) expect(error, name).toMatchObject({ file: `${name}.yaml`, line: expect.any(Number) })
    expect(errors, name).not.toEqual([])
  }
})

test('every other case is compiled', () => {
  const refused = [...cases, ...further].filter(({ invalid, configuration }) => !invalid && !configuration)
  expect(refused.map(({ name, diagnostics }) => [name, diagnostics])).toEqual([])
})

test('names are unique, and every further request has a decision', () => {
  const names = [...cases, ...further].map(({ name }) => name)
  expect(new Set(names).size).toBe(names.length)
  for (const { name, requests } of further) {
    for (const { decision } of requests) expect(decision, name).toMatch(/^(allow|deny|connection-refused|status-\d+)$/)
  }
})

/** By case: how many requests are of this kind. */
function count(of: readonly AuthorizationCase[], list: (each: AuthorizationCase) => readonly unknown[]) {
  const entries = of.map((each) => [each.name, list(each).length] as const).filter(([, number]) => number > 0)
  return Object.fromEntries(entries)
}

function summary(all: readonly AuthorizationCase[]) {
  const valid = all.filter(({ invalid }) => !invalid)
  const http = valid.flatMap(({ requests }) => requests)
  return {
    cases: all.length,
    requests: all.flatMap(({ requests, tcp }) => [...requests, ...tcp]).length,
    decidedByTheFilter: http.filter(isByFilter).length,
    decidedBeforeIt: Object.fromEntries(
      valid
        .map(({ name, requests }) => [
          name,
          requests.filter((each) => !isByFilter(each)).map(({ decision }) => decision),
        ])
        .filter(([, decisions]) => decisions!.length > 0),
    ) as object,
    notInTheNodeHost: count(valid, ({ requests }) => requests.filter((each) => !toRequestInit(each, 'node'))),
    tcp: count(all, ({ tcp }) => tcp),
    refused: count(
      all.filter(({ invalid }) => invalid),
      ({ diagnostics }) => diagnostics,
    ),
  }
}

test('what is asked, and what is not', () => {
  expect(summary(cases)).toMatchSnapshot('recorded')
  expect(summary(further)).toMatchSnapshot('further')
})

test('trust domains', () => {
  const principals = (name: string) =>
    cases.find((each) => each.name === name)?.configuration?.policies[0]?.rules[0]?.from
  expect(principals('principal-td-alias')).toEqual([
    { principals: [{ exact: 'td1/ns/foo/sa/a' }, { exact: 'old/ns/foo/sa/a' }] },
  ])
  expect(principals('principal-cluster-local-alias')).toEqual([{ principals: [{ exact: 'td1/ns/foo/sa/a' }] }])
  expect(principals('principal-td-not-in-aliases-untouched')).toEqual([
    { principals: [{ exact: 'third/ns/foo/sa/a' }] },
  ])
})

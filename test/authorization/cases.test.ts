import { expect, test } from 'vitest'
import { authorizationCases, toRequestInit } from './cases.ts'

const cases = authorizationCases()

test('what Istio refuses is refused', () => {
  const invalid = cases.filter((each) => each.invalid)
  expect(invalid.length).toBeGreaterThan(0)
  for (const each of invalid) expect(each.configuration, each.name).toBeUndefined()
})

test('every case is compiled, or refused with a place and a hint', () => {
  for (const { name, configuration, diagnostics } of cases) {
    const errors = diagnostics.filter((each) => each.severity === 'error')
    expect(errors.length > 0, name).toBe(configuration === undefined)
    for (const error of errors) expect(error, name).toMatchObject({ file: `${name}.yaml`, line: expect.any(Number) })
  }
})

test('cases that the filter can be asked about', () => {
  const compiled = cases.filter((each) => each.configuration)
  const refused = cases.filter((each) => !each.configuration)
  const requests = compiled.flatMap((each) => each.requests)
  expect({
    cases: `${compiled.length} of ${cases.length}`,
    requests: `${requests.length} of ${cases.flatMap((each) => each.requests).length}`,
    plain: requests.filter(toRequestInit).length,
    compiled: compiled.map((each) => each.name),
    refused: Object.fromEntries(
      refused.map(({ name, diagnostics }) => {
        const errors = diagnostics.filter((each) => each.severity === 'error')
        return [name, [...new Set(errors.map(({ code, message }) => `${code} ${message}`))]]
      }),
    ),
  }).toMatchSnapshot()
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

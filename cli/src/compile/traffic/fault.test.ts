import { readFileSync } from 'node:fs'
import { Ajv } from 'ajv'
import { describe, expect, test } from 'vitest'
import { Source } from '../../resources/source.ts'
import { compileFaults } from './fault.ts'
import type { TrafficOptions } from './index.ts'
import { workload } from './testing.ts'

const schema = JSON.parse(
  readFileSync(new URL('../../../../filters/fault/schema.json', import.meta.url), 'utf8'),
) as object
const isValid = new Ajv({ strict: false }).compile(schema)

const virtualService = (spec: string, name = 'r') =>
  `{apiVersion: networking.istio.io/v1, kind: VirtualService, metadata: {name: ${name}, namespace: shop}, spec: ${spec}}`

/** Compiles documents, and holds what comes out to the filter's schema. */
function compile(documents: string[], options: Partial<TrafficOptions> = {}) {
  const sources = documents.map((text, index) => new Source(`${index}.yaml`, text))
  const { configuration, diagnostics } = compileFaults(sources, { workload, ...options })
  if (configuration) expect(isValid(configuration), JSON.stringify(isValid.errors)).toBe(true)
  const hosts = configuration?.virtualHosts
  return {
    hosts,
    routes: hosts?.flatMap(({ routes }) => routes),
    told: diagnostics.toJSON().map(({ severity, code, field }) => [severity, code, field].filter(Boolean).join(' ')),
  }
}

/** The fault of one route that has nothing else. */
const faultOf = (fault: string) => {
  const { routes, told } = compile([
    virtualService(`{hosts: [a], http: [{fault: ${fault}, route: [{destination: {host: a}}]}]}`),
  ])
  return { fault: routes?.[0]?.fault, told }
}

describe('a fault', () => {
  test.each<[string, object]>([
    ['{delay: {fixedDelay: 5s, percentage: {value: 100}}}', { delay: { percentage: 100, fixed: '5s' } }],
    ['{delay: {fixedDelay: 1h0.5s, percent: 3}}', { delay: { percentage: 3, fixed: '1h0.5s' } }],
    ['{abort: {httpStatus: 555, percentage: {value: 0.1}}}', { abort: { percentage: 0.1, httpStatus: 555 } }],
    [
      '{abort: {grpcStatus: UNAVAILABLE, percentage: {value: 50}}, delay: {fixedDelay: 1ms, percentage: {value: 1}}}',
      { abort: { percentage: 50, grpcStatus: 'UNAVAILABLE' }, delay: { percentage: 1, fixed: '1ms' } },
    ],
    // The other part never happens.
    [
      '{abort: {httpStatus: 500}, delay: {fixedDelay: 1s, percentage: {value: 1}}}',
      { delay: { percentage: 1, fixed: '1s' } },
    ],
  ])('%s', (fault, expected) => {
    expect(faultOf(fault)).toEqual({ fault: expected, told: [] })
  })

  test.each([
    '{delay: {fixedDelay: 5s}}',
    '{delay: {fixedDelay: 5s, percentage: {}}}',
    '{delay: {fixedDelay: 5s, percent: 3, percentage: {value: 0}}}',
    '{delay: {percentage: {value: 100}}}',
    '{abort: {percentage: {value: 100}}}',
    '{abort: {httpStatus: 500, percentage: {value: 0}}}',
  ])('%s never happens', (fault) => {
    expect(faultOf(fault)).toEqual({ fault: undefined, told: ['warning MS1402'] })
  })

  test.each([
    ['{delay: {fixedDelay: 25h, percentage: {value: 1}}}', 'delay.fixedDelay'],
    ['{abort: {httpStatus: 600, percentage: {value: 1}}}', 'abort.httpStatus'],
    ['{delay: {exponentialDelay: 1s, percentage: {value: 1}}}', 'delay.exponentialDelay'],
  ])('%s is refused', (fault, field) => {
    expect(faultOf(fault)).toEqual({ fault: undefined, told: [`error MS1301 spec.http[0].fault.${field}`] })
  })
})

const FAULT = 'fault: {abort: {httpStatus: 500, percentage: {value: 100}}}'
const fault = { abort: { percentage: 100, httpStatus: 500 } }
const to = 'route: [{destination: {host: a}}]'

test('routes keep their order, those behind the last fault are left out, and the others keep what they match', () => {
  const http = [
    `{match: [{uri: {prefix: /ok}}], ${to}}`,
    `{name: named, match: [{headers: {x: {exact: "1"}}}], ${FAULT}, ${to}}`,
    `{match: [{port: 9999}], ${FAULT}, ${to}}`,
    `{match: [{sourceLabels: {app: other}}], ${FAULT}, ${to}}`,
    `{match: [{uri: {prefix: /last}}], ${FAULT}, ${to}}`,
    `{${to}}`,
  ]
  const { hosts, told } = compile([virtualService(`{hosts: [a], http: [${http.join(', ')}]}`)], { port: 80 })
  expect(told).toEqual([])
  expect(hosts).toEqual([
    {
      name: 'shop/r',
      domains: ['a.shop.svc.cluster.local', 'a', 'a.shop', 'a.shop.svc'],
      routes: [
        { match: [{ path: { prefix: '/ok' } }] },
        { name: 'named', match: [{ headers: { x: { exact: '1' } } }], fault },
        { name: 'shop/r[4]', match: [{ path: { prefix: '/last' } }], fault },
      ],
    },
  ])
})

test('ports of destinations need not be known', () => {
  expect(compile([virtualService(`{hosts: [a.b.c], http: [{${FAULT}, ${to}}]}`)]).told).toEqual([])
})

test('hosts without faults are left out, unless a wildcard would give them some', () => {
  const none = virtualService(`{hosts: [a.example.com], http: [{${to}}]}`, 'none')
  const one = virtualService(`{hosts: [b.example.com], http: [{${FAULT}, ${to}}]}`, 'one')
  const all = virtualService(`{hosts: ["*.example.com"], http: [{${FAULT}, ${to}}]}`, 'all')
  expect(compile([none, one]).hosts?.map(({ name }) => name)).toEqual(['shop/one'])
  expect(compile([none, all]).hosts).toMatchObject([
    { name: 'shop/none', domains: ['a.example.com'], routes: [] },
    { name: 'shop/all', domains: ['*.example.com'], routes: [{ fault }] },
  ])
})

test('a delegate has the fault of the route that delegates, unless it has its own', () => {
  const root = virtualService(`{hosts: [a], http: [
    {name: root, match: [{uri: {prefix: /a}}], ${FAULT}, delegate: {name: target, namespace: shop}}]}`)
  const target = virtualService(
    `{http: [
      {name: own, match: [{uri: {prefix: /a/own}}], fault: {abort: {httpStatus: 418, percentage: {value: 1}}}, ${to}},
      {${to}}]}`,
    'target',
  )
  expect(compile([root, target]).routes).toEqual([
    { name: 'root-own', match: [{ path: { prefix: '/a/own' } }], fault: { abort: { percentage: 1, httpStatus: 418 } } },
    { name: 'root', match: [{ path: { prefix: '/a' } }], fault },
  ])
})
